"""Partyline's server: ``hypercorn server:app``.

The package that browsers run and this server imports is one and the same folder, ``www/py/partyline``; putting its
parent first on the path keeps it so, in a checkout and in an installed copy alike.
"""

import sys

from .config import ROOT, SettingsError

sys.path.insert(0, str(ROOT / "www" / "py"))

from .app import create_app

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"partyline: {error}")
