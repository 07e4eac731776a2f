"""Notebook files: what was not touched comes back, what is saved is valid by Jupyter's own library, what is hostile is
refused with a word."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ipynb
from document import Document
from ipynb import MAX_BYTES, MAX_DEPTH, Opened, read, write
from nbfields import Broken, NotANotebook, NotebookError, NotJson, OtherFormat, TooLarge
from shapes import MAX_CELLS, MAX_SOURCE, new_cell, new_notebook
from tests.unit.notebooks import edit


def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"new-{next(numbers)}"


def opened(raw: Any) -> Opened:
    return read(raw if isinstance(raw, str | bytes) else json.dumps(raw), "hello", ids())


def saved(raw: Any) -> Any:
    """What a file is after it was opened and saved."""
    return json.loads(write(opened(raw).notebook))


def file(*cells: Any, **fields: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **fields}


def code(**fields: Any) -> dict[str, Any]:
    base = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "outputs": [], "execution_count": None}
    return {**base, **fields}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LINES = st.text(alphabet="ab\n\r\u2028\x0c é😀#", max_size=20)
TEXT = LINES | st.lists(LINES, max_size=3)
COUNT = st.none() | st.integers(0, 99)
UNKNOWN = st.dictionaries(st.sampled_from(["x-unknown", "vendor", "signature"]), JSON, max_size=2)
METADATA = st.dictionaries(st.text(max_size=6).filter(lambda key: key not in KNOWN), JSON, max_size=3)
KNOWN = {"name", "tags", "format", "jupyter", "execution", "collapsed", "scrolled", "trusted", *ipynb.TRANSIENT}
KNOWN |= {"kernelspec", "language_info", "title", "authors"}
BUNDLE = st.fixed_dictionaries(
    {},
    optional={
        "text/plain": TEXT,
        "text/html": TEXT,
        "image/svg+xml": TEXT,
        "image/png": TEXT,
        "application/json": JSON,
        "application/vnd.vega.v5+json": JSON,
    },
)
OUTPUT = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": st.sampled_from(["stdout", "stderr"]), "text": TEXT}
    ),
    st.fixed_dictionaries({"output_type": st.just("display_data"), "data": BUNDLE, "metadata": METADATA}),
    st.fixed_dictionaries(
        {"output_type": st.just("execute_result"), "data": BUNDLE, "metadata": METADATA, "execution_count": COUNT}
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("error"),
            "ename": st.text(max_size=5),
            "evalue": st.text(max_size=5),
            "traceback": st.lists(LINES, max_size=2),
        }
    ),
)
ATTACHMENTS = st.dictionaries(st.text(max_size=5), BUNDLE, max_size=2)
CELL = st.one_of(
    st.fixed_dictionaries(
        {
            "cell_type": st.just("code"),
            "metadata": METADATA,
            "source": TEXT,
            "outputs": st.lists(OUTPUT, max_size=3),
            "execution_count": COUNT,
        }
    ),
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["markdown", "raw"]), "metadata": METADATA, "source": TEXT},
        optional={"attachments": ATTACHMENTS},
    ),
)
CELL_ID = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Valid notebooks of nbformat 4.5."""
    cells = draw(st.lists(CELL, max_size=4))
    cell_ids = draw(st.lists(CELL_ID, min_size=len(cells), max_size=len(cells), unique=True))
    raw = file(*({**cell, "id": cell_id} for cell, cell_id in zip(cells, cell_ids, strict=True)))
    return {**raw, "metadata": draw(METADATA)}


def as_jupyter_reads(raw: Any) -> Any:
    return json.loads(json.dumps(nbformat.reads(json.dumps(raw), as_version=4)))


@given(files())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_not_touched_is_kept_and_valid(raw: dict[str, Any]) -> None:
    nbformat.validate(raw)
    again = saved(raw)
    nbformat.validate(again)
    assert as_jupyter_reads(again) == as_jupyter_reads(raw)
    assert write(opened(again).notebook) == write(opened(raw).notebook)


@given(files(), st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_what_others_cells_hold_is_kept_where_one_is_changed(raw: dict[str, Any], data: st.DataObject) -> None:
    document = Document(opened(raw).notebook, "w")
    document.apply({"op": "add", "id": "our-own-new-cell", "after": None, "type": "code", "source": "1"})
    for cell in document.cells[1:2]:
        edit(document, cell["id"], "changed")
        document.apply(
            {"op": "type", "cell": cell["id"], "type": data.draw(st.sampled_from(["code", "markdown", "raw"]))}
        )
    again = json.loads(write(document.whole()))
    nbformat.validate(again)
    before, after = as_jupyter_reads(raw), as_jupyter_reads(again)
    assert after["metadata"] == before["metadata"]
    assert after["cells"][2:] == before["cells"][1:]
    for was, now in zip(before["cells"][:1], after["cells"][1:], strict=False):
        assert (now["id"], now["metadata"], now["source"]) == (was["id"], was["metadata"], "changed")


@given(st.recursive(JSON, lambda inner: st.lists(inner, max_size=3)), st.data())
@settings(max_examples=300)
def test_whatever_stands_anywhere_it_is_opened_or_refused(junk: Any, data: st.DataObject) -> None:
    """Wrong types anywhere: what is opened can be saved and opened again."""
    raw = data.draw(files())
    raw["cells"].append(code(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]))
    raw["cells"].append(
        {"cell_type": "markdown", "source": "", "metadata": {}, "attachments": {"a": {"image/png": ""}}}
    )
    place: Any = raw
    for _ in range(data.draw(st.integers(0, 5))):
        inner = list(place.values() if isinstance(place, dict) else place)
        inner = [each for each in inner if isinstance(each, dict | list) and each]
        if not inner:
            break
        place = data.draw(st.sampled_from(inner))
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    place[key] = junk
    try:
        first = opened(raw)
    except NotebookError as error:
        assert re.search(r"\w+ .*\.", str(error))
        return
    assert write(opened(write(first.notebook)).notebook) == write(first.notebook)


def test_fields_that_nobody_knows_are_kept() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["x"], "odd": 1}
    raw = file(code(outputs=[output], later=[1, {"two": 2}]), future={"a": None})
    again = saved(raw)
    assert again["future"] == {"a": None}
    assert again["cells"][0]["later"] == [1, {"two": 2}]
    assert again["cells"][0]["outputs"] == [output]
    assert saved(file(nbformat_minor=7))["nbformat_minor"] == 7


def test_a_text_is_held_as_the_editor_holds_it_and_saved_as_it_came() -> None:
    raw = file(code(source="one\r\ntwo\rthree"), code(id="b", source="half \ud83d"))
    document = Document(opened(raw).notebook, "w")
    assert [cell["source"] for cell in document.cells] == ["one\ntwo\nthree", "half \ufffd"]
    again = json.loads(write(document.whole()).encode())
    assert ["".join(cell["source"]) for cell in again["cells"]] == ["one\r\ntwo\rthree", "half \ud83d"]
    edit(document, "a", "one\ntwo")
    assert json.loads(write(document.whole()))["cells"][0]["source"] == ["one\n", "two"]


def test_outputs_of_a_file_are_not_trusted_whatever_it_says() -> None:
    output = {"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}, "trusted": True}
    raw = file(code(outputs=[output], metadata={"trusted": True}), metadata={"signature": "x", "kept": 1})
    notebook = opened(raw).notebook
    assert [each["trusted"] for each in notebook["cells"][0]["outputs"]] == [False]
    again = saved(raw)
    nbformat.validate(again)
    assert again["metadata"] == {"kept": 1}
    assert again["cells"][0]["metadata"] == {}
    document = Document(notebook, "w")
    document.started("a")
    assert document.cell("a")["outputs"] == []


@pytest.mark.parametrize("minor", range(5))
def test_older_minors_are_brought_up_to_date(minor: int) -> None:
    cell = code()
    del cell["id"]
    raw = file(cell, {**cell, "cell_type": "raw"}, nbformat_minor=minor)
    del raw["cells"][1]["outputs"], raw["cells"][1]["execution_count"]
    found = opened(raw)
    assert [each["id"] for each in found.notebook["cells"]] == ["new-1", "new-2"]
    assert found.notices == []
    nbformat.validate(saved(raw))
    assert saved(raw)["nbformat_minor"] == 5


def test_ids_are_mended_as_in_jupyter() -> None:
    raw = file(code(id="x"), code(id="x"), code(id="a b"), code(id="new-1"), code(id=7))
    found = opened(raw)
    assert [each["id"] for each in found.notebook["cells"]] == ["x", "new-2", "new-3", "new-1", "new-4"]
    assert found.notices == ["3 cells had an id that is not allowed or not their own, and got another."]
    nbformat.validate(saved(raw))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it mends
        jupyter = nbformat.reads(json.dumps(file(code(id="x"), code(id="x"))), as_version=4)
    assert jupyter.cells[0].id == "x" != jupyter.cells[1].id


def test_what_is_missing_and_does_no_harm_is_added() -> None:
    raw = file({"cell_type": "code"}, code(outputs=[{"output_type": "stream"}, {"output_type": "error"}]))
    del raw["metadata"]
    nbformat.validate(saved(raw))


def test_a_new_notebook_says_what_runs_it() -> None:
    """So Jupyter does not ask. What a file says, or does not, is left as it is."""
    written = json.loads(ipynb.write(new_notebook("n", [])))
    assert written["metadata"] == {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    new_notebook("one", [])["metadata"].clear()
    assert new_notebook("two", [])["metadata"] != {}, "each has its own"
    bare = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    assert json.loads(ipynb.write(opened(json.dumps(bare)).notebook))["metadata"] == {}


def test_a_new_notebook_is_valid() -> None:
    text = write(new_notebook("hello", [new_cell("a"), new_cell("b", "markdown", "# é 😀")]))
    nbformat.validate(json.loads(text))
    assert "é 😀" in text
    assert text.endswith("}\n")


def test_titles() -> None:
    heading = {"cell_type": "markdown", "metadata": {}, "source": ["text\n", "# The heading \n"]}
    assert opened(file(code(source="# no"), heading)).notebook["title"] == "The heading"
    assert opened(file(heading, metadata={"title": " Mine "})).notebook["title"] == "Mine"
    assert opened(file(metadata={"title": 3})).notebook["title"] == ""


def test_bytes_and_a_byte_order_mark() -> None:
    text = json.dumps(file(code(source="é")), ensure_ascii=False)
    for given_text in (text, text.encode(), "\ufeff" + text, text.encode("utf-8-sig")):
        assert opened(given_text).notebook["cells"][0]["source"] == "é"


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("", NotJson, "not JSON"),
        ("<html>", NotJson, "line 1, column 1"),
        (b"\xff\xfe\x00", NotJson, "UTF-8"),
        (json.dumps(file(code()))[:-5], NotJson, "saved to its end"),
        ('{"nbformat": 4, "cells": [], "metadata": {"x": NaN}}', NotJson, "NaN"),
        ('{"nbformat": 4, "cells": [], "metadata": {"x": -Infinity}}', NotJson, "-Infinity"),
        ('{"nbformat": 4, "cells": [], "metadata": {"x": 1e999}}', NotJson, "1e999"),
        ('{"nbformat": 4, "cells": [], "metadata": {"x": ' + "1" * 5000 + "}}", NotJson, "too long"),
        ("[]", NotANotebook, "no notebook"),
        ('{"cells": []}', NotANotebook, "nbformat"),
        ('{"nbformat": 3, "worksheets": []}', OtherFormat, "Open it in Jupyter"),
        ('{"nbformat": 5, "cells": []}', OtherFormat, "format 5"),
        ('{"nbformat": true, "cells": []}', Broken, "no number"),
        ('{"nbformat": "4", "cells": []}', Broken, "no number"),
        ('{"nbformat": 4, "nbformat_minor": -1, "cells": []}', Broken, "no number"),
        ('{"nbformat": 4}', Broken, "are nothing, not a list"),
        (file(metadata=[]), Broken, 'The notebook has a list for its "metadata"'),
        (file(code(), 3), Broken, "Cell 2 of this notebook is a number"),
        (file({"cell_type": "heading"}), Broken, "Cell 1 is of the type 'heading'"),
        (file(code(cell_type=["code"])), Broken, "type"),
        (file(code(source=7)), Broken, 'a number for its "source"'),
        (file(code(source=["a", 7])), Broken, 'a list for its "source"'),
        (file(code(metadata=None)), Broken, 'nothing for its "metadata"'),
        (file(code(execution_count="1")), Broken, "execution count"),
        (file(code(outputs={})), Broken, 'an object for its "outputs"'),
        (file(code(outputs=["x"])), Broken, "output 1"),
        (file(code(outputs=[{"output_type": "pyout"}])), Broken, "'pyout'"),
        (file(code(outputs=[{"output_type": "stream", "text": {}}])), Broken, "output 1 has an object"),
        (file(code(outputs=[{"output_type": "display_data", "data": []}])), Broken, "MIME"),
        (file(code(outputs=[{"output_type": "display_data", "data": {"text/html": 1}}])), Broken, '"text/html"'),
        (file(code(outputs=[{"output_type": "error", "traceback": [1]}])), Broken, "traceback"),
        (file({"cell_type": "markdown", "attachments": {"a.png": 1}}), Broken, "attachment 'a.png'"),
        (file(code(source="x" * (MAX_SOURCE + 1))), TooLarge, "1,000,001 characters"),
        (file(*[{}] * 100_000), TooLarge, "100,000 cells"),
        (file(*[{}] * 1_000_000), TooLarge, "500,000 lists and objects"),
        ('{"nbformat": 4, "cells": ' + "[" * 100_000, Broken, f"deeper than {MAX_DEPTH}"),
        ('{"a":' * 100_000, Broken, f"deeper than {MAX_DEPTH}"),
        ("[" * 100_000 + "]" * 100_000, Broken, f"deeper than {MAX_DEPTH}"),
        ("[}" * 100_000, NotJson, "not JSON"),
        ("]" * 100_000, NotJson, "not JSON"),
        ("[" * 20, NotJson, "not JSON"),
        (" " * (50 * MAX_BYTES // 20), TooLarge, "50 MB; 20 MB"),
    ],
    ids=lambda value: (
        value.__name__ if isinstance(value, type) else None if isinstance(value, str) and len(value) < 40 else ""
    ),
)
def test_hostile_files_are_refused_with_what_is_wrong(text: Any, kind: type[NotebookError], says: str) -> None:
    with pytest.raises(kind, match=re.escape(says)) as caught:
        opened(text)
    assert len(str(caught.value)) < 300
    assert caught.value.__cause__ is None


def nested(levels: int) -> dict[str, Any]:
    """A notebook whose arrays and objects stand so deep inside each other."""
    inner: Any = '[[[{{{ " [[ \\'
    for level in range(levels - 3):
        inner = [inner] if level % 2 else {"x": inner, "y": [], "z": {}}
    return file(metadata={"x": inner})


def test_limits_are_not_one_too_few() -> None:
    assert saved(nested(MAX_DEPTH))["metadata"] == nested(MAX_DEPTH)["metadata"]
    with pytest.raises(Broken, match="deeper"):
        opened(nested(MAX_DEPTH + 1))
    cells = [code(id=f"c{number}", source="x") for number in range(MAX_CELLS)]
    assert len(opened(file(*cells)).notebook["cells"]) == MAX_CELLS
    assert len(opened(file(code(source="x" * MAX_SOURCE))).notebook["cells"][0]["source"]) == MAX_SOURCE
    with pytest.raises(TooLarge):
        opened(file(*cells, code()))
