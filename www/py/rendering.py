"""A cell's outputs, as nbformat has them, made into elements.

Text goes in as text, with the colours that its escapes ask for (``ansi.py``); HTML, Markdown and pictures through what
cannot run anything (``js/markdown.js``, ``<img>``).
An output that has only grown is added to, so that a flood of lines costs no more than the lines. While it is paused,
nothing of it moves; what came meanwhile is shown when it goes on. A screen reader is told what is new while a cell
runs, within limits (``hearing.py``), and not what stood there before.
"""

import json
from binascii import b2a_base64

from pyscript import window

from ansi import Ansi, parsed
from dom import make
from hearing import Hearing
from livecharts import live

CHART = "application/vnd.partyline.chart+json"
# richest first; the first that an output has, and that can be shown, is shown
RICH = (
    CHART,
    "text/html",
    "text/markdown",
    "text/latex",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "application/json",
    "text/plain",
)
GOES_ON = 3  # changes in a run, after which its output is said to go on changing


class Outputs:
    """The outputs below a cell. ``show`` brings ``element`` to show just these, unless they are ``paused``."""

    def __init__(self, element: "object") -> None:
        self._element = element
        self._shown = []  # an output as it was shown, and its element
        self._ansi = {}  # by the place of a stream: what its text has asked for so far
        self._charts = {}  # by key: the chart, and its key in ``live`` if it shows a topic
        self._last_chart = 0
        self._visible = True
        self._changes = 0
        self._hearing = None
        self._latest = []  # what is to be shown when it goes on
        self.paused = False

    def begin(self) -> None:
        """A run begins: what is new from here on is read aloud, if it is not too much."""
        self._changes = 0
        self._hearing = Hearing()
        self._element.setAttribute("aria-live", "polite")

    def end(self) -> None:
        """The run has ended."""
        self._changes = 0

    @property
    def too_much(self) -> bool:
        """Whether the run has more to say than can be listened to."""
        return self._hearing is not None and self._hearing.too_much

    @property
    def lines(self) -> int:
        """How many lines were printed."""
        return sum([joined(output["text"]).count("\n") for output in self._latest if output["output_type"] == "stream"])

    @property
    def goes_on(self) -> bool:
        """Whether it goes on changing: it did so again and again, or has a live chart."""
        return self._changes >= GOES_ON or any([key is not None for _, key in self._charts.values()])

    def pause(self, paused: bool) -> None:
        """Hold all still, or show what came meanwhile and go on."""
        self.paused = paused
        for _, key in self._charts.values():
            live.pause(key, paused)
        if not paused:
            if self._hearing is not None:
                self.begin()
            self.show(self._latest)

    def show(self, outputs: "list[dict]") -> None:
        """Show these: what has not changed stays, what has grown grows."""
        self._latest = outputs
        if self.paused:
            return
        for index, output in enumerate(outputs):
            if index < len(self._shown):
                self._update(index, output)
            else:
                part = self._make(output, index)
                self._tell(len(part.textContent))
                self._element.append(part)
                self._shown.append((output, part))
        while len(self._shown) > len(outputs):
            self._forget(self._shown.pop()[1])
        if bool(outputs) != self._visible:
            self._visible = bool(outputs)
            self._element.hidden = not outputs

    def _update(self, index: int, output: dict) -> None:
        before, part = self._shown[index]
        if before is output:  # none is ever changed in place
            return
        if before["output_type"] == "stream" and output["output_type"] == "stream" and before["name"] == output["name"]:
            old, new = joined(before["text"]), joined(output["text"])
            if new.startswith(old):
                self._tell(len(new) - len(old))
                self._grow(part, self._ansi[index].feed(new[len(old) :]))
                self._shown[index] = (output, part)
                return
        fresh = self._make(output, index)
        self._tell(len(fresh.textContent))
        part.replaceWith(fresh)
        self._forget(part)
        self._shown[index] = (output, fresh)

    def _grow(self, part: "object", texts: "list[tuple[str, str]]") -> None:
        """Add to a stream. Who has scrolled to the end stays there."""
        box = self._element
        hidden = box.scrollHeight - box.clientHeight
        at_end = hidden > 0 and box.scrollTop >= hidden - 2
        fill(part, texts)
        if at_end:
            box.scrollTop = box.scrollHeight

    def _tell(self, characters: int) -> None:
        """So much is about to be shown; a region that is no live one when it comes says nothing of it."""
        self._changes += 1
        if self._hearing is not None and not self._hearing.take(characters, window.performance.now() / 1000):
            self._element.setAttribute("aria-live", "off")

    def _forget(self, part: "object") -> None:
        found = self._charts.pop(part.getAttribute("data-chart"), None)
        if found is not None:
            chart, key = found
            live.remove(key)
            chart.destroy()
        part.remove()

    def _make(self, output: dict, index: int) -> "object":
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            ansi = self._ansi[index] = Ansi()
            return fill(make("pre", class_=f"output {name}"), ansi.feed(joined(output["text"])))
        if kind == "error":
            lines = joined(output.get("traceback", []), "\n") or f"{output.get('ename')}: {output.get('evalue')}"
            return fill(make("pre", class_="output error"), parsed(lines))
        return self._make_rich(output.get("data") or {}, output.get("metadata") or {})

    def _make_rich(self, data: dict, metadata: dict) -> "object":
        known = [name for name in RICH if name in data and can_be_shown(name, data[name])]
        if not known:
            return make("p", f"Nothing that can be shown: {', '.join(sorted(data)) or 'empty'}.", class_="output quiet")
        name = known[0]
        value = data[name]
        if name.startswith("image/"):
            return make_image(name, joined(value), joined(data.get("text/plain", "")), metadata.get(name))
        if name == CHART:
            return self._make_chart(value)
        if name == "application/json":
            return make("pre", json.dumps(value), class_="output")
        if name == "text/html":
            part = make("div", class_="output rich")
            window.markdown.html(part, joined(value))
            return part
        if name == "text/latex":
            part = make("div", class_="output rich prose")
            window.markdown.latex(part, joined(value))
            return part
        if name == "text/markdown":
            part = make("div", class_="output rich prose")
            window.markdown.render(part, joined(value))
            return part
        return fill(make("pre", class_="output"), parsed(joined(value)))

    def _make_chart(self, options: dict) -> "object":
        self._last_chart += 1
        key = str(self._last_chart)
        part = make("div", class_="output", data_chart=key)
        chart = window.charts.create(part, json.dumps(options))
        self._charts[key] = (chart, live.add(chart, options))
        return part


def fill(part: "object", texts: "list[tuple[str, str]]") -> "object":
    """Add texts to an element, each with its classes; returns the element."""
    for text, classes in texts:
        part.append(make("span", text, class_=classes) if classes else text)
    return part


def can_be_shown(name: str, value: object) -> bool:
    """Whether it has the form that its MIME type says: a notebook that anybody made may hold anything."""
    if name == CHART:
        return isinstance(value, dict) and isinstance(value.get("rows", []), list)
    return name == "application/json" or isinstance(value, (str, list))


def make_image(kind: str, data: str, text: str, size: object) -> "object":
    """A picture as an ``<img>``, in which an SVG's scripts and links do nothing."""
    coded = str(b2a_base64(data.encode()), "ascii") if kind == "image/svg+xml" else data
    source = f"data:{kind};base64,{''.join(coded.split())}"
    image = make("img", class_="output", src=source, alt=text or "A picture without a description")
    for name in ("width", "height"):
        if isinstance(size, dict) and isinstance(size.get(name), (int, float)):
            image.setAttribute(name, str(size[name]))
    return image


def joined(text: "str | list", between: str = "") -> str:
    """Text that nbformat may have split into lines."""
    return text if isinstance(text, str) else between.join([str(part) for part in text])
