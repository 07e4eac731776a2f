"""All that cells need, made when the first notebook is opened: pages without cells do not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import display
import partyline
from charts import make_chart
from checks import Check
from desk import Desk
from given import Given
from guard import Guard
from line import Line
from livedata import LineError, LiveData
from packages import Packages
from shelf import Shelf
from streams import Event

if TYPE_CHECKING:
    from effects import Effect
    from session import Session


class Workshop:
    """The notebooks' ``desk`` and the cells' ``live`` data, with all that cells find in their Python.

    Args:
        session: the line.
        browser: what JavaScript does for Python: ``turns`` of turns.js, ``watchFetches`` of fetches.js.
        family: names this site's workers, and so the shelf.
        do: carries out the session's effects.
        tell: posts a text to the tab on a port.
    """

    def __init__(
        self,
        session: Session,
        browser: Any,
        family: str,
        do: Callable[[list[Effect]], None],
        tell: Callable[[int, str], None],
    ) -> None:
        guard = Guard(browser.turns)
        guard.install()
        display.install()
        self.live = LiveData(session, guard, do)
        # from partyline import line, chart, check; cells have the names without it, too
        names = {"line": Line(self.live), "chart": make_chart(display.display, print), "check": Check(display.display)}
        vars(partyline).update(names, LineError=LineError, Event=Event)
        given = Given({**names, "display": display.display}, Packages(browser.watchFetches))
        self.desk = Desk(guard, Shelf(family), tell, lambda on: do(session.cells_hold(on)), given)
