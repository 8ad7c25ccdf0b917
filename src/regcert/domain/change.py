"""A change: what became of one incident when correlation read on."""

from collections.abc import Mapping
from dataclasses import dataclass

from regcert.domain.incident import Incident


@dataclass(frozen=True, slots=True)
class Change:
    """An incident before and after; at least one of them is there.

    Args:
        before: as it was, or None where it is new.
        after: as it is, or None where it is no more.
        into: the id of the incident that it was merged into, or None.
    """

    before: Incident | None
    after: Incident | None
    into: str | None = None

    @property
    def incident(self) -> Incident:
        """The incident as it is, or as it was last."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change is of something")
        return found


def find_changes(
    before: Mapping[str, Incident], after: Mapping[str, Incident], absorbed: Mapping[str, str]
) -> tuple[Change, ...]:
    """Find what changed between two looks at the same incidents.

    Args:
        before: by id, as they were.
        after: by id, as they are.
        absorbed: where merged ones have gone.

    Returns:
        A change for each that is not what it was, by id.
    """
    return tuple(
        Change(before.get(one), after.get(one), absorbed.get(one))
        for one in sorted(before.keys() | after.keys())
        if before.get(one) != after.get(one)
    )
