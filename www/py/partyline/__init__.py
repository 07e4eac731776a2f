"""What the server, the worker and the tabs share: the words of the line.

Imported by CPython (server), Pyodide (SharedWorker) and MicroPython (tabs) from this one folder, so it is
written in MicroPython's dialect: no ``typing``, no ``dataclasses``, no ``match``, and dicts keep no order.

- ``protocol``: frames, their kinds, limits, error codes and close codes
- ``jsontext``: JSON text, read the same by every Python
- ``topics``: which names are topics, which patterns match them
- ``ring``: the last events of a topic, kept as the text that came
- ``store``: the events of some topics, in order and once each, as a tab shows them
"""

__version__ = "0.1.0"
