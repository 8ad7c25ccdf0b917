"""Files and mirrors without a network: not how an object is spelled matters, nor where it came from, but what it says."""

import asyncio
import json
import uuid
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from taxii2client.v21 import Collection, as_pages

from regcert.client.verifying import pull_verified
from regcert.domain.publication import MANIFEST_TYPE
from regcert.errors import Refusal
from regcert.signing.private_key import PrivateKey
from regcert.signing.publication import commitment, list_object, read_manifest, seal_publication
from regcert.signing.verdict import Verdict
from regcert.translog.leaf import PublicationLeaf, read_leaf
from regcert.translog.policy import read_policy
from regcert.verification.mirror import Mirror
from regcert.verification.offline import Report, verify
from regcert.verification.roots import Trust
from regcert.verification.witnessed import read_witnessed
from tests.hosting import StillClock
from tests.made import indicator
from tests.verification.served_world import TOKEN, serving
from tests.verification.world import SLUG, Shown, World


@pytest.fixture
async def mirror(world: World, tmp_path: Path) -> Path:
    """A mirror of the late world."""
    async with serving(world.late) as server:
        clock = StillClock(world.late.now_us)
        await pull_verified(server.url, TOKEN, SLUG, tmp_path / "mirror", world.trust, clock=clock)
    return tmp_path / "mirror"


def verdicts(report: Report) -> dict[str, str]:
    return {one.stix_id: one.finding.verdict.value for one in report.judged}


def look(world: World, *paths: Path, trust: Trust | None = None, proofs: Path | None = None, later_us: int = 0) -> Report:
    return verify(paths, trust or world.trust, world.late.now_us + later_us, proofs)


def objects_of(shown: Shown) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in shown.objects]


async def test_plain_client_and_other_spelling(world, mirror, tmp_path):
    """Through somebody else's TAXII client, written again by somebody else's JSON: the verdicts are the same."""
    async with serving(world.late) as server:
        pulled = await asyncio.to_thread(_pull_plainly, f"{server.url}/region/collections/{world.late.collection['id']}/")
    spelled = [dict(sorted(one.items(), reverse=True)) for one in pulled]
    spellings: list[dict[str, Any]] = [{"indent": 3}, {"separators": (" ,", " :")}, {"ensure_ascii": False}]
    for number, options in enumerate(spellings):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"type": "bundle", "id": "bundle--x", "objects": spelled}, **options), encoding="utf-8")
        assert verdicts(look(world, path, proofs=mirror)) == world.expected
    other = [json.loads(json.dumps(one)) for one in spelled]
    for one in other:
        if one.get("confidence") == 70:
            one["confidence"] = 70.0
    path.write_text(json.dumps({"objects": other}))
    assert verdicts(look(world, path, proofs=mirror)) == world.expected


def _pull_plainly(url: str) -> list[dict[str, Any]]:
    with Collection(url, user="x", password=TOKEN) as opened:
        return [one for page in as_pages(opened.get_objects, version="all") for one in page["objects"]]


def test_answers_of_the_proof_api_are_enough(world, tmp_path):
    """Who saved what the API says of each publication needs no mirror."""
    (tmp_path / "proofs").mkdir()
    for number, answer in enumerate(world.late.proofs.values()):
        (tmp_path / "proofs" / f"{number}.json").write_text(json.dumps(answer))
    (tmp_path / "bundle.json").write_text(json.dumps({"objects": objects_of(world.late)}))
    assert verdicts(look(world, tmp_path)) == world.expected
    assert verdicts(look(world, tmp_path / "bundle.json", proofs=tmp_path / "proofs")) == world.expected
    assert set(verdicts(look(world, tmp_path / "bundle.json")).values()) == {"UNKNOWN_KEY"}
    stale = look(world, tmp_path, later_us=10**12)
    assert stale.verdict is Verdict.INVALID
    assert Verdict.VALID not in stale.counts


def test_one_object_by_itself(world, mirror, tmp_path):
    """A file with one object and no frame; without its manifest nobody has signed it."""
    one = next(one for one in objects_of(world.late) if one["id"] == world.names["two"])
    (tmp_path / "one.json").write_text(json.dumps(one, indent=1))
    assert verdicts(look(world, tmp_path / "one.json", proofs=mirror)) == {one["id"]: "UNSIGNED"}


def test_team_without_pinned_root(world, mirror):
    """Key lists of whoever has no pinned root, or another one, are nobody's."""
    some = dict(list(world.roots.items())[:2])
    [gone] = world.roots.keys() - some.keys()
    report = look(world, mirror, trust=Trust(world.policy, some))
    judged = {one.finding.verdict for one in report.judged if one.team == gone}
    assert judged == {Verdict.UNKNOWN_KEY}
    swapped = some | {gone: next(iter(some.values()))}
    report = look(world, mirror, trust=Trust(world.policy, swapped))
    assert [alert.alarm.title for alert in report.alerts] == ["forged-key-list"]
    assert {one.finding.verdict for one in report.judged if one.team == gone} == {Verdict.UNKNOWN_KEY}


@pytest.mark.parametrize("later_s", [599, 601])
def test_freshness_has_a_limit(world, mirror, later_s):
    """Ten minutes after the last word of the first witness the view is old; a policy may ask for less."""
    first_s = min(world_times(world))
    later_us = first_s * 1_000_000 + later_s * 1_000_000 - world.late.now_us
    report = look(world, mirror, later_us=later_us)
    assert [alert.alarm.title for alert in report.alerts] == (["freeze"] if later_s > 600 else [])
    assert (Verdict.STALE in report.counts) == (later_s > 600)
    assert look(world, mirror, trust=Trust(world.policy, world.roots, None), later_us=later_us).alerts == []


def world_times(world: World) -> list[int]:
    return list(read_witnessed(world.late.checkpoint, world.policy).last_s.values())


def test_proofs_that_are_lost_or_changed_prove_less(world, mirror):
    """Without its proof a publication is as old as the newest checkpoint: then the theft came first."""
    for path in (mirror / "proofs").iterdir():
        path.write_bytes(path.read_bytes().replace(b"index ", b"index 1"))
    report = look(world, mirror)
    assert verdicts(report) == world.expected | {one.stix_id: "INVALID" for one in report.judged if one.finding.row == "K5"}
    assert verdicts(report)[world.names["before-theft"]] == "INVALID"
    assert verdicts(report)[world.names["one"]] == "VALID"


@pytest.mark.parametrize("name", ["entries.jsonl", "publications.jsonl", "mirror.json"])
def test_damaged_mirror_has_no_verdict(world, mirror, name):
    """What the reader kept himself is whole, or nothing is said."""
    path = mirror / name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Refusal):
        look(world, mirror)


def test_entry_that_was_changed_is_seen(world, mirror):
    """One digit of the log's copy: nothing in it is where it was signed for."""
    path = mirror / "entries.jsonl"
    lines = path.read_bytes().split(b"\n")
    at = next(number for number, line in enumerate(lines) if line.startswith(b'{"c":'))
    lines[at] = lines[at][:10] + (b"0" if lines[at][10:11] != b"0" else b"1") + lines[at][11:]
    path.write_bytes(b"\n".join(lines))
    assert "unproven" in [alert.alarm.title for alert in look(world, mirror).alerts]


def test_manifest_in_another_place_of_the_file(world, mirror, tmp_path):
    """Objects may stand in many files, twice, and before or behind their manifest."""
    objects = objects_of(world.late)
    (tmp_path / "a.json").write_text(json.dumps({"objects": objects[::-2]}))
    (tmp_path / "b.json").write_text(json.dumps({"objects": [*objects[::2], *objects]}))
    assert verdicts(look(world, tmp_path / "a.json", tmp_path / "b.json", proofs=mirror)) == world.expected


def forged(world: World, seq: int, key: PrivateKey) -> list[dict[str, Any]]:
    """What a thief makes of srb-cert's key, and shows to a reader without any log."""
    one = indicator()
    manifest = seal_publication(
        manifest_id=f"{MANIFEST_TYPE}--{uuid.uuid4()}",
        host=world.origin,
        collection=world.late.collection["id"],
        team=world.signers["srb-cert"].team.identity_id,
        seq=seq,
        prev=None if seq == 1 else bytes(32),
        issued_us=world.late.now_us,
        nonce=bytes(32),
        markings=(),
        objects=[list_object(one)],
        key=key,
    )
    return [one, manifest]


@pytest.mark.parametrize("seq", [1, 2, 3, 4, 99])
def test_thief_of_a_key_that_was_revoked_contradicts_nobody(world, mirror, tmp_path, seq):
    """Whatever number he takes: his is INVALID, and the team's own are what they were; nothing seems withheld."""
    objects = forged(world, seq, world.stolen)
    (tmp_path / "a.json").write_text(json.dumps({"objects": [*objects_of(world.late), *objects]}))
    assert verdicts(look(world, tmp_path / "a.json", proofs=mirror)) == world.expected | {one["id"]: "INVALID" for one in objects}
    before = look(world, mirror)
    (mirror / "objects" / "forged.json").write_text(json.dumps({"objects": objects}))
    report = look(world, mirror)
    assert verdicts(report) == verdicts(before) | {one["id"]: "INVALID" for one in objects}
    assert report.alerts == before.alerts


def test_thief_of_a_key_that_is_good_is_seen_as_a_fork(world, mirror, tmp_path):
    """Nobody can tell which of the two stories is the team's."""
    (tmp_path / "a.json").write_text(
        json.dumps({"objects": [*objects_of(world.late), *forged(world, 3, world.signers["srb-cert"].key)]})
    )
    told = verdicts(look(world, tmp_path / "a.json", proofs=mirror))
    assert told[world.names["new-key"]] == told[world.names["before-theft"]] == "FORK"
    assert told[world.names["one"]] == "VALID"


def test_unreadable_object_spoils_nothing_else(world, mirror, tmp_path):
    """Two parsers would read it differently: INVALID, and the others are what they are."""
    text = json.dumps({"objects": objects_of(world.late)})
    (tmp_path / "a.json").write_text(text[:-2] + ', {"id": "x", "id": "y"}, {"type": "publication-manifest", "id": "z"}]}')
    report = look(world, tmp_path / "a.json", proofs=mirror)
    assert verdicts(report) == world.expected | {"": "INVALID", "z": "INVALID"}


def test_file_that_is_no_envelope_has_no_verdict(world, mirror, tmp_path):
    for text in ("", "[]", '{"objects": [', '{"objects": []} {}'):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(Refusal, match=r"a\.json"):
            look(world, tmp_path / "a.json", proofs=mirror)
    with pytest.raises(Refusal):
        look(world, tmp_path / "nowhere.json")
    assert Mirror(mirror).exists


def test_entry_of_a_publication_cannot_be_guessed(world):
    """Who knows the very payload, and not its nonce, does not find it in the log; who has the manifest does."""
    for row in world.late.rows:
        manifest = next(one for one in objects_of(world.late) if one["id"] == row["manifest"])
        _, publication = read_manifest(manifest)
        entry = world.late.entries[row["leaf_index"]]
        leaf = read_leaf(entry)
        assert isinstance(leaf, PublicationLeaf)
        assert leaf.commitment == commitment(publication.nonce, publication.digest)
        for guessed in (b"", bytes(32), sha256(publication.digest).digest(), leaf.tag):
            assert commitment(guessed, publication.digest) not in {leaf.commitment, leaf.tag}
        told = [publication.digest, *(listed.digest for listed in publication.objects)]
        assert not any(digest.hex() in entry.decode() for digest in told)
        assert world.late.collection["id"] not in entry.decode()


def test_publication_of_another_place_is_worth_nothing_here(world, mirror, tmp_path):
    """The same bytes, read as those of another collection or another host: INVALID, whatever else is right."""
    state = Mirror(mirror).read_state()
    Mirror(mirror).write_state(structs.replace(state, collection="00000000-0000-4000-8000-000000000000"))
    assert set(verdicts(look(world, mirror)).values()) == {"INVALID"}
    other = Trust(read_policy(world.policy_text.replace(b"log ", b"# ")), world.roots, None)
    with pytest.raises(Refusal, match="a log that the policy does not name"):
        look(world, mirror, trust=other)
