"""The page ``/``: what this is, and the line as it lives: tabs, worker, server, and the host's figures."""

from pyscript import window

from dom import find, make, show
from status import draw_status
from tab import Tab

MAX_CHIPS = 12
TREND_POINTS = 60


def draw() -> None:
    """Show the state of the line."""
    draw_status(line)
    show_count("tabs", "tab", line.tabs)
    show_count("sockets", "socket", line.sockets)
    show_count("browsers", "browser", line.browsers)
    if line.python:
        show(find("workers-count"), "1")
        show(find("worker-python"), f"CPython {line.python}, for all tabs")
    draw_chips(line.tabs or 1)
    draw_host()


def show_count(name: str, singular: str, count: "int | None") -> None:
    """A count, with its label in the right number; a dash where it is not known."""
    show(find(f"{name}-count"), "–" if count is None else str(count))
    show(find(f"{name}-label"), singular if count == 1 else f"{singular}s")


def draw_chips(count: int) -> None:
    """A little window for each open tab."""
    chips = find("tab-chips")
    wanted = min(count, MAX_CHIPS)
    while chips.childElementCount > wanted:
        chips.lastElementChild.remove()
    while chips.childElementCount < wanted:
        chips.append(make("span", class_="chip", aria_hidden="true"))


def draw_host() -> None:
    """The host's latest figures, and the last minute of each."""
    cpu = figures("host.cpu", "percent")
    if cpu:
        show(find("host-cpu"), f"{cpu[-1]['percent']:.0f} %")
        draw_trend("trend-cpu", [each["percent"] for each in cpu], 100)
    memory = figures("host.memory", "percent", "used", "total")
    if memory:
        show(find("host-memory"), f"{memory[-1]['used'] / 1e9:.1f} of {memory[-1]['total'] / 1e9:.1f} GB")
        draw_trend("trend-memory", [each["percent"] for each in memory], 100)
    network = figures("host.network", "received", "sent")
    if network:
        show(find("host-network"), f"↓ {rate_text(network[-1]['received'])}  ↑ {rate_text(network[-1]['sent'])}")
        rates = [each["received"] + each["sent"] for each in network]
        draw_trend("trend-network", rates, max(rates + [1000]))


def figures(topic: str, *names: str) -> "list[dict]":
    """The data of a topic's last events that hold these numbers; others, which anybody may publish, are passed over."""
    found = []
    for event in line.store.events(topic)[-TREND_POINTS:]:
        data = event["data"]
        if isinstance(data, dict) and all(isinstance(data.get(name), (int, float)) for name in names):
            found.append(data)
    return found


def rate_text(bytes_a_second: float) -> str:
    """A rate in kB/s or MB/s."""
    if bytes_a_second < 1e6:
        return f"{bytes_a_second / 1e3:.0f} kB/s"
    return f"{bytes_a_second / 1e6:.1f} MB/s"


def draw_trend(name: str, values: "list", top: float) -> None:
    """At most TREND_POINTS values as a line in the SVG of this name; its view box is 60 by 20, ``top`` its edge."""
    start = TREND_POINTS - len(values)
    points = [f"{start + index},{19 - 18 * min(value / top, 1):.1f}" for index, value in enumerate(values)]
    find(name).setAttribute("points", " ".join(points))


line = Tab("home", ["host.*"], draw)
line.start()
ready = window.performance.getEntriesByName("ui-ready")[0].startTime / 1000
show(find("tab-python"), f"MicroPython, in {ready:.2f} s")
