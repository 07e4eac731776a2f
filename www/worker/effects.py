"""What the session wants done: effects, which the shell carries out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outbox import Letter

if TYPE_CHECKING:
    from partyline.protocol import Header


@dataclass(frozen=True)
class Dial:
    """Open the WebSocket."""


@dataclass(frozen=True)
class HangUp:
    """Close the WebSocket, and report nothing more of it."""

    code: int
    reason: str


@dataclass(frozen=True)
class Send:
    """Send this text over the WebSocket."""

    text: str


@dataclass(frozen=True)
class Broadcast:
    """Post this text to all tabs over the channel."""

    text: str


@dataclass(frozen=True)
class Tell:
    """Post this text to one tab over its port."""

    port: int
    text: str


@dataclass(frozen=True)
class Hear:
    """Let the cells have the events of this frame: its bodies, unread, by topic. ``reason`` is a snapshot's."""

    bodies: list[tuple[str, str]]
    reason: str


@dataclass(frozen=True)
class Serve:
    """A tab asks something of the notebooks."""

    port: int
    request: Header


@dataclass(frozen=True)
class Keep:
    """Have this letter outlive the worker. Sending does not wait for it; what is not ``sent`` yet is in a hurry."""

    letter: Letter
    sent: bool


@dataclass(frozen=True)
class Discard:
    """The letter of this id has arrived, or never can: keep it no more."""

    id: str


@dataclass(frozen=True)
class Watch:
    """Say when this tab's Web Lock is free: the tab is gone then."""

    port: int
    tab: str


@dataclass(frozen=True)
class Drop:
    """Close this tab's port: it has said goodbye."""

    port: int


@dataclass(frozen=True)
class Forget:
    """The tab on this port has no notebook open any more. Its port stays: if it only slept, it says hello anew."""

    port: int


@dataclass(frozen=True)
class Fault:
    """Break something, as a tab asked: to test it, or to show that it heals. ``kill`` or ``hang`` this worker."""

    what: str


@dataclass(frozen=True)
class Retire:
    """End this worker: another one has taken over."""


Effect = (
    Dial | HangUp | Send | Broadcast | Tell | Hear | Serve | Keep | Discard | Watch | Drop | Forget | Fault | Retire
)
