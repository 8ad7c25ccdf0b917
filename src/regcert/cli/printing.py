"""What comes of a command: data on standard output, sentences for people on standard error."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast.

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

# Wide enough for two ids and a sentence: what is piped into a file is searched by line, so it must not be wrapped.
_PIPED_COLUMNS = 240


def print_json(value: object) -> None:
    """Print a JSON document; everything but ASCII is escaped, so that it cannot steer a terminal."""
    print(json.dumps(value, indent=2))


def print_line(text: str) -> None:
    """Print one line that a script reads."""
    print(text)


def tell(sentence: str) -> None:
    """Tell a person something, beside the data."""
    print(sentence, file=sys.stderr)


def items(value: object) -> list[Any]:
    """Return the items of a list that somebody else sent, or none where it is no list."""
    return value if isinstance(value, list) else []


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; headings with a leading `>` stand over numbers, which are set flush right.

    Args:
        headings: of the columns.
        rows: plain texts: nothing in them is taken for markup.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # Said outright: variables such as FORCE_COLOR must not put escape codes into a pipe.
    is_terminal = sys.stdout.isatty()
    Console(force_terminal=is_terminal, width=None if is_terminal else _PIPED_COLUMNS).print(table)
