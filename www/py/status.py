"""The pill in every page's header that says how the line is, and the bar of the worker's boot."""

from dom import find, show

TEXTS = {
    "booting": "Starting Python",
    "connecting": "Connecting",
    "live": "Live",
    "offline": "Reconnecting",
    "failed": "Failed",
}


def draw_status(line: "object") -> None:
    """Show the state of a Tab."""
    show(find("line-state"), TEXTS[line.state])
    progress = find("boot-progress")
    counting = line.state == "booting" and line.total > 0
    progress.hidden = not counting
    if counting:
        progress.value = line.loaded / line.total
    show(find("boot-bytes"), f"{line.loaded / 1e6:.1f} of {line.total / 1e6:.1f} MB" if counting else "")
    find("line-update").hidden = not line.outdated
    notice = find("line-notice")
    notice.hidden = not (line.state == "failed" or line.refused)
    show(notice, line.message if line.state == "failed" else line.refused)
