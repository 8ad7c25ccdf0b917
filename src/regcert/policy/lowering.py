"""No marking is lowered behind the back of whoever set it.

What stands here was read under a promise. A later version, or the same object in a wider collection, may keep that promise or
make a stricter one; a milder one is for the team that published it to make, over its signature.
"""

from collections.abc import Iterable

from regcert.domain.standing import Standing
from regcert.domain.submission import Admitted, AdmittedObject
from regcert.stix.tlp import Tlp

# Not statements of anybody: a marking is a word of the language, and a manifest says nothing itself.
_UNBOUND = frozenset({"marking-definition", "publication-manifest"})


def is_bound(one: AdmittedObject) -> bool:
    """Tell whether the marking of an object's other versions binds it.

    A cyber-observable has no versions, and its id follows from its value: two teams that see one address make the same object,
    and neither repeats the other.
    """
    return one.stix.version_us is not None and one.stix.type not in _UNBOUND


def least_marking(one: AdmittedObject, here: Standing | None, elsewhere: Iterable[Standing], admitted: Admitted) -> Tlp:
    """Find the mildest marking that an object may carry.

    1. Where it stands in the collection already, that decides, and elsewhere only what is newer and by the same author: nobody
       binds an author by a stricter copy of what is out.
    2. Of these the newest version counts; of several of one age, the strictest.
    3. It does not count where the very same object stands there from the same author, since then nothing was lowered, nor where
       the team that published it declassifies it in this publication.

    Args:
        one: what is about to be stored.
        here: its newest version in the collection, or None where there is none that its sender may know of.
        elsewhere: its newest version in each other collection that its sender reads.
        admitted: what it came with.
    """
    known = list(elsewhere)
    if here is not None:  # 1
        known = [here, *(each for each in known if each.author == here.author and each.version_us > here.version_us)]
    newest_us = max((each.version_us for each in known), default=0)  # 2
    team_id = admitted.received.principal.team.team_id
    is_declassified = one.stix.stix_id in admitted.declassified
    binding = (
        each.marking
        for each in known
        if each.version_us == newest_us
        and not (each.digest == one.stix.digest and each.author == one.author)  # 3
        and not (is_declassified and each.team_id == team_id)
    )
    return max(binding, default=Tlp.CLEAR)


def mildest(objects: Iterable[AdmittedObject]) -> Tlp:
    """Find the mildest marking in a submission: where nothing stricter can stand, nothing need be compared."""
    return min((one.marking for one in objects), default=Tlp.RED)
