"""What tabs and the server say to a session, and what it answers, for its tests."""

from __future__ import annotations

import json
from typing import Any

from effects import Broadcast, Effect, Send, Tell
from partyline import protocol
from session import Session


def make_session(jitter: float = 0.5, *, worker: str = "w1", build: str = "") -> Session:
    return Session(worker=worker, random=lambda: jitter, about={"generation": 1, "python": "3.14"}, build=build)


def hello(*topics: str, tab: str | None = "t1", cursor: tuple[str, object] | None = None, **more: object) -> str:
    """A tab's hello; it holds a Web Lock unless ``locked`` says otherwise."""
    said = {"kind": "hello", "protocol": 1, "ref": 1, "tab": tab, "browser": "b1", "page": "room", "locked": True}
    said["cursor"] = None if cursor is None else {"epoch": cursor[0], "seq": cursor[1]}
    return json.dumps({**said, "topics": list(topics), **more})


def welcome(epoch: str = "e1", seq: int = 0, *, resumed: bool = False) -> str:
    return json.dumps(
        {
            "kind": "welcome",
            "protocol": 1,
            "browser": "b1",
            "epoch": epoch,
            "seq": seq,
            "resumed": resumed,
            "heartbeat": 15,
            "limits": {"frame": 1000, "topics": protocol.MAX_PATTERNS},
        }
    )


def events(seq: int, topic: str = "room", *seqs: int) -> str:
    body = json.dumps([{"seq": each, "data": each} for each in seqs or (seq,)])
    return protocol.encode({"kind": "events", "seq": seq, "topics": [[topic, len(seqs or (seq,))]]}, [body])


def snapshot(seq: int, *seqs: int, topic: str = "room", reason: str = "new") -> str:
    body = json.dumps([{"seq": each, "data": each} for each in seqs])
    return protocol.encode(
        {"kind": "snapshot", "epoch": "e1", "seq": seq, "topics": [[topic, len(seqs)]], "reason": reason}, [body]
    )


def subscribed(seq: int, *topics: str) -> str:
    return json.dumps({"kind": "subscribed", "topics": list(topics), "seq": seq})


def publish(event_id: str, topic: str = "room", data: object = "x") -> str:
    return json.dumps({"kind": "publish", "id": event_id, "topic": topic, "data": data})


def sent(effects: list[Effect]) -> list[dict[str, Any]]:
    """What goes to the server, but for the number of tabs."""
    frames = [json.loads(effect.text) for effect in effects if isinstance(effect, Send)]
    return [frame for frame in frames if frame["kind"] != "tabs"]


def tabs_told(effects: list[Effect]) -> list[int]:
    frames = [json.loads(effect.text) for effect in effects if isinstance(effect, Send)]
    return [frame["count"] for frame in frames if frame["kind"] == "tabs"]


def told(effects: list[Effect], port: int = 1) -> list[dict[str, Any]]:
    return [protocol.decode(effect.text)[0] for effect in effects if isinstance(effect, Tell) and effect.port == port]


def told_seqs(effects: list[Effect], port: int = 1) -> list[int]:
    """The seqs of all events that a tab is told over its port."""
    texts = [effect.text for effect in effects if isinstance(effect, Tell) and effect.port == port]
    return [event["seq"] for text in texts for body in text.split("\n")[1:] for event in json.loads(body)]


def broadcast(effects: list[Effect]) -> list[dict[str, Any]]:
    return [protocol.decode(effect.text.split("\n", 1)[1])[0] for effect in effects if isinstance(effect, Broadcast)]


def live_session(*topics: str) -> Session:
    """A session with one tab, whose topics are established at seq 10 of epoch e1."""
    session = make_session()
    session.tab_said(1, hello(*topics), 0.0)
    session.socket_opened(0.0)
    session.socket_said(welcome(seq=10), 0.0)
    for topic in topics:
        session.socket_said(snapshot(10, 9, 10, topic=topic), 0.0)
    session.socket_said(subscribed(10, *topics), 0.0)
    return session
