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
    cpu, memory, network = [line.store.latest(f"host.{name}") for name in ("cpu", "memory", "network")]
    if cpu is not None:
        show(find("host-cpu"), f"{cpu['data']['percent']:.0f} %")
        draw_trend("trend-cpu", [event["data"]["percent"] for event in line.store.events("host.cpu")], 100)
    if memory is not None:
        data = memory["data"]
        show(find("host-memory"), f"{data['used'] / 1e9:.1f} of {data['total'] / 1e9:.1f} GB")
        draw_trend("trend-memory", [event["data"]["percent"] for event in line.store.events("host.memory")], 100)
    if network is not None:
        data = network["data"]
        show(find("host-network"), f"↓ {rate_text(data['received'])}  ↑ {rate_text(data['sent'])}")
        rates = [event["data"]["received"] + event["data"]["sent"] for event in line.store.events("host.network")]
        draw_trend("trend-network", rates, max(rates[-TREND_POINTS:] + [1000]))


def rate_text(bytes_a_second: float) -> str:
    """A rate in kB/s or MB/s."""
    if bytes_a_second < 1e6:
        return f"{bytes_a_second / 1e3:.0f} kB/s"
    return f"{bytes_a_second / 1e6:.1f} MB/s"


def draw_trend(name: str, values: "list", top: float) -> None:
    """The last values as a line in the SVG of this name, whose view box is 60 by 20; ``top`` is its upper edge."""
    recent = values[-TREND_POINTS:]
    start = TREND_POINTS - len(recent)
    points = [f"{start + index},{19 - 18 * min(value / top, 1):.1f}" for index, value in enumerate(recent)]
    find(name).setAttribute("points", " ".join(points))


line = Tab("home", ["host.*"], draw)
line.start()
ready = window.performance.getEntriesByName("ui-ready")[0].startTime / 1000
show(find("tab-python"), f"MicroPython, in {ready:.2f} s")
