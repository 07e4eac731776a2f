"""The HTTP API's OpenAPI document (https://spec.openapis.org/oas/v3.1.0), served at ``/api/openapi.json``.

Written by hand: the handlers check what comes in themselves, with errors that say more than a schema can. Tests hold it
to the routes, to the codes in the source, and, with random requests, to what a real server answers.
"""

from __future__ import annotations

from typing import Any

from partyline import __version__
from partyline.protocol import MAX_DEPTH, MAX_ID_LENGTH
from partyline.topics import MAX_LENGTH

Json = dict[str, Any]

MAX_SEQ = 2**63 - 1

EVENT_CODES = ("bad_id", "bad_number", "bad_text", "no_data", "not_json", "not_object", "too_deep", "bad_batch")


def document(*, max_batch: int, max_limit: int, default_limit: int) -> Json:
    """The whole document; the limits are the API's."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partyline",
            "version": __version__,
            "description": "Publish events and read them back. Live events come over the WebSocket /ws.",
        },
        "paths": {
            "/api/status": {"get": _status()},
            "/api/presence": {"get": _presence()},
            "/api/topics": {"get": _topics()},
            "/api/topics/{topic}/events": {
                "parameters": [_topic()],
                "get": _history(max_limit, default_limit),
                "post": _publish(max_batch),
            },
            "/api/openapi.json": {"get": _itself()},
            "/healthz": {"get": _health()},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "PARTYLINE_TOKEN, where it is set."}
            },
        },
    }


# operations


def _status() -> Json:
    return {
        "operationId": "status",
        "summary": "Counts as the server sees them",
        "responses": {"200": _json("The counts.", _ref("Status")), "503": _unavailable("log_failed")},
    }


def _presence() -> Json:
    return {
        "operationId": "presence",
        "summary": "Who is on the line, over all processes",
        "security": [{"token": []}, {}],
        "responses": {
            "200": _json("Browsers, with their tabs and topics.", _ref("Presence")),
            "401": _unauthorized(),
            "429": _too_many(),
        },
    }


def _topics() -> Json:
    return {
        "operationId": "topics",
        "summary": "All topics, by name",
        "responses": {"200": _json("The topics.", _ref("Topics")), "503": _unavailable("log_failed")},
    }


def _history(max_limit: int, default_limit: int) -> Json:
    return {
        "operationId": "history",
        "summary": "A topic's kept events after a seq, oldest first",
        "parameters": [
            _query("after", "The seq after which to begin.", MAX_SEQ, 0),
            _query("limit", "How many events at the most.", max_limit, default_limit),
        ],
        "responses": {
            "200": _json("A page of events; ask again with the last one's seq while `more` is true.", _ref("Page")),
            "400": _error("The topic or a parameter is none.", "bad_topic", "bad_parameter"),
            "404": _error("The topic has a slash in it.", "not_found"),
            "503": _unavailable("busy", "log_failed"),
        },
    }


def _publish(max_batch: int) -> Json:
    one_or_more = {"oneOf": [_ref("Receipt"), {"type": "array", "items": _ref("Receipt"), "minItems": 1}]}
    body = {"oneOf": [_ref("Draft"), {"type": "array", "items": _ref("Draft"), "minItems": 1, "maxItems": max_batch}]}
    return {
        "operationId": "publish",
        "summary": "Publish one event, or several in order",
        "description": "Idempotent by id: sending the same again is safe. The answer comes when all is on the disk.",
        "security": [{"token": []}, {}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _json("All stood there before; the seqs are the first's.", one_or_more),
            "201": _json("At least one is new.", one_or_more),
            "400": _error("The body or the topic is refused.", "bad_topic", *EVENT_CODES),
            "401": _unauthorized(),
            "403": _error("A page of another origin.", "bad_origin"),
            "404": _error("The topic has a slash in it.", "not_found"),
            "429": _too_many(),
            "413": _error("An event, or the body, is too large.", "too_large", "request_entity_too_large"),
            "503": _unavailable("busy", "log_failed"),
        },
    }


def _itself() -> Json:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {"200": _json("OpenAPI 3.1.", {"type": "object", "required": ["openapi", "info", "paths"]})},
    }


def _health() -> Json:
    return {
        "operationId": "health",
        "summary": "Whether the server is well",
        "responses": {
            "200": _json("It serves, and its log can be read.", _ref("Health")),
            "503": _error("It does not.", "log_failed", "shutting_down"),
        },
    }


def _metrics() -> Json:
    return {
        "operationId": "metrics",
        "summary": "Figures for Prometheus",
        "security": [{"token": []}, {}],
        "responses": {
            "200": {
                "description": "Prometheus' text format.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            "401": _unauthorized(),
            "429": _too_many(),
        },
    }


# parameters and answers


def _topic() -> Json:
    return {"name": "topic", "in": "path", "required": True, "schema": _ref("Topic")}


def _query(name: str, description: str, most: int, default: int) -> Json:
    schema = {"type": "integer", "minimum": 0, "maximum": most, "default": default}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _error(description: str, *codes: str) -> Json:
    schema = _object(error=_object(code={"type": "string", "enum": sorted(codes)}, message={"type": "string"}))
    return _json(description, schema)


def _unauthorized() -> Json:
    answer = _error("A token is set, and this is not it.", "bad_token")
    answer["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}}
    return answer


def _unavailable(*codes: str) -> Json:
    answer = _error("The log is slow, or cannot be used. Send it again later.", *codes)
    answer["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    return answer


def _too_many() -> Json:
    answer = _error("This address publishes too much, or gave too many wrong tokens.", "too_many")
    answer["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    return answer


# schemas


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Json) -> Json:
    """What we answer: just these properties, all of them."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schemas() -> Json:
    seq = {"type": "integer", "minimum": 0, "maximum": MAX_SEQ, "description": "A place in the log's one order."}
    count = {"type": "integer", "minimum": 0}
    epoch = {"type": "string", "description": "The log's identity."}
    topic = _ref("Topic")
    # printable: no C0, DEL or C1 control character
    event_id = {"type": "string", "pattern": f"^[^\\u0000-\\u001f\\u007f-\\u009f]{{1,{MAX_ID_LENGTH}}}$"}
    return {
        "Topic": {
            "type": "string",
            "pattern": r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
            "minLength": 1,
            "maxLength": MAX_LENGTH,
            "examples": ["room", "host.cpu"],
        },
        "Draft": {
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": {"description": f"Any JSON, nested at most {MAX_DEPTH} levels with what is around it."},
                "id": {
                    **event_id,
                    "type": ["string", "null"],
                    "description": "Its author's; one is made where none is.",
                },
            },
        },
        "Receipt": _object(seq=seq, epoch=epoch, id=event_id),
        "Event": _object(
            seq=seq,
            topic=topic,
            time={"type": "number", "description": "Seconds since 1970, UTC."},
            id=event_id,
            by={"type": "string", "description": "Who published, as the server knows it; empty if unknown."},
            data={"description": "As it was published."},
        ),
        "Page": _object(epoch=epoch, events={"type": "array", "items": _ref("Event")}, more={"type": "boolean"}),
        "Topics": _object(epoch=epoch, topics={"type": "array", "items": _ref("TopicInfo")}),
        "TopicInfo": _object(topic=topic, last_seq=seq, count=count, rate={"type": "number", "minimum": 0}),
        "Status": _object(
            epoch=epoch,
            seq=seq,
            sockets=count,
            browsers=count,
            topics=count,
            version={"type": "string"},
            feeds={"type": "array", "items": _ref("Feed")},
        ),
        "Presence": _object(
            sockets=count,
            browsers=count,
            tabs=count,
            subscribers={"type": "object", "additionalProperties": count},
            people={"type": "array", "items": _ref("Person")},
        ),
        "Person": _object(
            browser={"type": "string", "description": "Its public id."},
            tabs=count,
            topics={"type": "array", "items": {"type": "string"}},
            visit={"type": "string", "description": "Its stay, from its join to its leave."},
        ),
        "Feed": _object(
            name={"type": "string"},
            state={"enum": ["starting", "running", "waiting", "stopped", "standby"]},
            until={"type": ["number", "null"], "description": "When it starts again, in seconds since 1970."},
            events=count,
            dropped=count,
            failures=count,
            error={"type": ["string", "null"]},
            last_event={"type": ["number", "null"], "description": "In seconds since 1970."},
            blocked={**count, "description": "How often it held up the whole server."},
            blocked_seconds={"type": ["number", "null"], "description": "For how long, the last time."},
            blocked_at={"type": ["string", "null"], "description": "File and line where it stood."},
        ),
        "Health": _object(status={"const": "ok"}, log=_object(writable={"type": "boolean"}, lag=count)),
    }
