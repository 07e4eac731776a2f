"""Python packages for cells, handed out by this server alone: browsers need no internet, and one fetch serves a class.

    a folder of wheels ─┐
    Pyodide's own      ─┼─> GET /packages/pyodide-lock.json        what `import` can find, with each file's sha256
    (fetched once)      │   GET /packages/<file>                   a wheel
    PyPI (fetched once)─┘   GET /packages/simple/<project>/        what micropip asks (PEP 691)
                            GET /packages/pypi/<project>/<file>    a wheel of PyPI's

A wheel that lies in the folder goes before Pyodide's own of that name. What is fetched is kept in the folder, and is
checked against the hash that its index promised. What was fetched of PyPI lies apart, since anybody may have asked for
it: cells get it by ``micropip`` alone, never by ``import``. ``python -m server.packages numpy`` fetches ahead.
"""

from .distribution import Distribution
from .fetching import FetchError
from .handing import Packages

__all__ = ["Distribution", "FetchError", "Packages"]
