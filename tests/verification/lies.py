"""Ways in which a host can lie, each as one change to what it shows."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from regcert.clock import DAY_US
from regcert.domain.key_list import team_key
from regcert.signing.key_list import seal_key_list
from regcert.signing.note import Note, read_note
from regcert.signing.private_key import PrivateKey, new_private_key
from regcert.signing.publication import list_object, seal_publication
from regcert.translog.leaf import AuditLeaf, KeyLeaf
from tests.made import indicator
from tests.verification.served_world import signed
from tests.verification.world import Shown, World

Change = Callable[[World, Shown], None]
NEVER, EARLY, LATE = "never", "early", "late"


@dataclass(frozen=True)
class Lie:
    """One lie.

    Args:
        name: what it is.
        change: makes it, out of what an honest host shows.
        alarm: the name by which it must be found out; empty where a verdict alone says it.
        exit_code: of the poll.
        seen: what the reader saw before: nothing, the early world, or the late one.
        late_s: how long after the last cosignature he looks, seconds.
        base: which world is changed.
    """

    name: str
    change: Change
    alarm: str
    exit_code: int
    seen: str = NEVER
    late_s: float = 1.0
    base: str = LATE


def show_fork(world: World, shown: Shown) -> None:
    shown.entries[-1] = AuditLeaf(999, bytes(32)).write()
    shown.checkpoint = signed(shown.entries, world.origin, world.log)


def sign_another_root(world: World, shown: Shown) -> None:
    """Another root of the same size, and nothing else of that story."""
    shown.checkpoint = signed([*shown.entries[:-1], AuditLeaf(999, bytes(32)).write()], world.origin, world.log)


def show_rewritten(world: World, shown: Shown) -> None:
    shown.entries[2] = AuditLeaf(999, bytes(32)).write()
    shown.checkpoint = signed(shown.entries, world.origin, world.log)


def show_one_to_witnesses(world: World, shown: Shown) -> None:
    shown.entries[2] = AuditLeaf(999, bytes(32)).write()
    shown.entries.append(AuditLeaf(1000, bytes(32)).write())
    shown.checkpoint = signed(shown.entries, world.origin, world.log)


def show_early(world: World, shown: Shown) -> None:
    early = world.early.copy()
    for name in ("entries", "checkpoint", "witnessed", "objects", "rows", "proofs"):
        setattr(shown, name, getattr(early, name))


def hide_last_rows(_: World, shown: Shown) -> None:
    shown.rows = shown.rows[:2]


def hide_new_rows(world: World, shown: Shown) -> None:
    shown.rows = world.early.copy().rows


def hide_newest(_: World, shown: Shown) -> None:
    """The newest publication never happened: its row, its manifest, its objects."""
    row = shown.rows.pop()
    manifest = shown.proofs.pop(row["manifest"])["manifest"]
    listed = {one[0] for one in payload_of(manifest)["objects"]}
    gone = {row["manifest"], *listed}
    shown.drop(*(at for at, (_, body) in enumerate(shown.objects) if json.loads(body)["id"] in gone))


def hide_row(_: World, shown: Shown) -> None:
    del shown.rows[1]


def hide_row_and_renumber(world: World, shown: Shown) -> None:
    hide_row(world, shown)
    for number, row in enumerate(shown.rows, 1):
        row["number"] = number


def drop_object(world: World, shown: Shown) -> None:
    shown.drop(*shown.find(world.names["three"]))


def strip_manifest(_: World, shown: Shown) -> None:
    shown.drop(*shown.find(shown.rows[1]["manifest"]))


def change_content(world: World, shown: Shown) -> None:
    [at] = shown.find(world.names["three"])
    shown.change(at, pattern="[domain-name:value = 'bank.example']")


def swap_content(world: World, shown: Shown) -> None:
    """What the older version said, under the newer version's time."""
    before, after = shown.find(world.names["one"])
    newer = json.loads(shown.objects[after][1])["modified"]
    shown.objects[after] = shown.objects[after][0], orjson.dumps(json.loads(shown.objects[before][1]) | {"modified": newer})


def show_older_version(world: World, shown: Shown) -> None:
    shown.drop(shown.find(world.names["one"])[1])


def exchange_places(_: World, shown: Shown) -> None:
    one, other = shown.rows[0], shown.rows[1]
    one["leaf_index"], other["leaf_index"] = other["leaf_index"], one["leaf_index"]


def exchange_manifests(_: World, shown: Shown) -> None:
    one, other = shown.rows[0], shown.rows[1]
    for name in ("manifest", "team", "seq"):
        one[name], other[name] = other[name], one[name]


def exchange_last(_: World, shown: Shown) -> None:
    """The publication that was the last one is another one now."""
    shown.rows[2] = shown.rows[2] | {"manifest": shown.rows[5]["manifest"]}


def count_back(_: World, shown: Shown) -> None:
    shown.rows[2]["seq"] = 1


def change_blind(_: World, shown: Shown) -> None:
    shown.blind = "00" * 32


def do_nothing(_: World, __: Shown) -> None:
    pass


def strip_cosignatures(_: World, shown: Shown) -> None:
    note = read_note(shown.checkpoint)
    shown.checkpoint, shown.witnessed = Note(note.text, note.signatures[:1]).write(), b""


def strip_one_cosignature(_: World, shown: Shown) -> None:
    note = read_note(shown.checkpoint)
    shown.checkpoint, shown.witnessed = Note(note.text, note.signatures[:2]).write(), b""


def envelope_of_list(world: World, root: PrivateKey, version: int = 1, prev: bytes | None = None) -> dict[str, Any]:
    team, now_us = world.signers["alcirt"].team.identity_id, world.late.now_us
    return seal_key_list(
        team=team,
        version=version,
        prev=prev,
        issued_us=now_us,
        expires_us=now_us + 100 * DAY_US,
        keys=[team_key(new_private_key().public.raw)],
        root=root,
    ).as_json()


def show_forged_list(world: World, shown: Shown) -> None:
    for answer in shown.proofs.values():
        if answer["team"] == world.signers["alcirt"].team.identity_id:
            answer["key_lists"] = [answer["key_lists"][0] | {"envelope": envelope_of_list(world, new_private_key())}]


def show_coming_list(world: World, shown: Shown) -> None:
    """By another root, and not in the log yet, as the host says."""
    for answer in shown.proofs.values():
        if answer["team"] == world.signers["alcirt"].team.identity_id:
            coming = {"version": 2, "leaf_index": 10**6, "envelope": envelope_of_list(world, new_private_key()), "proof": None}
            answer["key_lists"].append(coming)


def show_unsigned_list(world: World, shown: Shown) -> None:
    for answer in shown.proofs.values():
        for one in answer["key_lists"]:
            one["envelope"]["signatures"][0]["sig"] = "AAAA" * 21 + "AA=="


def log_forged_list(world: World, shown: Shown) -> None:
    enter(world, shown, envelope_of_list(world, new_private_key()))


def log_broken_list(world: World, shown: Shown) -> None:
    """By the right root, and behind another list than the last one: two versions of one number."""
    enter(world, shown, envelope_of_list(world, world.signers["alcirt"].root, 7, bytes(32)))


def log_nobodys_list(world: World, shown: Shown) -> None:
    envelope = envelope_of_list(world, new_private_key())
    envelope["signatures"][0]["sig"] = "AAAA" * 21 + "AA=="
    enter(world, shown, envelope)


def enter(world: World, shown: Shown, envelope: dict[str, Any]) -> None:
    shown.entries.append(KeyLeaf(envelope).write())
    shown.checkpoint = signed(shown.entries, world.origin, world.log)


def withhold_list(world: World, shown: Shown) -> None:
    """The key is not shown as stolen."""
    for answer in shown.proofs.values():
        answer["key_lists"] = answer["key_lists"][:1]


def show_bad_entry(_: World, shown: Shown) -> None:
    shown.entries[2] = AuditLeaf(999, bytes(32)).write()


def forge_manifest(world: World, shown: Shown) -> None:
    """A publication with the right name, by a key of the host's own."""
    row = shown.rows[1]
    [at] = shown.find(row["manifest"])
    said = payload_of(json.loads(shown.objects[at][1]))
    mine = indicator(name="forged")
    forged = seal_publication(
        manifest_id=row["manifest"],
        host=world.origin,
        collection=said["collection"],
        team=row["team"],
        seq=row["seq"],
        prev=None,
        issued_us=world.early.now_us,
        nonce=bytes(32),
        markings=(),
        objects=[list_object(mine)],
        key=new_private_key(),
    )
    added = shown.objects[at][0]
    shown.objects[at] = added, orjson.dumps(forged)
    shown.objects.insert(at, (added, orjson.dumps(mine)))


def rename_collection(_: World, shown: Shown) -> None:
    shown.collection = shown.collection | {"id": "00000000-0000-4000-8000-000000000000"}


def sign_twice(world: World, shown: Shown) -> None:
    """The team itself tells two stories: a second publication of a number."""
    signer = world.signers["alcirt"]
    mine = indicator(name="the other story")
    second = seal_publication(
        manifest_id=f"publication-manifest--{uuid.uuid4()}",
        host=world.origin,
        collection=shown.collection["id"],
        team=signer.team.identity_id,
        seq=1,
        prev=None,
        issued_us=world.early.now_us,
        nonce=bytes(32),
        markings=(),
        objects=[list_object(mine)],
        key=signer.key,
    )
    shown.objects += [(shown.objects[-1][0], orjson.dumps(one)) for one in (mine, second)]


def jump(_: World, shown: Shown) -> None:
    shown.rows[-1]["seq"] = 2**53 - 1


def tell_this_reader_alone(world: World, shown: Shown) -> None:
    """Another tree, which no witness has seen."""
    shown.entries.append(AuditLeaf(999, bytes(32)).write())
    shown.checkpoint, shown.witnessed = signed(shown.entries, world.origin, world.log), b""


def add_unsigned(_: World, shown: Shown) -> None:
    shown.objects.append((shown.objects[-1][0], orjson.dumps(indicator(name="nobody's"))))


def add_ambiguous(_: World, shown: Shown) -> None:
    """An object that two parsers read differently."""
    body = orjson.dumps(indicator())
    shown.objects.append((shown.objects[-1][0], body[:-1] + b',"confidence":1,"confidence":99}'))


def payload_of(manifest: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(base64.b64decode(manifest["dsse"]["payload"]))
    return said


LIES = [
    Lie("another root for a size that was seen", show_fork, "equivocation", 16, LATE),
    Lie("another root for a size that was seen, and no tiles of it", sign_another_root, "equivocation", 16, LATE),
    Lie("an older entry is another one, in a larger tree", show_rewritten, "equivocation", 16, EARLY),
    Lie("another story than the witnesses were told", show_one_to_witnesses, "equivocation", 16),
    Lie("a smaller log than was seen", show_early, "roll-back", 20, LATE),
    Lie("fewer publications than were seen", hide_last_rows, "roll-back", 20, LATE),
    Lie("the newest publication never happened", hide_newest, "omission", 22),
    Lie("the newest publications never happened, to a reader who comes again", hide_new_rows, "omission", 22, EARLY),
    Lie("a publication in the middle is not listed", hide_row, "omission", 22),
    Lie("the gap is hidden by other numbers", hide_row_and_renumber, "reordering", 21),
    Lie("an object is missing", drop_object, "omission", 22),
    Lie("the manifest is taken away", strip_manifest, "omission", 22),
    Lie("an object says something else", change_content, "", 18, base=EARLY),
    Lie("an older version's content under the newer version's time", swap_content, "", 18, base=EARLY),
    Lie("an older version instead of the newer one", show_older_version, "omission", 22),
    Lie("two publications stand in each other's place", exchange_places, "reordering", 21),
    Lie("two publications have each other's numbers", exchange_manifests, "reordering", 21),
    Lie("the last publication is another one than was seen", exchange_last, "reordering", 21, EARLY),
    Lie("a team's numbers count back", count_back, "reordering", 21),
    Lie("another blind than before", change_blind, "reordering", 21, EARLY),
    Lie("another blind from the beginning", change_blind, "reordering", 21),
    Lie("the log stands still", do_nothing, "freeze", 17, LATE, 660.0),
    Lie("cosignatures are kept back", strip_cosignatures, "freeze", 17, LATE, 660.0),
    Lie("no cosignature at all", strip_cosignatures, "freeze", 17),
    Lie("one cosignature too few", strip_one_cosignature, "freeze", 17),
    Lie("a key list by another root", show_forged_list, "forged-key-list", 23),
    Lie("a key list by another root that is on its way", show_coming_list, "forged-key-list", 23),
    Lie("a key list that nobody signed", show_unsigned_list, "forged-key-list", 23),
    Lie("the log has a key list by another root", log_forged_list, "forged-key-list", 23),
    Lie("the log has a key list that continues nothing", log_broken_list, "forged-key-list", 23, LATE),
    Lie("the log has a key list that nobody signed", log_nobodys_list, "forged-key-list", 23),
    Lie("a revocation is kept back", withhold_list, "withheld-key-list", 24),
    Lie("entries that are not those of the log", show_bad_entry, "unproven", 25),
    Lie("a publication by a key of the host's own", forge_manifest, "omission", 22),
    Lie("publications of another collection", rename_collection, "", 12, base=EARLY),
    Lie("a team tells two stories", sign_twice, "equivocation", 16),
    Lie("a team's numbers jump", jump, "omission", 22),
    Lie("a story for this reader alone", tell_this_reader_alone, "freeze", 17),
    Lie("an object that nobody signed", add_unsigned, "", 13, base=EARLY),
    Lie("an object that two parsers read differently", add_ambiguous, "", 12, base=EARLY),
]
