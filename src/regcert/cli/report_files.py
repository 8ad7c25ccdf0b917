"""Files of sighting reports: JSON Lines, each with a report id, so that a file that was sent halfway can be sent again."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from regcert.errors import Code, Refusal

MOST_LINE_BYTES = 64 * 1024


def read_lines(path: Path) -> Iterator[bytes]:
    """Read the reports of a file line by line, in memory that does not grow with it.

    A report without a `report_id` gets one that is made of the whole file and its line: the same file sent again changes
    nothing, and the same line in tomorrow's file is another report. What is no JSON object goes as it is, to be refused.

    Raises:
        Refusal: MALFORMED_REQUEST where the file cannot be read; TOO_LARGE for a line beyond 64 KiB.
    """
    try:
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest()[:16]
            file.seek(0)
            number = 0
            while line := file.readline(MOST_LINE_BYTES + 1):
                number += 1
                if len(line) > MOST_LINE_BYTES:
                    raise Refusal(Code.TOO_LARGE, f"{path.name}: line {number} is longer than {MOST_LINE_BYTES} bytes")
                yield _named(line.strip(), f"{whole}-{number}")
    except OSError as error:
        raise Refusal(Code.MALFORMED_REQUEST, f"{path.name} cannot be read: {error.strerror}") from error


def _named(line: bytes, report_id: str) -> bytes:
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(report, dict) or "report_id" in report:
        return line
    # Written in front of what stands there, which stays as it is: to read and write it anew could change it.
    return b'{"report_id":"' + report_id.encode() + (b'",' if report else b'"') + line[1:]
