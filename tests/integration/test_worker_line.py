"""The live line as cells see it, in the worker's own Python, on a real server: nothing is lost without a word."""

from __future__ import annotations

from typing import Any

from tests.integration.worker import Tab
from tests.running import Server


def printed(cell: dict[str, Any]) -> str:
    """All that a cell shows; its result and what went wrong, too."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output["traceback"])
        for output in cell["outputs"]
    )


def history(server: Server, topic: str) -> list[Any]:
    """The data of all events of a topic."""
    found: list[Any] = []
    after, more = 0, True
    while more:
        page = server.get(f"/api/topics/{topic}/events?after={after}&limit=1000")
        found += [event["data"] for event in page["events"]]
        after, more = page["events"][-1]["seq"], page["more"]
    return found


def test_all_that_a_plain_loop_publishes_arrives(worker_server: Server, tab: Tab) -> None:
    """Though more than fits into the outbox at once, and faster than the line takes it."""
    loop = "for number in range(3000): sent = line.publish('many', number)"
    tab.open("many", f"with line._live.guard.shield:  # no turns but those it waits for\n    {loop}\nawait sent > 0")
    assert printed(tab.run("many", "a")["a"]) == "True"
    assert history(worker_server, "many") == list(range(3000))


DOWN = """class Down:
    state, outbox_full = 'offline', True
live, kept = line._live, line._live.session
live.session = Down()
try:
    line.publish('room', 1)
finally:
    live.session = kept"""


def test_a_cell_that_waits_for_room_says_so_and_can_be_stopped(tab: Tab) -> None:
    tab.open("room", DOWN)
    tab.ask("run", name="room", cells=["a"])
    while "the line is down" not in printed(tab.cells("room")["a"]):
        tab.wait(lambda frame: frame.get("what") == "change")
    tab.ask("stop", name="room")
    assert printed(tab.rest("room")["a"]).splitlines()[-1] == "KeyboardInterrupt"


REFUSED = """from partyline import LineError
try:
    line.publish('refused', {0})
except LineError as error:
    print(error)"""


def test_what_cannot_be_sent_is_an_error_at_once(tab: Tab) -> None:
    tab.open("refused", REFUSED.format("'x' * 5_000_000"))
    assert printed(tab.run("refused", "a")["a"]).startswith("The server takes at most ")


FULL = """live, kept = line._live, type(line._live.guard).can_suspend
with live.guard.shield:
    type(live.guard).can_suspend = False
    try:
        for _ in range(2000): line.publish('full', 1)
    finally:
        type(live.guard).can_suspend = kept"""


def test_where_python_cannot_be_suspended_a_full_outbox_is_an_error_that_says_what_to_do(tab: Tab) -> None:
    tab.open("full", FULL)
    (output,) = tab.run("full", "a")["a"]["outputs"]
    assert output["ename"] == "LineError"
    assert "await line.publish" in output["evalue"]


APART = """import asyncio
first, second = line.next('apart'), line.next('apart')
waiting = asyncio.gather(first, second)
await asyncio.sleep(0)
line.publish('apart', {'list': [1]})
one, other = await waiting
one.data['list'].append(2)
other.data['list'], one.seq == other.seq"""


def test_what_a_cell_does_to_an_events_data_is_its_own(tab: Tab) -> None:
    tab.open("apart", APART)
    assert printed(tab.run("apart", "a")["a"]) == "([1], True)"
