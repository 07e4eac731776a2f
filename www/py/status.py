"""The pill in every page's header that says how the line is, and the bar of the worker's boot."""

from dom import find, hide, show

TEXTS = {
    "booting": "Starting Python",
    "connecting": "Connecting",
    "live": "Live",
    "offline": "Reconnecting",
    "failed": "Failed",
}
SILENT = "Python is busy"


_shown = []  # what was drawn last: asked for at each frame, and hardly ever another


def draw_status(line: "object") -> None:
    """Show the state of a Tab."""
    told = [line.state, line.loaded, line.total, line.outdated, line.alone, line.message, line.refused, line.silent]
    if told == _shown:
        return
    _shown[:] = told
    state = find("line-state")
    show(state, SILENT if line.silent else TEXTS[line.state])
    state.parentElement.classList.toggle("silent", line.silent)
    progress = find("boot-progress")
    counting = line.state == "booting" and line.total > 0
    hide(progress, not counting)
    if counting:
        progress.value = line.loaded / line.total
    show(find("boot-bytes"), f"{line.loaded / 1e6:.1f} of {line.total / 1e6:.1f} MB" if counting else "")
    hide(find("line-update"), not line.outdated)
    hide(find("line-alone"), not line.alone)
    notice = find("line-notice")
    hide(notice, not (line.state == "failed" or line.refused))
    show(notice, line.message if line.state == "failed" else line.refused)
