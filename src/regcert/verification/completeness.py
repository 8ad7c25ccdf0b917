"""Whether everything that teams have signed for was handed over, and whether they have told one story only.

Spec: docs/signing.md §8.1, steps 4 and 5
"""

from collections.abc import Iterator, Sequence

from regcert.domain.publication import Listed
from regcert.errors import Refusal
from regcert.stix.timestamps import read_timestamp
from regcert.verification.alarms import Alarm, Alert
from regcert.verification.judging import Gathered, View, find_chains
from regcert.verification.statements import Statement


def find_set_alerts(gathered: Gathered, view: View) -> Iterator[Alert]:
    """Find what is missing in a set that ought to be whole, and teams that contradict themselves."""
    counted, chains = find_chains(gathered.statements.values(), view)
    for _, _, team in sorted(chains.forked):
        yield Alert(
            Alarm.EQUIVOCATION, f"{team} has signed two publications of one number, or after something else; ask the team"
        )
    for (_, _, team), seq in sorted(chains.gaps.items()):
        yield Alert(Alarm.OMISSION, f"publication {seq} of {team} in this collection was not handed over")
    missing = find_missing(gathered, counted)
    if missing:
        sentence = f"{len(missing)} signed objects were not handed over, among them {missing[0].stix_id}"
        yield Alert(Alarm.OMISSION, sentence)


def find_missing(gathered: Gathered, counted: Sequence[Statement]) -> list[Listed]:
    """Find the listed objects that are not there, neither in that version nor in a later one that is listed, too.

    One that is there with another content is not missing: it gets a verdict of its own.
    """
    listed = {one: None for statement in counted for one in statement.publication.objects}
    places = {one.place for one in gathered.held}
    newest: dict[str, tuple[int, str]] = {}
    for one in listed:
        if one in gathered.held:
            newest[one.stix_id] = max(newest.get(one.stix_id, (-1, "")), _when(one))
    return [one for one in listed if one.place not in places and newest.get(one.stix_id, (-1, "")) <= _when(one)]


def _when(one: Listed) -> tuple[int, str]:
    """Order versions by the time that they name; what is no time goes before all."""
    try:
        return read_timestamp(one.version or ""), one.version or ""
    except Refusal:
        return -1, one.version or ""
