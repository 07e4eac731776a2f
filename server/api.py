"""The HTTP API: publish, history, topics, status, presence. JSON in, JSON out; errors are JSON too.

POST /api/topics/<topic>/events    GET /api/topics/<topic>/events?after=SEQ&limit=N
GET  /api/topics    GET /api/status    GET /api/presence    GET /api/openapi.json
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from quart import Blueprint, Response, ResponseReturnValue, request

from partyline import __version__
from partyline.topics import is_topic

from . import openapi
from .auth import Publishers
from .checks import InputError, bad_topic_message, make_draft, parse_json
from .feeds import Feeds
from .line import Line
from .log import Draft, EventLog, LogBusyError, Receipt
from .rates import Rates

MAX_BATCH = 1_000
MAX_LIMIT = 1_000
DEFAULT_LIMIT = 100


class Api:
    """The routes, over what they speak of. ``log`` is the line's, whose appends are counted as HTTP's."""

    def __init__(self, line: Line, log: EventLog, rates: Rates, feeds: Feeds, publishers: Publishers) -> None:
        self.line = line
        self.log = log
        self.rates = rates
        self.publishers = publishers
        self.feeds = feeds

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with an app."""
        routes = Blueprint("api", __name__, url_prefix="/api")
        add: Callable[..., None] = routes.add_url_rule
        add("/openapi.json", "openapi", self.openapi)
        add("/status", "status", self.status)
        add("/presence", "presence", self.presence)
        add("/topics", "topics", self.topics)
        add("/topics/<topic>/events", "history", self.history, methods=["GET"])
        add("/topics/<topic>/events", "publish", self.publish, methods=["POST"])
        return routes

    async def openapi(self) -> ResponseReturnValue:
        """The OpenAPI document of all this."""
        return openapi.document(max_batch=MAX_BATCH, max_limit=MAX_LIMIT, default_limit=DEFAULT_LIMIT)

    async def status(self) -> ResponseReturnValue:
        """Counts as the server sees them; ``topics`` is how many there are."""
        everybody = self.line.attendance.everybody()
        return {
            "epoch": self.log.epoch,
            "seq": await self.log.last_seq(),
            "sockets": everybody.sockets,
            "browsers": everybody.browsers,
            "topics": len(await self.log.topics()),
            "version": __version__,
            "feeds": self.feeds.status(),
        }

    async def presence(self) -> ResponseReturnValue:
        """Who is on the line, over all processes: each browser with its tabs and topics. For who holds the token."""
        self.publishers.check_token(request, "Who is here is told for")
        everybody = self.line.attendance.everybody()
        return {
            "sockets": everybody.sockets,
            "browsers": everybody.browsers,
            "tabs": everybody.tabs,
            "subscribers": everybody.subscribers(),
            "people": [
                {"browser": browser, "tabs": person.tabs, "topics": sorted(person.topics), "visit": person.visit}
                for browser, person in sorted(everybody.people.items())
            ],
        }

    async def topics(self) -> ResponseReturnValue:
        """All topics by name, with their last seq, how many events are kept, and events a second."""
        infos = await self.log.topics()
        return {
            "epoch": self.log.epoch,
            "topics": [
                {
                    "topic": info.topic,
                    "last_seq": info.last_seq,
                    "count": info.count,
                    "rate": round(self.rates.rate(info.topic), 2),
                }
                for info in infos
            ],
        }

    async def history(self, topic: str) -> ResponseReturnValue:
        """A topic's kept events after a seq, oldest first."""
        _check_topic(topic)
        after = _whole_number("after", default=0, most=2**63 - 1)
        limit = _whole_number("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        breaks = self.log.breaks
        events = await self.log.read(after, limit, [topic])
        more = bool(await self.log.read(events[-1].seq if events else after, 1, [topic]))
        if self.log.breaks != breaks:
            raise LogBusyError("The log began anew meanwhile; ask again.")
        texts = ",".join(event.to_json() for event in events)
        body = f'{{"epoch":{json.dumps(self.log.epoch)},"events":[{texts}],"more":{json.dumps(more)}}}'
        return Response(body, content_type="application/json")

    async def publish(self, topic: str) -> ResponseReturnValue:
        """Append one event, or an array of them; 201 where one is new, 200 where all stood there before."""
        raw = await request.get_data()  # first: a connection whose body was left unread cannot be used again
        by = self.publishers.admit(request)
        _check_topic(topic)
        body = parse_json(raw, "The body")
        batch = isinstance(body, list)
        items = body if isinstance(body, list) else [body]
        if not items or len(items) > MAX_BATCH:
            raise InputError("bad_batch", f"A batch has 1 to {MAX_BATCH} events; this one has {len(items)}.")
        drafts = [self._draft(topic, item, by) for item in items]
        self.publishers.spend(request, len(drafts))
        receipts = await self.log.append(drafts)
        answers = [self._answer(receipt) for receipt in receipts]
        status = 200 if all(receipt.duplicate for receipt in receipts) else 201
        return Response(json.dumps(answers if batch else answers[0]), status, content_type="application/json")

    def _draft(self, topic: str, item: object, by: str) -> Draft:
        if not isinstance(item, dict):
            raise InputError("not_object", 'An event is a JSON object with "data" and, if you like, "id".')
        if "data" not in item:
            raise InputError("no_data", 'The event has no "data".')
        draft = make_draft(topic, item.get("id"), item["data"], by=by)
        if len(draft.data.encode()) > self.line.settings.max_frame:
            limit = self.line.settings.max_frame
            raise InputError("too_large", f"An event's data has at most {limit} bytes.", 413)
        return draft

    def _answer(self, receipt: Receipt) -> dict[str, Any]:
        return {"seq": receipt.seq, "epoch": self.log.epoch, "id": receipt.id}


def _check_topic(topic: str) -> None:
    if not is_topic(topic):
        raise InputError("bad_topic", bad_topic_message(topic))


def _whole_number(name: str, *, default: int, most: int) -> int:
    texts: Sequence[str] = request.args.getlist(name)
    if not texts:
        return default
    text = texts[0]
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > most:
        raise InputError("bad_parameter", f"{name} must be a whole number from 0 to {most}.")
    return int(text)
