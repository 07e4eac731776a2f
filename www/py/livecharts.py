"""Charts of live topics: the tab subscribes to what its charts show, and draws what comes.

In flow the charts' options, as ``chart`` in a cell made them, and the line's events; out come rows for ``js/chart.js``:
the fields of an event's data with its ``time``, or its ``value`` where the data is no object.
"""

import json

from partyline.topics import any_matches, is_pattern


class LiveCharts:
    """All of a page. ``line`` is its ``Tab``; set it before the first chart is drawn."""

    def __init__(self) -> None:
        self.line = None
        self._charts = {}  # by key: Shown
        self._paused = set()
        self._last = 0

    def add(self, chart: "object", options: dict) -> "int | None":
        """Draw the topic that these options name; returns a key for ``remove``, None where they name none."""
        topic = options.get("topic")
        if not is_pattern(topic):
            return None
        self._last += 1
        self._charts[self._last] = Shown(chart, topic)
        self.line.want(topic)
        self.line.changed()
        return self._last

    def remove(self, key: "int | None") -> None:
        """The chart is gone."""
        self._charts.pop(key, None)
        self._paused.discard(key)

    def pause(self, key: "int | None", paused: bool) -> None:
        """Hold a chart as it is, or show what came meanwhile and go on."""
        if paused and key in self._charts:
            self._paused.add(key)
        elif key in self._paused:
            self._paused.discard(key)
            self.line.changed()

    def draw(self) -> None:
        """Show what has come."""
        for key, shown in self._charts.items():
            if key not in self._paused:
                shown.draw(self.line.store)


class Shown:
    """A chart, and what of the store it shows: of each topic the last ``seq``, and the revision that it is of."""

    def __init__(self, chart: "object", pattern: str) -> None:
        self._chart = chart
        self._pattern = pattern
        self._seqs = {}
        self._revisions = {}
        self._clears = None

    def draw(self, store: "object") -> None:
        """Show what is new in the store; all that is there, where it has become more than what came before."""
        revisions = {topic: store.revision(topic) for topic in store.topics() if any_matches([self._pattern], topic)}
        changed = [topic for topic, revision in self._revisions.items() if revisions.get(topic) != revision]
        anew = bool(changed) or self._clears != store.clears
        if anew:
            self._seqs = {}
        self._revisions, self._clears = revisions, store.clears
        fresh = []
        for topic in revisions:
            events = since(store.events(topic), self._seqs.get(topic, 0))
            if events:
                self._seqs[topic] = events[-1]["seq"]
                fresh += events
        if fresh or anew:
            fresh.sort(key=lambda event: event["seq"])
            show = self._chart.update if anew else self._chart.append
            show(json.dumps([row(event) for event in fresh]))


def since(events: "list[dict]", seq: int) -> "list[dict]":
    """Those after this ``seq``; they stand in order, and most are older."""
    at = len(events)
    while at and events[at - 1]["seq"] > seq:
        at -= 1
    return events[at:]


def row(event: dict) -> dict:
    """What a chart shows of an event."""
    data = event["data"]
    found = dict(data) if isinstance(data, dict) else {"value": data}
    found["time"] = event["time"]
    return found


live = LiveCharts()
