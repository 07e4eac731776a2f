"""All that cells need, made when the first notebook is opened: pages without cells do not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import display
import partyline
from charts import make_chart
from checks import Check
from desk import Desk
from guard import Guard
from line import Line
from livedata import LiveData
from shelf import Shelf

if TYPE_CHECKING:
    from effects import Effect
    from session import Session


class Workshop:
    """The notebooks' ``desk`` and the cells' ``live`` data, with all that cells find in their Python.

    Args:
        session: the line.
        turns: what turns.js exports.
        family: names this site's workers, and so the shelf.
        do: carries out the session's effects.
        tell: posts a text to the tab on a port.
    """

    def __init__(
        self,
        session: Session,
        turns: Any,
        family: str,
        do: Callable[[list[Effect]], None],
        tell: Callable[[int, str], None],
    ) -> None:
        guard = Guard(turns)
        guard.install()
        display.install()
        self.live = LiveData(session, guard, do)
        # from partyline import line, chart, check; cells have the names without it, too
        given = {"line": Line(self.live), "chart": make_chart(display.display, print), "check": Check(display.display)}
        vars(partyline).update(given)
        given["display"] = display.display
        self.desk = Desk(guard, Shelf(family), tell, lambda on: do(session.cells_hold(on)), given)
