"""Client profiles: where a real client and the standard disagree, and what is done for it.

The host answers as the standard says. A token may name the software that shows it; the answers to that token then deviate in
the ways that this software needs, and in no other. Each deviation says what the client does without it: one whose reason has
gone can be taken out. What harms nobody (a slash left out, a lenient Accept) is for all and stands in no profile.

Spec: TAXII 2.1 §2 (empty lists are left out), §3.4 (how much a server gives that is not asked for a limit), §3.7, §5.4
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from regcert.errors import Code, Refusal

LEAST_PAGE_OBJECTS = 100
MOST_PAGE_OBJECTS = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LINE = re.compile(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]{0,399}")
_KEYS = frozenset({"name", "title", "note", "deviations"})


class Deviation(StrEnum):
    """What may be done otherwise than the standard says."""

    EMPTY_LIST = "empty-list"
    ECHO_ADDED_AFTER = "echo-added-after"
    PAGE_OBJECTS = "page-objects"


@dataclass(frozen=True, slots=True)
class Profile:
    """How one sort of client is answered.

    Args:
        name: what an operator types.
        title: the software, for people.
        empty_list: an answer without items carries its list all the same: `{"objects": [], "more": false}` instead of `{}`.
        echo_added_after: an empty answer of objects or of the manifest says in `X-TAXII-Date-Added-Last` the `added_after` that
            was asked; where none was asked it says nothing.
        page_objects: how many objects a page holds for a client that names no limit, or None for the host's own number.
        reasons: for each deviation, what the client does without it.
        note: for people: what it is used for, or why it needs nothing.
    """

    name: str
    title: str
    empty_list: bool = False
    echo_added_after: bool = False
    page_objects: int | None = None
    reasons: tuple[tuple[Deviation, str], ...] = ()
    note: str = ""

    def describe_deviations(self) -> list[str]:
        """Say in words what is done otherwise, for people."""
        words = {
            Deviation.EMPTY_LIST: "empty lists are written out",
            Deviation.ECHO_ADDED_AFTER: "an empty answer repeats added_after",
            Deviation.PAGE_OBJECTS: f"pages of {self.page_objects:,}" if self.page_objects else "",
        }
        return [words[what] for what, _ in self.reasons]


STRICT = Profile("strict", "TAXII 2.1 as it stands")


def read_profile(label: str, data: Mapping[str, object]) -> Profile:
    """Read a profile, see schemas/client-profile.schema.json.

    Args:
        label: what to call the file before a person.
        data: its content, parsed from TOML.

    Raises:
        Refusal: INVALID_SETTING, naming the entry at fault.
    """
    unknown = sorted(data.keys() - _KEYS)
    if unknown:
        raise _refusal(label, f"remove or correct {unknown[0][:40]!r}, no such key is known here")
    name = data.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == STRICT.name:
        raise _refusal(label, f"'name' must be lower case letters, digits and hyphens, at most 40, and not {STRICT.name!r}")
    deviations = _read_deviations(label, data)
    reasons = tuple((what, reason) for what, reason, _ in deviations)
    chosen = {what for what, _ in reasons}
    if len(chosen) != len(reasons):
        raise _refusal(label, "name each deviation once")
    return Profile(
        name=name,
        title=_read_line(label, data, "title"),
        empty_list=Deviation.EMPTY_LIST in chosen,
        echo_added_after=Deviation.ECHO_ADDED_AFTER in chosen,
        page_objects=next((objects for _, _, objects in deviations if objects is not None), None),
        reasons=reasons,
        note=_read_line(label, data, "note"),
    )


def require_profile(profiles: Mapping[str, Profile], name: str) -> Profile:
    """Return the profile of a name.

    Raises:
        Refusal: NOT_FOUND, listing those that are known.
    """
    profile = profiles.get(name)
    if profile is None:
        raise Refusal(Code.NOT_FOUND, f"there is no profile of that name; known are {', '.join(sorted(profiles))}")
    return profile


def profile_of(profiles: Mapping[str, Profile], name: str | None) -> Profile:
    """Return how to answer a token: by the profile that it names, strictly where it names none or one that has gone."""
    return STRICT if name is None else profiles.get(name, STRICT)


def _read_deviations(label: str, data: Mapping[str, object]) -> list[tuple[Deviation, str, int | None]]:
    entries = data.get("deviations", [])
    empty = "deviations" in data and not entries
    if empty or not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise _refusal(label, "write 'deviations' as a list of tables, [[deviations]], or leave it out")
    return [_read_deviation(f"{label}, deviation {number}", entry) for number, entry in enumerate(entries, 1)]


def _read_deviation(place: str, entry: Mapping[str, object]) -> tuple[Deviation, str, int | None]:
    what = next((one for one in Deviation if one == entry.get("what")), None)
    if what is None:
        raise _refusal(place, f"'what' must be one of {', '.join(Deviation)}")
    sized = what is Deviation.PAGE_OBJECTS
    unknown = sorted(entry.keys() - ({"what", "reason", "objects"} if sized else {"what", "reason"}))
    if unknown:
        raise _refusal(place, f"remove or correct {unknown[0][:40]!r}, {what.value!r} has no such key")
    return what, _read_line(place, entry, "reason"), _read_objects(place, entry) if sized else None


def _read_objects(place: str, entry: Mapping[str, object]) -> int:
    objects = entry.get("objects")
    if not isinstance(objects, int) or isinstance(objects, bool) or not LEAST_PAGE_OBJECTS <= objects <= MOST_PAGE_OBJECTS:
        raise _refusal(place, f"'objects' must be a whole number from {LEAST_PAGE_OBJECTS} to {MOST_PAGE_OBJECTS}")
    return objects


def _read_line(place: str, entry: Mapping[str, object], key: str) -> str:
    text = entry.get(key)
    if not isinstance(text, str) or not _LINE.fullmatch(text):
        raise _refusal(place, f"{key!r} must be one line of 1 to 400 characters")
    return text


def _refusal(place: str, sentence: str) -> Refusal:
    return Refusal(Code.INVALID_SETTING, f"the client profile {place}: {sentence}")
