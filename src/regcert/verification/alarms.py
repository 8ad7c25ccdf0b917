"""What a reader finds out about a host that does not keep its word: a name, an exit code, and what to do.

A verdict is about one object; an alarm is about the host, or about the mirror that was made from it. Both can be true at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from regcert.signing.verdict import Verdict, worst


class Alarm(Enum):
    """Ways in which a host, or a copy, lies; the worst first. Name and exit code never change: scripts act on them."""

    EQUIVOCATION = ("equivocation", 16)
    """The log, or a team, has told two stories."""
    ROLL_BACK = ("roll-back", 20)
    """There is less than was seen before."""
    FORGED_KEY_LIST = ("forged-key-list", 23)
    """A key list speaks for a team whose root key did not sign it, or is not in the log."""
    REORDERING = ("reordering", 21)
    """Publications stand elsewhere, or in another order, than the log says."""
    OMISSION = ("omission", 22)
    """Something exists, by the log or by a signature, and was not handed over."""
    WITHHELD_KEY_LIST = ("withheld-key-list", 24)
    """The log has a key list that the host does not show."""
    UNPROVEN = ("unproven", 25)
    """The entries of the log do not give the root that the log signed."""
    FREEZE = ("freeze", 17)
    """No quorum of witnesses has seen this log for longer than the reader's limit."""

    def __init__(self, title: str, exit_code: int) -> None:
        self.title = title
        self.exit_code = exit_code


# What hides something makes the whole view old: what looks good in it may have been revoked elsewhere.
_OLD_VIEW = {Alarm.ROLL_BACK, Alarm.OMISSION, Alarm.UNPROVEN, Alarm.FREEZE}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alarm, and what gave it.

    Args:
        alarm: which.
        sentence: what was found, and what to do; of a server's words nothing stands in it.
    """

    alarm: Alarm
    sentence: str


def is_old(alerts: Iterable[Alert]) -> bool:
    """Tell whether alarms make the reader's view an old one (docs/signing.md §8.1)."""
    return any(alert.alarm in _OLD_VIEW for alert in alerts)


def is_forked(alerts: Iterable[Alert]) -> bool:
    """Tell whether somebody has told two stories."""
    return any(alert.alarm is Alarm.EQUIVOCATION for alert in alerts)


def find_exit_code(alerts: Iterable[Alert], verdicts: Iterable[Verdict]) -> int:
    """Find the exit code of a reading: that of the worst alarm, or without one that of the worst verdict."""
    alarms = {alert.alarm for alert in alerts}
    return next((alarm.exit_code for alarm in Alarm if alarm in alarms), worst(verdicts).exit_code)
