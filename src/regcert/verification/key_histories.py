"""The key lists of every team, as the log has them: one chain for each, from its first version on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from regcert.domain.key_list import KeyList
from regcert.errors import Code, Refusal
from regcert.signing.dsse import Envelope, read_envelope
from regcert.signing.key_list import read_key_list, require_successor
from regcert.signing.public_key import PublicKey
from regcert.signing.verdict import LoggedList


@dataclass(slots=True)
class History:
    """The key lists of one team.

    Args:
        team: its identity.
        lists: the chain, in the order of versions.
        refused: why a list of this team in the log does not continue the chain; None where all do.
    """

    team: str
    lists: list[LoggedList] = field(default_factory=list)
    refused: Refusal | None = None

    def has_root(self, root: bytes) -> bool:
        """Tell whether a root key is that of one of the versions, so that the chain is the team's."""
        return any(logged.key_list.root == root for logged in self.lists)

    def find_key(self, key_id: str) -> PublicKey | None:
        """Find the key of an id in any version."""
        found = (logged.key_list.find_key(key_id) for logged in self.lists)
        return next((PublicKey(key.public) for key in found if key is not None), None)


def read_histories(entered: Iterable[tuple[int, object]]) -> dict[str, History]:
    """Read the key lists of a log.

    What stands behind the first list that does not continue a team's chain is not known (docs/signing.md §8.1).

    Args:
        entered: leaf indexes, rising, and the DSSE object at each.

    Returns:
        The history of each team, and under no name that of what cannot be read as anybody's.
    """
    histories: dict[str, History] = {}
    for leaf_index, value in entered:
        read = find_key_list(value)
        if isinstance(read, Refusal):
            histories.setdefault("", History("", refused=read))
            continue
        envelope, key_list = read
        history = histories.setdefault(key_list.team, History(key_list.team))
        if history.refused is not None:
            continue
        before = history.lists[-1].key_list if history.lists else None
        try:
            require_successor(before, envelope, key_list)
        except Refusal as refusal:
            history.refused = refusal
        else:
            history.lists.append(LoggedList(key_list, leaf_index))
    return histories


def find_key_list(value: object) -> tuple[Envelope, KeyList] | Refusal:
    """Read one key list, or say why it is none."""
    try:
        envelope = read_envelope(value, Code.INVALID_KEY_LIST)
        return envelope, read_key_list(envelope)
    except Refusal as refusal:
        return refusal


def choose_lists(histories: Mapping[str, History], roots: Mapping[str, bytes], team: str) -> Sequence[LoggedList]:
    """Choose the key lists by which a team is judged: none where its root is not pinned, or is not that of its chain."""
    history, root = histories.get(team), roots.get(team)
    return history.lists if history is not None and root is not None and history.has_root(root) else ()
