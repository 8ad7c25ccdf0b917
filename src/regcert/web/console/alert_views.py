"""What the page of alerts is drawn from; `views.py` says what holds for every view."""

from dataclasses import dataclass

from regcert.domain.alert import Alert
from regcert.web.console.views import Region, Viewer

SHOWN_VALUES = 4


@dataclass(frozen=True, slots=True)
class AlertsView:
    """What a team was told.

    Args:
        region: which region this host serves.
        viewer: who looks.
        now_us: the time that the page speaks of.
        alerts: some of them, the newest first.
        next_number: where the list goes on, or None.
        later: whether this is not its beginning.
        may_mark: whether the viewer may mark them as seen.
    """

    region: Region
    viewer: Viewer
    now_us: int
    alerts: tuple[Alert, ...]
    next_number: int | None
    later: bool
    may_mark: bool

    @property
    def newest(self) -> int:
        """The number up to which all are marked as seen; what comes while somebody reads stays new."""
        return self.alerts[0].number if self.alerts else 0

    @property
    def shown_values(self) -> int:
        """How many values stand in one row."""
        return SHOWN_VALUES
