"""What can go wrong while the browser's files are prepared."""


class AssetsError(Exception):
    """The browser's files could not be prepared; the message says what happened, to what, and what to do."""
