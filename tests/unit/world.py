"""A little world for the session's random schedules: a log, the server's side of a socket, tabs, and all between.

The server's side is made of the server's own pure parts (``Peer``, ``Window``, snapshots); only what is asynchronous
there is plain here. Everything on its way stands in a queue, and moves only when the schedule says so.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

from effects import Broadcast, Dial, Discard, Drop, Effect, Forget, HangUp, Keep, Retire, Send, Serve, Tell, Watch
from outbox import Record, read
from partyline import protocol
from partyline.follower import Follower
from partyline.store import Store
from partyline.topics import any_matches
from server import peer
from server.fanout import Window, encode_snapshot
from server.log import Event
from server.peer import Append, Peer, Say, Start, Subscribe, Unsubscribe
from session import Session

SNAPSHOT = 5


class Log:
    """The log's truth. ``history`` keeps what ``prune`` has removed, to compare with."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.history: list[Event] = []
        self.pruned = 0

    @property
    def last_seq(self) -> int:
        return self.history[-1].seq if self.history else 0

    def append(self, topic: str, event_id: str) -> tuple[int, bool]:
        for event in self.history:
            if (event.topic, event.id) == (topic, event_id):
                return event.seq, True
        self.history.append(Event(self.last_seq + 1, topic, 0.0, event_id, json.dumps(event_id)))
        return self.last_seq, False

    def after(self, seq: int) -> list[Event]:
        return [event for event in self.history if event.seq > max(seq, self.pruned)]

    def of(self, topic: str) -> list[Event]:
        return [event for event in self.history if event.topic == topic]


class Connection:
    """The server's side of one socket, as ``server/connection.py`` does it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.peer = Peer("b", max_frame=10_000, browser_of=lambda token: None)
        self.patterns: frozenset[str] = frozenset()
        self.position = 0
        self.started = False
        self.up: deque[str] = deque()
        self.down: deque[str] = deque()

    def receive(self, text: str) -> None:
        for effect in self.peer.receive(text):
            if isinstance(effect, Say):
                self.down.append(effect.text)
            elif isinstance(effect, Append):
                draft = effect.draft
                seq, duplicate = self.log.append(draft.topic, draft.id)
                self.down.append(peer.ack(self.log.epoch, draft.topic, draft.id, seq, duplicate))
            elif isinstance(effect, Start):
                self._start(effect)
            elif isinstance(effect, Subscribe):
                self._subscribe(effect.patterns, protocol.NEW)
            elif isinstance(effect, Unsubscribe):
                self.patterns -= effect.patterns

    def flush(self, most: int) -> None:
        if self.started and self.log.pruned > self.position:
            self._tell_gap()
        events = self.log.after(self.position)[:most]
        if self.started and events:
            self._send(events)

    def _tell_gap(self) -> None:
        topics = {event.topic for event in self.log.history if event.seq > self.position}
        self._snapshots([topic for topic in topics if any_matches(self.patterns, topic)], protocol.GAP)
        self.position = self.log.last_seq

    def _send(self, events: list[Event]) -> None:
        self.position = events[-1].seq
        message = Window(self.log.epoch, self.position, events).message(self.patterns)
        if message is not None:
            self.down.append(message)

    def _start(self, start: Start) -> None:
        self.started = True
        cursor = start.cursor
        resumed = cursor is not None and cursor[0] == self.log.epoch and cursor[1] <= self.log.last_seq
        self.position = self.log.last_seq
        welcome = {"kind": "welcome", "epoch": self.log.epoch, "seq": self.position, "resumed": resumed, "browser": "b"}
        self.down.append(
            json.dumps({**welcome, "heartbeat": 15, "limits": {"frame": 10_000, "topics": protocol.MAX_PATTERNS}})
        )
        if resumed and cursor is not None:
            self.patterns = start.resume
            self.position = cursor[1]
            if self.log.pruned > self.position:
                self._tell_gap()
            elif events := self.log.after(self.position):
                self._send(events)
        else:
            self._subscribe(start.resume, protocol.RESET)
        self._subscribe(start.subscribe, protocol.NEW)

    def _subscribe(self, patterns: frozenset[str], reason: str) -> None:
        topics = {event.topic for event in self.log.history if any_matches(patterns, event.topic)}
        self._snapshots(sorted(topics | {name for name in patterns if not name.endswith(".*")}), reason)
        self.patterns |= patterns
        self.down.append(json.dumps({"kind": "subscribed", "topics": sorted(patterns), "seq": self.position}))

    def _snapshots(self, topics: list[str], reason: str) -> None:
        until = self.log.last_seq if reason == protocol.GAP else self.position
        for topic in topics:
            kept = [event for event in self.log.of(topic) if self.log.pruned < event.seq <= until][-SNAPSHOT:]
            self.down.append(encode_snapshot(self.log.epoch, until, topic, kept, reason))


@dataclass
class TabModel:
    """A tab made of its pure parts, and what is on its way to it. ``worker`` is the generation that it follows."""

    store: Store
    locked: bool
    follower: Follower = field(default_factory=Follower)
    port: deque[str] = field(default_factory=deque)
    channel: deque[str] = field(default_factory=deque)
    acknowledged: set[str] = field(default_factory=set)
    established: set[str] = field(default_factory=set)
    pending: dict[str, str] = field(default_factory=dict)
    visible: bool = True
    worker: int = 0

    @property
    def settled(self) -> bool:
        return self.established >= set(self.store.patterns)


class World:
    """All of it, with a clock that is a number."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log = Log("epoch-1")
        self.vault: dict[str, Record] = {}
        self.left: dict[str, str] = {}  # what tabs that were closed had not seen acknowledged
        self.generation = 0
        self.session = self._new_session()
        self.connection: Connection | None = None
        self.dialling = False
        self.tabs: dict[int, TabModel] = {}
        self.published: dict[str, str] = {}
        self.opened: set[int] = set()  # the ports whose notebooks are open
        self._last_port = 0

    def _new_session(self) -> Session:
        self.generation += 1
        return Session(
            worker=f"w{self.generation}",
            random=lambda: 0.5,
            about={"python": "3.14"},
            letters=read(self.vault.values(), self.now).letters,
        )

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Dial():
                    assert not self.dialling
                    assert self.connection is None
                    self.dialling = True
                case HangUp():
                    self.connection, self.dialling = None, False
                case Send(text):
                    assert self.connection is not None
                    self.connection.up.append(text)
                case Tell(port, text):
                    if port in self.tabs and self.tabs[port].worker == self.generation:
                        self.tabs[port].port.append(text)
                case Broadcast(text):
                    for tab in self.tabs.values():
                        if tab.visible and tab.worker == self.generation:
                            tab.channel.append(text)
                case Keep(letter):
                    self.vault[letter.id] = letter.record(self.now)
                case Discard(event_id):
                    self.vault.pop(event_id, None)
                case Serve(port):
                    self.opened.add(port)
                case Forget(port):
                    self.opened.discard(port)
                case Watch() | Drop():
                    pass  # ``close_tab`` tells the session at once
                case Retire():
                    raise AssertionError("nobody has said that it shall")

    def tick(self) -> None:
        self.do(self.session.tick(self.now))

    # the network

    def answer(self) -> None:
        if self.dialling:
            self.dialling = False
            self.connection = Connection(self.log)
            self.do(self.session.socket_opened(self.now))

    def cut(self) -> None:
        if self.dialling or self.connection is not None:
            self.connection, self.dialling = None, False
            self.do(self.session.socket_closed(1006, "", self.now))

    def up(self) -> bool:
        if self.connection is None or not self.connection.up:
            return False
        self.connection.receive(self.connection.up.popleft())
        return True

    def down(self) -> bool:
        if self.connection is None or not self.connection.down:
            return False
        self.do(self.session.socket_said(self.connection.down.popleft(), self.now))
        return True

    # the tabs

    def open_tab(self, *topics: str, visible: bool = True, locked: bool = True) -> None:
        self._last_port += 1
        self.tabs[self._last_port] = TabModel(Store(topics, limit=50), locked, visible=visible, worker=self.generation)
        self.tabs[self._last_port].pending, self.left = self.left, {}
        self._hello(self._last_port)

    def close_tab(self, port: int) -> None:
        self.left.update(self.tabs[port].pending)
        if self.tabs[port].worker == self.generation:
            self.do(self.session.tab_gone(port, self.now))
        del self.tabs[port]

    def show_tab(self, port: int, visible: bool) -> None:
        tab = self.tabs[port]
        tab.visible = visible
        if not visible:
            tab.channel.clear()
        self._hello(port)

    def move_tab(self, port: int) -> None:
        """A tab has learnt that its worker is lost, and follows the next."""
        tab = self.tabs[port]
        if tab.worker != self.generation:
            tab.worker = self.generation
            tab.port.clear()
            tab.channel.clear()
            self._hello(port)

    def lose_worker(self) -> None:
        """The worker is gone, with all that was on its way between it and the server."""
        self.connection, self.dialling = None, False
        self.session = self._new_session()
        self.opened.clear()

    def publish(self, port: int, topic: str, event_id: str) -> None:
        self.published[event_id] = topic
        self.tabs[port].pending[event_id] = topic
        self._publish(port, event_id)

    def ping(self, port: int) -> None:
        self._say(port, {"kind": "ping"})

    def _publish(self, port: int, event_id: str) -> None:
        topic = self.tabs[port].pending[event_id]
        self._say(port, {"kind": "publish", "id": event_id, "topic": topic, "data": event_id})

    def _say(self, port: int, frame: dict[str, object]) -> None:
        if self.tabs[port].worker == self.generation:  # else it is said to nobody
            self.do(self.session.tab_said(port, json.dumps(frame), self.now))

    def deliver_port(self, port: int) -> bool:
        tab = self.tabs[port]
        if not tab.port:
            return False
        self._act(port, tab.follower.told(tab.port.popleft()))
        return True

    def deliver_channel(self, port: int) -> bool:
        tab = self.tabs[port]
        if not tab.channel:
            return False
        self._act(port, tab.follower.heard(tab.channel.popleft()))
        return True

    def _act(self, port: int, frames: list[tuple[dict[str, object], list[str]]]) -> None:
        tab = self.tabs[port]
        for header, bodies in frames:
            match header["kind"]:
                case protocol.EVENTS | protocol.SNAPSHOT:
                    tab.store.take(header, bodies)
                case protocol.CLEARED:
                    tab.store.clear()
                    tab.established.clear()
                case protocol.JOINED:
                    tab.established = set(header["established"])  # type: ignore[call-overload]
                    if not header["known"]:
                        self._say(port, {"kind": "notebook", "do": "open"})
                    if header["ref"] is not None:
                        for event_id in tab.pending:
                            self._publish(port, event_id)
                case protocol.SUBSCRIBED:
                    tab.established |= set(header["topics"])  # type: ignore[call-overload]
                case protocol.ACK:
                    tab.acknowledged.add(str(header["id"]))
                    tab.pending.pop(str(header["id"]), None)
                case protocol.PING:
                    self._say(port, {"kind": "pong"})
                case protocol.ERROR:
                    assert header["code"] == "hello_first", header
                    self._hello(port)
        if tab.follower.lost:
            self._hello(port)

    def _hello(self, port: int) -> None:
        tab = self.tabs[port]
        ref = tab.follower.hello()
        hello: dict[str, object] = {
            "kind": "hello",
            "protocol": 1,
            "ref": ref,
            "tab": f"t{port}",
            "browser": "b",
            "page": "p",
            "visible": tab.visible,
            "locked": tab.locked,
            "topics": tab.store.patterns,
            "cursor": {"epoch": tab.follower.epoch, "seq": tab.follower.seq} if tab.settled else None,
        }
        self._say(port, hello)

    # the end

    def settle(self) -> None:
        """Let everything heal: the network stays up, time goes by, all that is on its way arrives."""
        for port in list(self.tabs):
            self.move_tab(port)
        for turn in range(50):
            self.now += 0.5
            self.tick()
            if turn == 10:
                for port in list(self.tabs):
                    self.ping(port)
            if self.connection is not None and self.connection.started:
                self.connection.down.append(json.dumps({"kind": "heartbeat", "seq": self.connection.position}))
            self.flow()

    def flow(self) -> None:
        """Let all that is on its way arrive, and what that brings about too."""
        self.answer()
        moved = True
        while moved:
            moved = self.up() | self.down()
            if self.connection is not None:
                self.connection.flush(1000)
            for port in list(self.tabs):
                moved |= self.deliver_port(port) | self.deliver_channel(port)
