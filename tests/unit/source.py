"""What our source says of itself: the error codes it answers with, the frames it sends and takes, how it closes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from partyline import protocol
from tests.running import ROOT

ANSWERING = {"InputError", "ProtocolError", "refusal", "refuse", "_answer"}
"""What makes an error of its first argument, the code."""

CLOSING = {"close", "_close", "Close", "HangUp"}
"""What closes a socket with its first argument, the code."""


def nodes(*modules: str, folder: str = "server") -> Iterator[ast.AST]:
    """All nodes of these files of a folder."""
    for module in modules:
        yield from ast.walk(ast.parse((ROOT / folder / f"{module}.py").read_text(encoding="utf-8")))


def error_codes(*modules: str, folder: str = "server") -> set[str]:
    """The codes that these files answer with, in calls and in answers written by hand."""
    codes: set[str | None] = set()
    for node in nodes(*modules, folder=folder):
        if isinstance(node, ast.Call) and _called(node) in ANSWERING and node.args:
            codes.add(_text(node.args[0]))
        elif isinstance(node, ast.Call) and _called(node) == "_refusal":  # (port, code, message)
            codes.add(_text(node.args[1]) if len(node.args) > 2 else None)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            codes.add(_text(node.value.elts[0]))  # an objection: (code, message)
        elif isinstance(node, ast.Dict) and {"code", "message"} <= set(_items(node)):
            codes.add(_text(_items(node)["code"]))
    return {code for code in codes if code}


def frames(*modules: str, folder: str = "server") -> dict[str, set[str]]:
    """The kinds of frames that these files make, each with its fields, ``{"kind": protocol.WELCOME, ...}``."""
    found: dict[str, set[str]] = {}
    for node in nodes(*modules, folder=folder):
        if isinstance(node, ast.Dict):
            kind = _items(node).get("kind")
            if isinstance(kind, ast.Attribute):
                found.setdefault(getattr(protocol, kind.attr), set()).update(set(_items(node)) - {"kind"})
    return found


def handled(*modules: str, folder: str) -> set[str]:
    """The kinds that these files have a handler for, ``{protocol.ACK: ...}``."""
    keys = (key for node in nodes(*modules, folder=folder) if isinstance(node, ast.Dict) for key in node.keys)
    return {getattr(protocol, key.attr) for key in keys if isinstance(key, ast.Attribute)}


def close_codes(*modules: str) -> list[str]:
    """With what these files close sockets: ``protocol``'s names; what is no such name is shown as source."""
    return [
        ast.unparse(node.args[0])
        for node in nodes(*modules)
        if isinstance(node, ast.Call) and _called(node) in CLOSING and len(node.args) == 2
    ]


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _items(literal: ast.Dict) -> dict[str, ast.expr]:
    pairs = ((_text(key), value) for key, value in zip(literal.keys, literal.values, strict=True))
    return {key: value for key, value in pairs if key is not None}


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
