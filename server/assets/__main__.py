"""``python -m server.assets``: prepare the browser's files, and say how it goes."""

import sys

from server.config import ROOT

from . import AssetsError, default_out, prepare


def main() -> int:
    """Prepare what is missing. Returns the exit status: 0 when the files are ready, whoever made them."""
    try:
        prepare(ROOT, default_out(), lambda line: print(line, flush=True))
    except AssetsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Nothing is left half done: run the same command again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
