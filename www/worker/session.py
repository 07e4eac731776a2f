"""The line's client. Pure and synchronous: facts go in, effects come out; no socket, no timer, no clock.

    idle ──a tab──> connecting ──welcome──> live ──closed──> offline ──backoff──> connecting …
      ^                                      │                  └──final close code──> failed
      └────────no tab for a while────────────┘                    another worker took over──> retired

Facts are methods: what a tab said, what the socket did, that time went by. Each takes ``now`` (seconds of a monotonic
clock) and returns effects to be carried out in order; after each, call ``tick`` no later than ``next_wake`` says.

One cursor stands for all: every event up to ``cursor`` in the established topics is here. It moves with frames that
hold a whole window of the log, never within one, so that what follows it after a reconnect is exactly what is missing.
A worker that takes over from another has no cursor of its own: it takes the lowest that its first tabs bring with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from effects import Broadcast, Dial, Drop, Effect, Fault, Forget, HangUp, Hear, Retire, Send, Serve, Tell, Watch
from partyline import protocol
from partyline.protocol import ProtocolError
from publishing import CELLS, Publishing
from subscriptions import Subscriptions
from tabs import HIDDEN_SECONDS, Hello, Tab, Tabs, patterns_of

if TYPE_CHECKING:
    from outbox import Letter
    from partyline.protocol import Header

BACKOFF_BASE = 0.5
BACKOFF_CAP = 10.0
BACKOFF_DOUBLINGS = 5  # past the cap; without an end, the power would grow too large for a float within hours
STABLE_SECONDS = 5.0
IDLE_GRACE = 8.0  # a reload is shorter, on a weak laptop too; shorter than a topic's, so that the next tab resumes
WELCOME_TIMEOUT = 20.0
SILENCE_PERIODS = 2.5
RETURN_CAP = 60.0

GATHER_SECONDS = 0.3
"""So long a worker that took over waits for more tabs before it dials, so that it goes on from the lowest cursor."""

FAULTS = ("cut", "kill", "hang")


class Session:
    """All that the worker knows.

    Args:
        worker: this worker's own identity, told in every broadcast, so that tabs notice another one.
        random: gives a float in [0, 1), for the backoff's jitter.
        about: what the shell knows of the worker and tells in the diagnostics: ``python``, its version, for one.
        build: the hash of the files that the worker was made of.
        letters: what an earlier worker left to be sent, in order; they are kept already.
        outbox_trouble: why nothing that is published can be kept; empty where it can.
    """

    def __init__(
        self,
        *,
        worker: str,
        random: Callable[[], float],
        about: Mapping[str, object],
        build: str = "",
        letters: Iterable[Letter] = (),
        outbox_trouble: str = "",
    ) -> None:
        self.worker = worker
        self.about = about
        self.build = build
        self.state = "idle"
        self.message = ""
        self.epoch = ""
        self.cursor = 0
        self.sockets_opened = 0
        self.gaps = 0
        self.duplicates = 0
        self.dropped = 0
        self._random = random
        self._browser = ""
        self._server_build = ""
        self._identity: str | None = None
        self._tabs = Tabs()
        self._holding = 0  # so many cells run
        self._tabs_told = 0  # how many the server was told of
        self._tabs_shown = 0  # how many the tabs were told of
        self._topics = Subscriptions()
        self._cells: frozenset[str] = frozenset()  # the patterns that cells listen to
        self._publishing = Publishing(self._tabs, self._broadcast, letters, outbox_trouble)
        self._presence: Header | None = None
        self._number = 0  # of the last broadcast
        self._era = 0  # how often all was forgotten, for another log
        self._attempt = 0
        self._return_within = 0.0  # seconds, as a goodbye said; 0 where none came
        self._socket_open = False
        self._topic_limit = protocol.MAX_PATTERNS
        self._heartbeat = WELCOME_TIMEOUT / SILENCE_PERIODS
        self._live_since = 0.0
        self._dial_at: float | None = None
        self._silent_at: float | None = None
        self._idle_at: float | None = None
        self._digest_at = 0.0

    # facts: tabs

    def tab_said(self, port: int, text: str, now: float) -> list[Effect]:
        """A tab posted ``text`` over its port."""
        self._tabs.heard(port, now)
        try:
            header, _ = protocol.decode(text)
            kind = header["kind"]
            if kind == protocol.HELLO:
                return self._tab_hello(port, header, now)
            tab = self._tabs.get(port)
            if tab is None:
                raise ProtocolError("hello_first", f"A tab said {kind[:40]!r} before hello.")
            if kind == protocol.SUBSCRIBE:
                patterns = patterns_of(header)
                return [*self._want(port, tab, patterns), *self._tell_subscribed(port, tab, patterns & tab.patterns)]
            if kind == protocol.UNSUBSCRIBE:
                tab.patterns -= patterns_of(header)
                self._release_topics(now)
                return []
            if kind == protocol.PUBLISH:
                return self._publishing.publish(port, header)
            if kind == protocol.PING:
                return [Tell(port, protocol.encode({"kind": protocol.PONG, "worker": self.worker}))]
            if kind == protocol.PONG:
                return []
            if kind == protocol.FAULT:
                return self._fault(header.get("what"), now)
            if kind == protocol.ASK:
                return [Tell(port, protocol.encode(self._answer(header)))]
            if kind == protocol.NOTEBOOK:
                return [Serve(port, header)]
            if kind == protocol.BYE:
                return [*self.tab_gone(port, now), Drop(port)]
            raise ProtocolError("unknown_kind", f"The worker knows no {kind[:40]!r} from a tab.")
        except ProtocolError as error:
            return [Tell(port, protocol.encode({"kind": protocol.ERROR, "code": error.code, "message": error.message}))]

    def tab_gone(self, port: int, now: float) -> list[Effect]:
        """A tab was closed, or left the page."""
        if not self._tabs.leave(port):
            return []
        if not len(self._tabs) and self.state != "retired":
            self._idle_at = now + IDLE_GRACE
        self._release_topics(now)
        return self._tabs_changed()

    # facts: the socket

    def socket_opened(self, now: float) -> list[Effect]:
        """The WebSocket that was dialled is open."""
        self._socket_open = True
        self.sockets_opened += 1
        self._tabs_told = len(self._tabs)
        self._silent_at = now + WELCOME_TIMEOUT
        return self._say_hello()

    def _say_hello(self) -> list[Effect]:
        hello: Header = {
            "kind": protocol.HELLO,
            "protocol": protocol.VERSION,
            "identity": self._identity,
            "tabs": self._tabs_told,
            "cursor": {"epoch": self.epoch, "seq": self.cursor} if self.epoch else None,
            "resume": self._topics.patterns(established=True),
            "subscribe": self._topics.patterns(filled=False),
        }
        return [Send(protocol.encode(hello))]

    def superseded(self) -> list[Effect]:
        """Another worker has taken over: say and send nothing any more."""
        effects: list[Effect] = []
        if self._socket_open or self.state == "connecting":
            effects.append(HangUp(protocol.CLOSE_NORMAL, "another worker took over"))
        self._forget_socket()
        self._dial_at = self._idle_at = None
        self.state, self._publishing.live = "retired", False
        return [*effects, Retire()]

    def socket_said(self, text: str, now: float) -> list[Effect]:
        """The server sent ``text``."""
        self._silent_at = now + SILENCE_PERIODS * self._heartbeat
        try:
            header, bodies = protocol.decode(text)
            return self._server_frame(header, bodies, text, now)
        except (ProtocolError, KeyError, IndexError, TypeError, ValueError) as error:
            # what it held is not known, so the cursor must not move past it: ask for it again
            self.dropped += 1
            reason = f"a frame could not be understood: {error!r}"
            return [HangUp(protocol.CLOSE_SILENT, "frame not understood"), *self._lost(reason, now)]

    def socket_closed(self, code: int, reason: str, now: float) -> list[Effect]:
        """The WebSocket is closed, or could not be opened."""
        if code in protocol.FINAL_CLOSE_CODES:
            self._forget_socket()
            self._dial_at = None
            return self._become("failed", reason or f"the server closed the line for good (code {code})")
        return self._lost(reason, now)

    # facts: cells

    def cells_want(self, patterns: Collection[str], now: float) -> tuple[list[Effect], str]:
        """What all cells together listen to from now on; or as before, where that is too much: the text says so."""
        effects, refusal = self._add_topics(patterns)
        if not refusal:
            self._cells = frozenset(patterns)
            self._release_topics(now)
        return effects, refusal

    def cells_publish(self, event_id: str, topic: str, data: object) -> list[Effect]:
        """A cell publishes; what becomes of it is told to the port ``CELLS``."""
        return self._publishing.publish(CELLS, {"id": event_id, "topic": topic, "data": data})

    @property
    def outbox_full(self) -> bool:
        """Whether what is published now would be refused, for too much waits to be sent."""
        return self._publishing.full

    def cells_hold(self, on: bool) -> list[Effect]:
        """A cell begins, or has ended: inside one long computation of its, nothing is heard."""
        was = self._holding > 0
        self._holding += 1 if on else -1
        return [] if was == (self._holding > 0) else self._tell_hold(on)

    def _tell_hold(self, on: bool) -> list[Effect]:
        # not over the channel: a hidden tab has left it, and one that says hello does not heed it until it is answered
        frame = protocol.encode({"kind": protocol.HOLD, "on": on})
        return [Tell(port, frame) for port in self._tabs]

    def kept(self, pattern: str) -> list[tuple[str, str]] | None:
        """The last events of a pattern's topics, each a topic and a JSON array's text; None until they are here."""
        if pattern not in self._topics.patterns(filled=True):
            return None
        return [(topic, ring.body()) for topic, ring in self._topics.kept([pattern])]

    # facts: the outbox's home

    def outbox_trouble(self, why: str) -> list[Effect]:
        """What is published cannot be kept beyond this worker's life; with an empty text: it is again."""
        return self._publishing.home_failed(why)

    def outbox_expired(self, count: int) -> list[Effect]:
        """So many letters of an earlier worker were too old, and will not be sent."""
        return self._publishing.expired(count)

    # facts: time and the network

    def online(self, now: float) -> list[Effect]:
        """The browser says that the network is back."""
        return self._hurry(now)

    def next_wake(self) -> float | None:
        """When ``tick`` must be called at the latest; None for not at all."""
        times = [self._dial_at, self._silent_at, self._idle_at, self._topics.next_expiry(), self._tabs.next_due()]
        times += [self._publishing.next_due()]
        times += [self._digest_at if any(tab.told != self._number for _, tab in self._tabs.hidden()) else None]
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> list[Effect]:
        """Time went by: do what is due."""
        effects: list[Effect] = [Tell(port, protocol.encode({"kind": protocol.PING})) for port in self._tabs.quiet(now)]
        for port in self._tabs.gone(now):
            effects += [*self.tab_gone(port, now), Forget(port)]
        if self._idle_at is not None and self._idle_at <= now and len(self._publishing) and self.state != "failed":
            self._idle_at = now + IDLE_GRACE  # what was typed goes first
        if self._idle_at is not None and self._idle_at <= now:
            self._idle_at = self._dial_at = None
            if self._socket_open or self.state == "connecting":
                effects.append(HangUp(protocol.CLOSE_NORMAL, "no tab is left"))
            self._forget_socket()
            effects += self._become("idle")
        if self._silent_at is not None and self._silent_at <= now:
            effects += [HangUp(protocol.CLOSE_SILENT, "the server is silent"), *self._lost("the server is silent", now)]
        if self._dial_at is not None and self._dial_at <= now:
            effects += self._dial(now)
        effects += self._publishing.tick(now)
        if self._digest_at <= now:
            effects += self._digest(now)
        return effects + self._tell_expired(self._topics.expire(now))

    def _digest(self, now: float) -> list[Effect]:
        """Tell the hidden tabs what came since they were told last."""
        effects: list[Effect] = []
        for port, tab in self._tabs.hidden():
            if tab.told != self._number:
                seq = tab.seq if tab.era == self._era else None
                effects += self._tell_all(port, tab, seq, None, True)
                self._digest_at = now + HIDDEN_SECONDS
        return effects

    def diagnostics(self) -> dict[str, Any]:
        """What the session knows of itself, in numbers and names."""
        return {
            **self.about,
            "worker": self.worker,
            "object": id(self),
            "state": self.state,
            "epoch": self.epoch,
            "seq": self.cursor,
            "tabs": len(self._tabs),
            "hidden": len(list(self._tabs.hidden())),
            "topics": self._topics.patterns(),
            "sockets_opened": self.sockets_opened,
            "gaps": self.gaps,
            "duplicates": self.duplicates,
            "dropped": self.dropped,
            "outbox": len(self._publishing),
            "outbox_trouble": self._publishing.trouble,
        }

    # tabs

    def _tab_hello(self, port: int, header: Header, now: float) -> list[Effect]:
        hello = Hello.read(header, now)
        tab, epoch, seq = hello.tab, hello.epoch, hello.seq
        self._browser = self._browser or hello.browser
        known = self._tabs.get(port)
        effects: list[Effect] = [Forget(other) for other in self._tabs.join(port, tab)]
        self._idle_at = None
        effects += [Watch(port, tab.id)] if tab.locked and (known is None or not known.locked) else []
        effects += self._tabs_changed()
        effects += self._want(port, tab, hello.patterns)
        self._release_topics(now)  # it may have said hello before, and wanted others
        adopting = bool(epoch) and not self.sockets_opened and self.epoch in ("", epoch)
        if adopting:  # it has all up to there from an earlier worker
            self.cursor = min(self.cursor, seq) if self.epoch else seq
            self.epoch = epoch
            self._topics.adopt(tab.patterns, seq)
        seq_here = seq if epoch and epoch == self.epoch else None
        effects += self._tell_all(port, tab, seq_here, header.get("ref"), known is not None)
        if self.state != "idle":
            return effects + (self._hurry(now) if tab.visible else [])
        if not adopting and self._dial_at is None:
            return effects + self._dial(now)
        self._dial_at = now + GATHER_SECONDS if self._dial_at is None else self._dial_at
        return effects

    def _fault(self, what: object, now: float) -> list[Effect]:
        if what not in FAULTS:
            raise ProtocolError("bad_fault", f"A fault is one of: {', '.join(FAULTS)}.")
        if what != "cut":  # the tabs are not to take it for a long computation
            return [*([] if self._holding == 0 else self._tell_hold(False)), Fault(str(what))]
        if not self._socket_open:
            return []
        return [HangUp(protocol.CLOSE_NORMAL, "cut, as a tab asked"), *self._lost("cut, as a tab asked", now)]

    def _tell_all(self, port: int, tab: Tab, seq: int | None, ref: object, known: bool) -> list[Effect]:
        """Tell a tab how all stands, and the events that it wants: those after ``seq``, or all that are kept.

        It is the answer to the hello of this ``ref``, or, without one, told unasked. A tab that was not ``known`` until
        then has no notebook open: it has just come, or was taken for gone.
        """
        complete = self._topics.complete(seq)
        joined: Header = {
            "kind": protocol.JOINED,
            "worker": self.worker,
            "ref": ref,
            "known": known,
            "hold": self._holding > 0,
            "n": self._number,
            "era": self._era,
            "epoch": self.epoch,
            "python": self.about["python"],
            "line": self._line_frame(),
            "tabs": len(self._tabs),
            "established": complete,
            "presence": self._presence,
            "outbox": len(self._publishing),
        }
        tab.told, tab.era = self._number, self._era
        tab.seq = self.cursor if tab.patterns.issubset(complete) else None
        effects, topics, bodies = self._kept(port, tab.patterns, seq)
        if self.epoch:  # without a topic, too: it moves the tab's cursor
            effects.append(Tell(port, protocol.encode(self._told_header(protocol.EVENTS, topics), bodies)))
        return [Tell(port, protocol.encode(joined)), *effects, *self._publishing.joined(port)]

    def _tell_subscribed(self, port: int, tab: Tab, patterns: set[str]) -> list[Effect]:
        """Tell a tab what is kept of these patterns. Its cursor stays: of other topics more may be on the way to it."""
        ready = patterns.intersection(self._topics.patterns(filled=True))
        tab.seq = tab.seq if ready == patterns else None
        effects, _, _ = self._kept(port, patterns, None)
        if ready:  # the others are told to all, when they are
            frame = {"kind": protocol.SUBSCRIBED, "topics": sorted(ready), "seq": self.cursor}
            effects.append(Tell(port, protocol.encode(frame)))
        return effects

    def _kept(self, port: int, patterns: set[str], seq: int | None) -> tuple[list[Effect], list[list[Any]], list[str]]:
        """Snapshots for a tab that has all up to ``seq``, or nothing; and topics and bodies of what just follows it."""
        known: list[list[Any]] = []
        bodies: list[str] = []
        effects: list[Effect] = []
        for topic, ring in self._topics.kept(patterns):
            if seq is not None and ring.since <= seq:
                count, body = ring.after(seq)
                if count:
                    known.append([topic, count])
                    bodies.append(body)
            else:
                header = self._told_header(protocol.SNAPSHOT, [[topic, ring.count]])
                header["reason"] = protocol.NEW if seq is None else protocol.GAP
                effects.append(Tell(port, protocol.encode(header, [ring.body()])))
        return effects, known, bodies

    def _told_header(self, kind: str, topics: list[list[Any]]) -> Header:
        return {"kind": kind, "epoch": self.epoch, "seq": self.cursor, "topics": topics, "era": self._era}

    def _want(self, port: int, tab: Tab, patterns: set[str]) -> list[Effect]:
        effects, refusal = self._add_topics(patterns)
        if refusal:
            frame: Header = {"kind": protocol.ERROR, "code": "too_many_topics", "message": refusal}
            return [*effects, Tell(port, protocol.encode(frame))]
        tab.patterns |= patterns
        return effects

    def _add_topics(self, patterns: Collection[str]) -> tuple[list[Effect], str]:
        """Have these topics; or none of them where they are too many, and say so."""
        effects: list[Effect] = []
        if len({*patterns, *self._topics.patterns()}) > self._topic_limit:
            # a hello with too many would be refused, and the line be dead for all tabs
            effects += self._tell_expired(self._topics.expire(math.inf, keep=patterns))
        if len({*patterns, *self._topics.patterns()}) > self._topic_limit:
            limit = self._topic_limit
            return effects, f"All tabs together may have {limit} topics; these are too many, and none was added."
        new = self._topics.add(patterns)
        if new and self._socket_open:
            effects.append(Send(protocol.encode({"kind": protocol.SUBSCRIBE, "topics": new})))
        return effects, ""

    def _answer(self, header: Header) -> Header:
        answer: Header = {"kind": protocol.ANSWER, "ref": header.get("ref")}
        if header.get("what") == "diagnostics":
            return {**answer, "value": self.diagnostics()}
        return {**answer, "error": f"the worker cannot tell {str(header.get('what'))[:40]!r}"}

    def _tell_expired(self, expired: list[str]) -> list[Effect]:
        if not expired or not self._socket_open:
            return []
        return [Send(protocol.encode({"kind": protocol.UNSUBSCRIBE, "topics": expired}))]

    def _release_topics(self, now: float) -> None:
        """Keep what no tab wants any more for a time of grace only."""
        self._topics.release(self._tabs.wanted() | self._cells, now)

    # the server's frames

    def _server_frame(self, header: Header, bodies: list[str], text: str, now: float) -> list[Effect]:
        kind = header["kind"]
        if kind == protocol.EVENTS:
            if header["seq"] <= self.cursor:
                self.duplicates += sum(count for _, count in header["topics"])
                return []
            self._topics.take(header, bodies)
            self.cursor = header["seq"]
            return [*self._hear(header, bodies), self._broadcast(text)]
        if kind == protocol.SNAPSHOT:
            self._topics.take(header, bodies)
            self.gaps += header["reason"] == protocol.GAP
            return [*self._hear(header, bodies), self._broadcast(text)]
        if kind == protocol.SUBSCRIBED:
            self.cursor = max(self.cursor, header["seq"])
            self._topics.establish(header["topics"], header["seq"])
            return [self._broadcast(text)]
        if kind == protocol.HEARTBEAT:
            self.cursor = max(self.cursor, header["seq"])
            # told on, so that a tab that missed the last broadcast sees the hole
            return [Send(protocol.encode({"kind": protocol.ALIVE})), self._broadcast(text)]
        if kind == protocol.PRESENCE:
            self._presence = header
            return [self._broadcast(text)]
        if kind == protocol.WELCOME:
            return self._welcome(header, now)
        if kind == protocol.ACK:
            return self._publishing.acknowledged(header, text)
        if kind == protocol.ERROR:
            return self._refused(header, text, now)
        if kind == protocol.GOODBYE:
            self._return_within = min(float(header.get("within", 0)), RETURN_CAP)
        return []  # a kind that is not known is from a newer server

    def _hear(self, header: Header, bodies: list[str]) -> list[Effect]:
        if not self._cells:
            return []
        topics = [topic for topic, _ in header["topics"]]
        return [Hear(list(zip(topics, bodies, strict=True)), header.get("reason", ""))]

    def _welcome(self, header: Header, now: float) -> list[Effect]:
        self._browser = str(header["browser"])
        self._identity = header.get("identity")
        self._server_build = str(header.get("build", ""))
        self._heartbeat = float(header["heartbeat"])
        self._publishing.frame_limit = int(header["limits"]["frame"])
        self._topic_limit = int(header["limits"]["topics"])
        if not header["resumed"]:
            if self.epoch:
                self._era += 1
            self._topics.forget()
            self.cursor = 0
        self.epoch = str(header["epoch"])
        self._live_since = now
        self._silent_at = now + SILENCE_PERIODS * self._heartbeat
        return [*self._become("live"), *self._tell_tabs(), *self._publishing.send_all()]

    def _refused(self, header: Header, text: str, now: float) -> list[Effect]:
        if header.get("code") == "bad_identity" and self._identity is not None:
            self._identity = None  # the servers' secret is another one now: be a new browser rather than none
            return self._say_hello()
        effects = self._publishing.refused(header, text, now)
        if effects is None:
            self.dropped += header["code"] != "slowed"  # which loses nothing
            return []
        return effects

    # the line's state

    @property
    def _live(self) -> bool:
        return self.state == "live"

    def _dial(self, now: float) -> list[Effect]:
        self._dial_at = None
        self._silent_at = now + WELCOME_TIMEOUT
        return [*self._become("connecting"), Dial()]

    def _hurry(self, now: float) -> list[Effect]:
        """Somebody waits, or the network is back: dial at once rather than after the backoff."""
        return self._dial(now) if self._dial_at is not None and self.state != "idle" else []

    def _lost(self, reason: str, now: float) -> list[Effect]:
        """The socket is gone. Dial again while a tab is there: after an exponential backoff with full jitter, or, where
        the server said goodbye, at a random moment of the time over which it spreads its clients' return."""
        stable = self._live and now - self._live_since >= STABLE_SECONDS
        self._attempt = 0 if stable else self._attempt + 1
        self._forget_socket()
        if not self._tabs and self._idle_at is None:
            return self._become("idle")
        backoff = min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(self._attempt, BACKOFF_DOUBLINGS))
        within = self._return_within if self._return_within > 0 else backoff
        self._return_within = 0.0
        self._dial_at = now + self._random() * within
        return self._become("offline", reason)

    def _forget_socket(self) -> None:
        self._socket_open = False
        self._silent_at = None
        self._presence = None
        self._topics.socket_lost()

    def _become(self, state: str, message: str = "") -> list[Effect]:
        self.state, self.message = state, message
        self._publishing.live = self._live
        return [self._broadcast(protocol.encode(self._line_frame())), *self._publishing.tell()]

    def _line_frame(self) -> Header:
        line: Header = {"kind": protocol.LINE, "state": self.state, "message": self.message, "browser": self._browser}
        return {**line, "build": self._server_build or self.build}

    def _tabs_changed(self) -> list[Effect]:
        if self._tabs_shown == len(self._tabs):
            return self._tell_tabs()  # a tab that says hello anew is no news for the others
        self._tabs_shown = len(self._tabs)
        return [self._broadcast(self._tabs_frame()), *self._tell_tabs()]

    def _tell_tabs(self) -> list[Effect]:
        """Tell the server how many tabs there are, if it knows another number."""
        if not self._live or self._tabs_told == len(self._tabs):
            return []
        self._tabs_told = len(self._tabs)
        return [Send(self._tabs_frame())]

    def _tabs_frame(self) -> str:
        return protocol.encode({"kind": protocol.TABS, "count": len(self._tabs)})

    def _broadcast(self, frame: str) -> Broadcast:
        self._number += 1
        return Broadcast(protocol.envelope(self._number, self._era, self.epoch, self.worker, frame))
