"""Teams, collections and API roots as they are typed, held to the rules of the region file."""

from collections.abc import Mapping, Sequence

from regcert.domain.collection import ApiRoot, SignatureRule
from regcert.domain.region import CollectionEntry, TeamEntry, read_api_root_entry, read_collection_entry, read_team_entry
from regcert.domain.team import TeamKind


def read_team(slug: str, name: str, country: str, kind: TeamKind, identity: str) -> TeamEntry:
    """Read a team.

    Raises:
        Refusal: INVALID_REGION, naming what is wrong.
    """
    words = {"slug": slug, "name": name, "country": country.upper(), "kind": kind.value, "identity": identity}
    return read_team_entry(f"team {slug[:40]!r}", {**words, "collection": ""})


def read_api_root(slug: str, title: str, description: str) -> ApiRoot:
    """Read an API root.

    Raises:
        Refusal: INVALID_REGION, naming what is wrong.
    """
    return read_api_root_entry(f"API root {slug[:40]!r}", {"slug": slug, "title": title, "description": description})


def read_collection(
    words: Mapping[str, str],
    *,
    tlp: str,
    signature: SignatureRule,
    read: str,
    write: str,
    media_types: Sequence[str] = (),
    blind_matching: bool = False,
) -> CollectionEntry:
    """Read a collection.

    Args:
        words: its slug, title, description and uuid, and its API root where it is not the region's own.
        tlp: its ceiling, with or without `TLP:`.
        signature: whether posts must be signed.
        read: `all`, or slugs parted by commas.
        write: likewise.
        media_types: that its objects may be of besides STIX 2.1.
        blind_matching: whether its readers agreed to that.

    Raises:
        Refusal: INVALID_REGION, naming what is wrong.
    """
    named = {"media_types": list(media_types)} if media_types else {}
    rules = {
        "ceiling": tlp.upper().removeprefix("TLP:"),
        "signature": signature.value,
        "read": _audience(read),
        "write": _audience(write),
        "blind_matching": blind_matching,
    }
    return read_collection_entry(f"collection {words['slug'][:40]!r}", {**words, **rules, **named})


def _audience(text: str) -> str | list[str]:
    return "all" if text == "all" else [part.strip() for part in text.split(",") if part.strip()]
