"""A cell's outputs, as nbformat has them, made into elements.

Text goes in as text; HTML, Markdown and pictures through what cannot run anything (``js/markdown.js``, ``<img>``).
An output that has only grown is added to, so that a flood of lines costs no more than the lines.
"""

import json
import re

from pyscript import window

from dom import make
from livecharts import live

# richest first; the first that an output has is shown
RICH = (
    "application/vnd.partyline.chart+json",
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "application/json",
    "text/latex",
    "text/plain",
)
ANSI = re.compile("\x1b\\[[0-9;]*[A-Za-z]")


class Outputs:
    """The outputs below a cell. ``show`` brings ``element`` to show just these."""

    def __init__(self, element: "object") -> None:
        self._element = element
        self._shown = []  # an output as it was shown, and its element
        self._charts = {}
        self._last_chart = 0
        self._visible = True

    def show(self, outputs: "list[dict]") -> None:
        """Show these: what has not changed stays, what has grown grows."""
        for index, output in enumerate(outputs):
            if index < len(self._shown):
                self._update(index, output)
            else:
                part = self._make(output)
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
                part.append(ANSI.sub("", new[len(old) :]))
                self._shown[index] = (output, part)
                return
        fresh = self._make(output)
        part.replaceWith(fresh)
        self._forget(part)
        self._shown[index] = (output, fresh)

    def _forget(self, part: "object") -> None:
        found = self._charts.pop(part.getAttribute("data-chart"), None)
        if found is not None:
            chart, key = found
            live.remove(key)
            chart.destroy()
        part.remove()

    def _make(self, output: dict) -> "object":
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return make("pre", ANSI.sub("", joined(output["text"])), class_=f"output {name}")
        if kind == "error":
            lines = joined(output.get("traceback", []), "\n") or f"{output.get('ename')}: {output.get('evalue')}"
            return make("pre", ANSI.sub("", lines), class_="output error")
        return self._make_rich(output.get("data") or {}, output.get("metadata") or {})

    def _make_rich(self, data: dict, metadata: dict) -> "object":
        known = [name for name in RICH if name in data]
        if not known:
            return make("p", f"Nothing that can be shown: {', '.join(sorted(data)) or 'empty'}.", class_="output quiet")
        name = known[0]
        value = data[name]
        if name.startswith("image/"):
            return make_image(name, joined(value), joined(data.get("text/plain", "")), metadata.get(name) or {})
        if name.startswith("application/vnd.partyline.chart"):
            return self._make_chart(value)
        if name == "application/json":
            return make("pre", json.dumps(value), class_="output")
        if name == "text/html":
            part = make("div", class_="output rich")
            window.markdown.html(part, joined(value))
            return part
        if name == "text/markdown":
            part = make("div", class_="output rich prose")
            window.markdown.render(part, joined(value))
            return part
        return make("pre", ANSI.sub("", joined(value)), class_="output")

    def _make_chart(self, options: dict) -> "object":
        self._last_chart += 1
        key = str(self._last_chart)
        part = make("div", class_="output", data_chart=key)
        chart = window.charts.create(part, json.dumps(options))
        self._charts[key] = (chart, live.add(chart, options))
        return part


def make_image(kind: str, data: str, text: str, metadata: dict) -> "object":
    """A picture as an ``<img>``, in which an SVG's scripts and links do nothing."""
    if kind == "image/svg+xml":
        source = f"data:{kind};charset=utf-8,{window.encodeURIComponent(data)}"
    else:
        source = f"data:{kind};base64,{''.join(data.split())}"
    image = make("img", class_="output", src=source, alt=text or "A picture without a description")
    for name in ("width", "height"):
        if isinstance(metadata.get(name), (int, float)):
            image.setAttribute(name, str(metadata[name]))
    return image


def joined(text: "str | list", between: str = "") -> str:
    """Text that nbformat may have split into lines."""
    return text if isinstance(text, str) else between.join([str(part) for part in text])
