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
        self._charts = {}  # by key: chart, pattern, and the last seq drawn of each topic
        self._last = 0

    def add(self, chart: "object", options: dict) -> "int | None":
        """Draw the topic that these options name; returns a key for ``remove``, None where they name none."""
        topic = options.get("topic")
        if not is_pattern(topic):
            return None
        self._last += 1
        self._charts[self._last] = (chart, topic, {})
        self.line.want(topic)
        self.line.changed()
        return self._last

    def remove(self, key: "int | None") -> None:
        """The chart is gone."""
        self._charts.pop(key, None)

    def draw(self) -> None:
        """Show what has come."""
        store = self.line.store
        for chart, pattern, seqs in self._charts.values():
            fresh = []
            for topic in store.topics():
                if any_matches([pattern], topic):
                    last = seqs.get(topic, 0)
                    events = [event for event in store.events(topic) if event["seq"] > last]
                    if events:
                        seqs[topic] = events[-1]["seq"]
                        fresh += events
            if fresh:
                fresh.sort(key=lambda event: event["seq"])
                chart.append(json.dumps([row(event) for event in fresh]))


def row(event: dict) -> dict:
    """What a chart shows of an event."""
    data = event["data"]
    found = dict(data) if isinstance(data, dict) else {"value": data}
    found["time"] = event["time"]
    return found


live = LiveCharts()
