"""What the host says about itself while it runs: one line an event, on standard error.

No content of an object, no query, no token ever stands in a line; what a line names are routes, codes, numbers and ids of our
own making. Control characters in anything that came from outside are escaped by `repr`, never printed.
"""

import logging
import sys


class _OneLine(logging.Formatter):
    """Keep a record on one line, so that nobody can forge another."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


def set_up_logging(level: str) -> None:
    """Send the log to standard error.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
