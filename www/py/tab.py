"""A tab's end of the line.

It joins its worker, is told what is there, then follows what is told to all. What arrives changes the state kept here;
the page's ``draw`` is called once per animation frame, however much has arrived (pace.py). While nobody sees the tab it
does not follow, and is told every two seconds what came.

    line = Tab("room", ["room"], draw)      # draw() reads line.state, line.store, …
    line.start()
"""

import gc
import json
import sys
import time

from pyscript import document, ffi, window

from pace import Pace
from partyline import protocol
from partyline.follower import Follower
from partyline.store import Store
from worker import Worker

ASK_SECONDS = 10
FLOWING = (protocol.EVENTS, protocol.HEARTBEAT, protocol.PING, protocol.HOLD)  # what alone is no reason to draw at once
LEFT = "partyline-left"
LEFT_SECONDS = 600

# MicroPython looks for garbage after every 16 KB, which takes 2 ms where there are hundreds of cells: a fifth of all
# time where a thousand events a second come
gc.threshold(2**20)


class Tab:
    """One tab.

    Args:
        page: the page's name, told to the worker.
        patterns: the topics wanted; ``host.*`` stands for all below ``host``.
        draw: a function without arguments that shows the state; called when something changed.

    State to draw: ``state`` is booting, connecting, live, offline or failed; ``message`` says why; ``loaded`` and
    ``total`` are bytes while booting; ``python`` is the version in the worker, empty until it is there; ``tabs``,
    ``browsers`` and ``sockets`` are counts, None while not known; ``store`` holds the events, ``settled`` says whether
    their history is here; ``outdated`` says that the server has newer files than this page was made of; ``pending``
    holds by id what was published and is not acknowledged, ``outbox`` counts all of it in this browser, of other tabs
    and of those closed since; ``refused`` says what the worker or the server refused last.
    """

    def __init__(self, page: str, patterns: "list[str]", draw: "object") -> None:
        self.page = page
        self.store = Store(patterns)
        self.era = 0
        self.state = "booting"
        self.message = ""
        self.loaded = 0
        self.total = 0
        self.python = ""
        self.tabs = None
        self.browsers = None
        self.sockets = None
        self.pending = {}
        self.outbox = 0
        self.refused = ""
        self.outdated = False
        self.browser = document.documentElement.dataset.browser  # its public id; the server knows it by a cookie
        self._draw = draw
        self._pace = Pace(self._show, window, ffi.create_proxy)
        self._shown_state = None
        self._marked_live = False
        self._established = []
        self._follower = Follower()
        self._id = window.workers.tab
        self._worker = Worker(self._id, self._followed, self._told, self._heard, self._fail, self.changed)
        self._handlers = {
            protocol.BOOTING: self._booting,
            protocol.FAILED: self._failed,
            protocol.JOINED: self._joined,
            protocol.SUBSCRIBED: self._subscribed,
            protocol.SNAPSHOT: self._take,
            protocol.EVENTS: self._take,
            protocol.ACK: self._acknowledged,
            protocol.ERROR: self._refused,
            protocol.ANSWER: self._answered,
            protocol.LINE: self._line,
            protocol.PRESENCE: self._presence,
            protocol.TABS: self._counted,
            protocol.OUTBOX: self._waits,
            protocol.CLEARED: self._cleared,
            protocol.NOTEBOOK: self._notebook,
            protocol.HOLD: lambda header, bodies: self._worker.hold(header["on"]),
        }
        self.on_followed = None  # a function that is called where another worker is followed, or the same one anew
        self.on_joined = None  # one that is called after each join, with the worker's identity
        self.on_notebook = None  # and with each frame of kind notebook
        self._asks = {}
        self._last_ask = 0
        self._promise = None

    def start(self) -> None:
        """Join the worker. The page answers to clicks from here on; Python in the worker may be long in coming."""
        window.performance.mark("ui-ready")
        tools = {"diagnostics": ffi.create_proxy(self._diagnostics), "fault": ffi.create_proxy(self._fault)}
        window.partyline = ffi.to_js(tools)
        self._take_left()
        self._worker.listen(not document.hidden)
        self._worker.start()
        this = window.self  # in MicroPython `window` is a module, whose functions are not bound to the window
        this.addEventListener("pagehide", ffi.create_proxy(self._leave))
        this.addEventListener("pageshow", ffi.create_proxy(self._shown))
        document.addEventListener("visibilitychange", ffi.create_proxy(self._visibility))
        document.addEventListener("resume", ffi.create_proxy(lambda event: self._worker.woke()))
        self.changed()

    def publish(self, topic: str, data: "object") -> "str | None":
        """Publish an event; returns its id, which stays in ``pending`` until it is in the server's log.

        Where the line has failed for good, nothing is published, ``refused`` says so, and None is returned.
        """
        if self.state == "failed":
            self.refused = "This was not sent: the line has failed."
            self.changed()
            return None
        event_id = random_id()
        self.pending[event_id] = (topic, data)
        self.refused = ""
        self._send(event_id)
        self.changed()
        return event_id

    def want(self, topic: str) -> None:
        """Have this topic's events in ``store``, too, from now on."""
        if topic not in self.store.patterns:
            self.store.patterns.append(topic)
            self._worker.post({"kind": protocol.SUBSCRIBE, "topics": [topic]})

    def post(self, frame: dict) -> None:
        """Say something to the worker; while there is none, it is lost: see ``on_followed``."""
        self._worker.post(frame)

    def post_file(self, frame: dict, file: "object", failed: "object") -> None:
        """Say something to the worker with a file's text in it; ``failed`` hears why it could not be read."""
        self._worker.post_file(frame, file, failed)

    def replace_worker(self) -> None:
        """Have all tabs follow a new worker: this one cannot be stopped otherwise. What is kept, and sent, goes on."""
        self._worker.replace()

    @property
    def silent(self) -> bool:
        """Whether the worker answers nothing, since one of its cells holds it up: all that is shown may be old."""
        return self._worker.silent

    @property
    def alone(self) -> bool:
        """Whether this browser has its tabs share nothing, so that each has a worker of its own."""
        return self._worker.alone

    @property
    def settled(self) -> bool:
        """Whether the history of all wanted topics is here."""
        return all(pattern in self._established for pattern in self.store.patterns)

    def changed(self) -> None:
        """Have the page drawn, once, at the next frame."""
        self._pace.soon()

    def _show(self) -> None:
        if self._shown_state != self.state:
            self._shown_state = self.state
            document.documentElement.dataset.line = self.state
        try:
            self._draw()
        except Exception as error:  # one thing that can't be shown must not stop the rest
            sys.print_exception(error)
        if self.state == "live" and self.settled and not self._marked_live:
            self._marked_live = True
            window.performance.mark("line-live")

    # the port

    def _followed(self) -> None:
        """A worker that does not know this tab: nothing that was said before comes to it."""
        self._unknown()
        self._hello()

    def _unknown(self) -> None:
        if self.on_followed is not None:
            self.on_followed()

    def _hello(self) -> None:
        ref = self._follower.hello()
        cursor = {"epoch": self._follower.epoch, "seq": self._follower.seq} if self.settled else None
        self._worker.post(
            {
                "kind": protocol.HELLO,
                "protocol": protocol.VERSION,
                "ref": ref,
                "tab": self._id,
                "browser": self.browser,
                "page": self.page,
                "visible": not document.hidden,
                "locked": window.workers.locked,
                "cursor": cursor,
                "topics": self.store.patterns,
            }
        )

    def _send(self, event_id: str) -> None:
        topic, data = self.pending[event_id]
        self._worker.post({"kind": protocol.PUBLISH, "id": event_id, "topic": topic, "data": data})

    def _take_left(self) -> None:
        """Publish what a tab that was closed had not seen acknowledged: its worker may have been lost just then."""
        left = kept_left()
        if left:
            fresh = time.time() - LEFT_SECONDS  # what is older was sent, or its worker kept it: this is for the moment
            self.pending.update({key: (topic, data) for key, (topic, data, at) in left.items() if at > fresh})
            window.workers.keep(LEFT, "{}")

    def _leave(self, event: "object") -> None:
        if self.pending:
            left = kept_left()
            at = time.time()
            left.update({event_id: (topic, data, at) for event_id, (topic, data) in self.pending.items()})
            window.workers.keep(LEFT, json.dumps(left))
        self._worker.stop()  # a page that holds nothing open may wait in the back/forward cache

    def _shown(self, event: "object") -> None:
        if event.persisted:  # back from there: join anew, and be told what was missed
            self._worker.start()

    def _visibility(self, event: "object") -> None:
        self._worker.listen(not document.hidden)
        if not document.hidden:
            self._worker.woke()
        self._hello()  # the answer tells what is missing
        self._pace.turned()

    def _told(self, text: str) -> None:
        """The worker posted ``text`` to this tab alone."""
        frames = self._follower.told(text)
        self._worker.word(not frames or frames[0][0]["kind"] not in (protocol.BOOTING, protocol.FAILED))
        self._act(frames)

    def _heard(self, text: str) -> None:
        """The worker posted ``text`` to all tabs."""
        self._act(self._follower.heard(text))

    def _act(self, frames: "list") -> None:
        for header, bodies in frames:
            handle = self._handlers.get(header["kind"])
            if handle is not None:
                handle(header, bodies)
            elif header["kind"] == protocol.PING:
                self._worker.post({"kind": protocol.PONG})
        if self._follower.lost:
            self._hello()  # something was missed, or another worker took over: join anew
        if any([header["kind"] not in FLOWING for header, _ in frames]):
            self.changed()
        elif frames:
            self._pace.flow()

    def _booting(self, header: dict, _: "list[str]") -> None:
        self.state = "booting"  # it may have failed before, and try again
        self.loaded, self.total = header["loaded"], header["total"]
        if header.get("anew"):  # a worker that has just begun, on the channel of one before: it knows of no tab
            self._followed()

    def _failed(self, header: dict, _: "list[str]") -> None:
        self._worker.gave_up()
        self._fail(f"Python could not start in the worker: {header['message']}")

    def _joined(self, header: dict, bodies: "list[str]") -> None:
        self.python = header["python"]
        self.tabs = header["tabs"]
        self.outbox = header["outbox"]
        self._established = header["established"]  # another worker's cursor may not speak for all that this tab knows
        self._line(header["line"], bodies)
        if header["presence"]:
            self._presence(header["presence"], bodies)
        if header["ref"] is not None:  # what became of them may have been told while we were away
            for event_id in self.pending:
                self._send(event_id)
        self._worker.hold(header["hold"])
        if not header["known"]:  # it may have taken us for gone, while we slept, and we said hello before we knew
            self._unknown()
        if self.on_joined is not None:
            self.on_joined(header["worker"])

    def _notebook(self, header: dict, _: "list[str]") -> None:
        if self.on_notebook is not None:
            self.on_notebook(header)

    def _acknowledged(self, header: dict, _: "list[str]") -> None:
        self.pending.pop(header["id"], None)

    def _refused(self, header: dict, _: "list[str]") -> None:
        if header["code"] == "hello_first":  # it is another worker than we thought, or took us for gone
            self._followed()
            return
        self.pending.pop(header.get("id"), None)
        self.refused = header["message"]

    def _answered(self, header: dict, _: "list[str]") -> None:
        answer = self._asks.pop(header["ref"], None)
        if answer is not None:
            answer(header)

    def _counted(self, header: dict, _: "list[str]") -> None:
        self.tabs = header["count"]

    def _waits(self, header: dict, _: "list[str]") -> None:
        self.outbox = header["count"]

    def _cleared(self, *_: "object") -> None:
        self.store.clear()
        self._established = []
        self.era += 1

    def _subscribed(self, header: dict, _: "list[str]") -> None:
        self._established = self._established + [name for name in header["topics"] if name not in self._established]

    def _take(self, header: dict, bodies: "list[str]") -> None:
        self.store.take(header, bodies)

    def _line(self, header: dict, _: "list[str]") -> None:
        state = header["state"]
        self.state = "connecting" if state == "idle" else state
        self.message = header["message"]
        self.browser = header["browser"] or self.browser
        self.outdated = self.outdated or header["build"] != document.documentElement.dataset.build
        if state != "live":
            self.browsers = self.sockets = None

    def _presence(self, header: dict, _: "list[str]") -> None:
        self.browsers, self.sockets = header["browsers"], header["sockets"]

    def _fail(self, message: str) -> None:
        self.state, self.message = "failed", message
        self.changed()

    # questions

    def _diagnostics(self, *_: "object") -> "object":
        """window.partyline.diagnostics(): a Promise of what the worker's session knows of itself."""
        self._last_ask += 1
        ref = self._last_ask

        def ask(resolve: "object", reject: "object") -> None:
            def late(*_: "object") -> None:
                if self._asks.pop(ref, None) is not None:
                    reject(f"the worker gave no answer within {ASK_SECONDS} s")

            def answer(header: dict) -> None:
                if "value" in header:
                    value = header["value"]
                    value["tab"] = self._own_diagnostics()
                    resolve(window.JSON.parse(json.dumps(value)))
                else:
                    reject(header["error"])

            self._asks[ref] = answer
            window.setTimeout(ffi.create_proxy(late), ASK_SECONDS * 1000)
            self._worker.post({"kind": protocol.ASK, "ref": ref, "what": "diagnostics"})

        # held here, or MicroPython may collect the garbage as the call ends, before JavaScript has what is returned
        self._promise = window.Promise.new(ffi.create_proxy(ask))
        return self._promise

    def _own_diagnostics(self) -> dict:
        """What this tab knows of itself; of each topic the first and last seq it took, and how many events."""
        return {
            "id": self._id,
            "rung": self._worker.rung,
            "gaps": self.store.gaps,
            "duplicates": self.store.duplicates,
            "taken": {topic: list(self.store.taken(topic)) for topic in self.store.topics()},
        }

    def _fault(self, what: str) -> None:
        """window.partyline.fault(): have the worker ``cut`` its socket, ``kill`` itself, or ``hang`` for a minute."""
        self._worker.post({"kind": protocol.FAULT, "what": what})


def kept_left() -> dict:
    """What tabs that were closed left behind, by id: topic, data and time each."""
    try:
        left = json.loads(window.workers.kept(LEFT) or "{}")
        return {key: (topic, data, float(at)) for key, (topic, data, at) in left.items()}
    except (AttributeError, TypeError, ValueError):  # nothing that a tab of ours has written
        return {}


def random_id() -> str:
    """24 hexadecimal digits from the browser's own source (crypto.randomUUID is not there on plain HTTP)."""
    numbers = window.crypto.getRandomValues(window.Uint8Array.new(12))
    return "".join([f"{numbers[index]:02x}" for index in range(12)])
