"""What the host says about itself while it runs: one line an event, on standard error.

No content of an object, no query, no token ever stands in a line; what a line names are routes, codes, numbers and ids of our
own making. Control characters in anything that came from outside are escaped by `repr`, never printed. Of an exception stand
its type and where it arose, never its words: they quote the value that somebody stumbled over.
"""

import logging
import sys
import time
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

_MOST_CAUSES = 8


class OneLine(logging.Formatter):
    """Keep a record on one line, so that nobody can forge another, and exceptions without their words.

    Here and not where we log, because the libraries below us log exceptions too: aiohttp quotes the request that it could not
    parse, token and all.
    """

    _second = 0
    _written = ""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        record.exc_text = None  # another handler may have left its own, longer one there
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's own name
        """Write when it was, in UTC; of the many lines of a second, the first works it out."""
        second = int(record.created)
        if second != self._second:
            self._second, self._written = second, time.strftime(datefmt or "%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._written}.{int(record.msecs):03d}Z"

    def formatException(  # noqa: N802 - logging's own name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Write what was raised."""
        return "" if ei[1] is None else trace_of(ei[1])


def trace_of(error: BaseException) -> str:
    """Tell the type of an exception, where it arose, and the same of what caused it; not what any of them says."""
    parts: list[str] = []
    following: BaseException | None = error
    while following is not None and len(parts) < _MOST_CAUSES:
        places = (f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in extract_tb(following.__traceback__))
        parts.append(f"{type(following).__module__}.{type(following).__qualname__} at {' > '.join(places)}")
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return ", because of ".join(parts)


def set_up_logging(level: str) -> None:
    """Send the log to standard error.

    Args:
        level: of our own lines: DEBUG, INFO, WARNING or ERROR. Libraries write from WARNING on.
    """
    # What no line of ours shows need not be found out for each of them: threads, processes, and which line of code wrote it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - what the library's own documentation says to do
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    # The level is ours alone: at DEBUG the libraries below write statements with their parameters, which are content.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("regcert").setLevel(level)
