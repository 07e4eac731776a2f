"""Events and topics in SQLite tables: the reading, and the writing inside a transaction of the caller's.

Both homes of the log read through this: SQLite's own file, and the read copy that a server keeps of a JetStream.
All is synchronous; ``reader.py`` takes it to a thread. In flow seqs and drafts, out come rows and events.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from . import MAX_READ_BYTES, Draft, Event, TopicInfo
from .retention import Retention

TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, time REAL NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, "by" TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX events_by_id ON events (topic, id);
CREATE INDEX events_by_topic ON events (topic, seq);
CREATE TABLE topics (
    topic TEXT PRIMARY KEY, last_seq INTEGER NOT NULL, count INTEGER NOT NULL, pruned INTEGER NOT NULL DEFAULT 0
) STRICT;
"""

_EVENT = 'SELECT seq, topic, time, id, data, "by" FROM events'
_IN_TOPICS = "topic IN (SELECT value FROM json_each(?))"


class Store:
    """The tables of one connection, which one thread uses at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany

    # reading

    def read(self, after: int, limit: int, topics: Sequence[str] | None, until: int | None) -> list[Event]:
        """As ``EventLog.read``."""
        if topics is None:
            sql = f"{_EVENT} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
            return self._events(sql, [after, _until(until), limit])
        sql = f"{_EVENT} WHERE seq > ? AND seq <= ? AND {_IN_TOPICS} ORDER BY seq LIMIT ?"
        return self._events(sql, [after, _until(until), json.dumps(topics), limit])

    def latest(self, topic: str, count: int, until: int | None) -> list[Event]:
        """As ``EventLog.latest``."""
        sql = f"{_EVENT} WHERE topic = ? AND seq <= ? ORDER BY seq DESC LIMIT ?"
        return self._events(sql, [topic, _until(until), count])[::-1]

    def count(self, after: int, topics: Sequence[str], most: int) -> int:
        """As ``EventLog.count``."""
        sql = f"SELECT count(*) FROM (SELECT 1 FROM events WHERE seq > ? AND {_IN_TOPICS} LIMIT ?)"  # noqa: S608
        (count,) = self.execute(sql, (after, json.dumps(topics), most)).fetchone()
        return int(count)

    def topics(self) -> list[TopicInfo]:
        """As ``EventLog.topics``."""
        rows = self.execute("SELECT topic, last_seq, count, pruned FROM topics ORDER BY topic")
        return [TopicInfo(*row) for row in rows]

    def last_seq(self) -> int:
        """As ``EventLog.last_seq``."""
        row = self.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(row[0]) if row else 0

    def seq_of(self, topic: str, event_id: str) -> int | None:
        """The seq of the event of this id; None where there is none."""
        row = self.execute("SELECT seq FROM events WHERE topic = ? AND id = ?", (topic, event_id)).fetchone()
        return None if row is None else int(row[0])

    def _events(self, sql: str, values: Sequence[object]) -> list[Event]:
        events: list[Event] = []
        size = 0
        for row in self.execute(sql, values):
            events.append(Event(*row))
            size += len(events[-1].data)
            if size > MAX_READ_BYTES:
                break
        return events

    # writing

    def add(self, draft: Draft, time: float) -> int:
        """Give a draft, whose id must be new, the next seq."""
        row = self.execute(
            'INSERT INTO events (topic, time, id, data, "by") VALUES (?, ?, ?, ?, ?) RETURNING seq',
            (draft.topic, time, draft.id, draft.data, draft.by),
        ).fetchone()
        seq = int(row[0])
        self._count_in([(draft.topic, seq, 1, 0)])
        return seq

    def copy(self, events: Sequence[Event], last_seq: int, pruned: dict[str, int]) -> None:
        """Take in events that have their seqs, up to ``last_seq``; an id that is there already keeps its place.

        ``pruned`` is for topics that are new here: up to where their events may be gone.
        """
        by_topic: dict[str, tuple[int, int]] = {}
        for event in events:
            added = self.execute(
                'INSERT INTO events (seq, topic, time, id, data, "by") VALUES (?, ?, ?, ?, ?, ?) '
                "ON CONFLICT DO NOTHING",
                (event.seq, event.topic, event.time, event.id, event.data, event.by),
            ).rowcount
            if added:
                by_topic[event.topic] = (event.seq, by_topic.get(event.topic, (0, 0))[1] + 1)
        self._count_in((topic, seq, count, pruned.get(topic, 0)) for topic, (seq, count) in by_topic.items())
        if not self.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'", (last_seq,)).rowcount:
            self.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (last_seq,))

    def _count_in(self, rows: Iterable[tuple[str, int, int, int]]) -> None:
        self.executemany(
            "INSERT INTO topics (topic, last_seq, count, pruned) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET last_seq = excluded.last_seq, count = count + excluded.count",
            rows,
        )

    def prune(self, retention: Retention, now: float, topics: Iterable[str] | None = None) -> None:
        """Remove what is past the retention, of ``topics`` or of all."""
        for topic, last_removed in self.prunable(retention, now, topics):
            removed = self.execute("DELETE FROM events WHERE topic = ? AND seq <= ?", (topic, last_removed)).rowcount
            self.execute(
                "UPDATE topics SET count = count - ?, pruned = max(pruned, ?) WHERE topic = ?",
                (removed, last_removed, topic),
            )

    def prunable(self, retention: Retention, now: float, topics: Iterable[str] | None = None) -> list[tuple[str, int]]:
        """The topics with events past the retention, and the last seq of these. Changes nothing."""
        found = []
        for topic in topics if topics is not None else [info.topic for info in self.topics() if info.count]:
            last_removed = max(self._past_count(topic, retention), self._past_age(topic, retention, now))
            if last_removed:
                found.append((topic, last_removed))
        return found

    def _past_count(self, topic: str, retention: Retention) -> int:
        row = self.execute("SELECT count FROM topics WHERE topic = ?", (topic,)).fetchone()
        if row is None or not retention.excess(topic, row[0]):
            return 0
        sql = "SELECT seq FROM events WHERE topic = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
        # outside of a transaction, another process may have removed them meanwhile
        row = self.execute(sql, (topic, retention.count.of(topic))).fetchone()
        return 0 if row is None else int(row[0])

    def _past_age(self, topic: str, retention: Retention, now: float) -> int:
        """The last, from the oldest on, that is too old: what is kept has no holes, whatever clocks do."""
        age = retention.age.of(topic)
        if not age:
            return 0
        last_removed = 0
        for seq, time in self.execute("SELECT seq, time FROM events WHERE topic = ? ORDER BY seq", (topic,)):
            if time >= now - age:
                break
            last_removed = seq
        return last_removed


def _until(until: int | None) -> int:
    return until if until is not None else 2**63 - 1
