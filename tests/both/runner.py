"""Runs test modules where there is no pytest: on MicroPython and on Pyodide. Written in MicroPython's dialect."""

import io
import json
import sys

PASSED = "passed"


def run(modules: str) -> str:
    """Run all tests of ``modules``, a JSON array of names.

    Returns JSON text: ``python`` says which interpreter this is, and ``results`` holds for each ``module.test``
    ``passed`` or a traceback. A module that cannot be imported has its traceback under its own name.
    """
    results = {}
    for module in json.loads(modules):
        try:
            tests = __import__(module)
        except Exception as error:
            results[module] = _traceback(error)
            continue
        for name in sorted(dir(tests)):
            if name.startswith("test_"):
                print(f"= {module}.{name}")  # where the interpreter dies, this says in which test
                results[f"{module}.{name}"] = _run(getattr(tests, name))
    python = {"name": sys.implementation.name, "platform": sys.platform, "version": sys.version}
    return json.dumps({"python": python, "results": results})


def _run(test: "object") -> str:
    try:
        returned = test()
        if returned is not None:
            raise TypeError(f"a test returned {returned!r}; is it async? Tests here are plain functions")
    except Exception as error:
        return _traceback(error)
    return PASSED


def _traceback(error: Exception) -> str:
    if hasattr(sys, "print_exception"):  # MicroPython's way
        out = io.StringIO()
        sys.print_exception(error, out)
        return out.getvalue()
    import traceback

    return "".join(traceback.format_exception(error))
