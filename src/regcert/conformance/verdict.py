"""What a check may find, and the exceptions by which it says so."""

from enum import StrEnum

MOST_CHARACTERS = 240


class Verdict(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"


class Broken(Exception):  # noqa: N818 - it is a finding, not an error of ours
    """The server does not keep the rule; the message is what was seen instead."""


class Skipped(Exception):  # noqa: N818
    """The rule could not be looked at; the message says what was missing."""


class NotOffered(Exception):  # noqa: N818
    """The rule is about something that this server does not do, and need not."""


def expect(kept: bool, seen: str) -> None:  # noqa: FBT001 - reads as a sentence: expect(more, "...")
    """Go on where the rule is kept.

    Raises:
        Broken: with what was seen.
    """
    if not kept:
        raise Broken(seen)


def inert(words: object, most: int = MOST_CHARACTERS) -> str:
    """Turn anything a stranger sent into one printable line of at most so many characters."""
    text = words if isinstance(words, str) else repr(words)
    shown = "".join(character if character.isprintable() else " " for character in text[: most * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"
