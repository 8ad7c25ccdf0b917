"""The vectors of docs/signing.md: RegCERT and a verifier that shares no code with it must both say what each expects."""

import base64
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from regcert.errors import Refusal
from regcert.signing.dsse import read_envelope
from regcert.signing.publication import commitment, read_manifest
from regcert.signing.verdict import Finding
from regcert.stix.reader import read_value
from regcert.translog.leaf import KeyLeaf, PublicationLeaf, tag
from tests.signing import ours, stranger
from tests.signing.making_vectors import FILES, FOLDER, read_vectors, written
from tests.signing.scene import KNOWN, Json

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "signing.md").read_text("utf-8")


@pytest.mark.parametrize("stem", FILES)
def test_vectors_are_what_their_module_makes(stem: str) -> None:
    """Nobody changes a file by hand, and nobody changes the formats without noticing that others' vectors do not fit."""
    assert (FOLDER / f"{stem}.jsonl").read_text("ascii") == written(stem)


def test_vectors_are_enough() -> None:
    """At least 200 of them are wrong in some way, each has a name of its own, and every step of the page has one."""
    names = [f"{stem}: {vector['name']}" for stem in FILES for vector in read_vectors(stem)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert sum(vector["expect"] != "ok" for vector in read_vectors("publications")) > 200
    steps = set(re.findall(r"(?:\| |\*\()([EKSMLP]\d+)(?: \||\)\*)", PAGE.partition("## 8. Verdicts")[0]))
    assert len(steps) == 4 + 4 + 6 + 12 + 10 + 4
    tried = {name.split(": ")[1].split(" ")[0] for name in names}
    # E6 is M10 and L8, and S4 what the library does; both are tried under those names.
    assert steps - tried == {"E6"}


def test_every_row_of_the_table_has_a_vector() -> None:
    """The table of the page, the findings of the code, and the vectors have the same rows."""
    rows = set(re.findall(r"^\| ([AK]\d+) \|.*\| [A-Z_]+ \|$", PAGE.partition("### 8.2")[2], re.MULTILINE))
    assert rows == {vector["row"] for vector in read_vectors("verdicts")} == {one.row for one in Finding}


def said_by_stranger(check: Callable[..., object], *given: object) -> str:
    try:
        check(*given)
    except stranger.No as no:
        return str(no.args[0])
    return "ok"


def test_publications_are_judged_as_expected() -> None:
    wrong = []
    for vector in read_vectors("publications"):
        text = vector["envelope"].encode() if "envelope" in vector else base64.b64decode(vector["envelope_base64"])
        known = KNOWN | vector.get("for", {})
        _, one = ours.check_publication(text, known)
        other = said_by_stranger(stranger.check_publication, text, known)
        if not one == other == vector["expect"]:
            wrong.append((vector["name"], vector["expect"], one, other))
    assert wrong == []


def test_key_lists_are_judged_as_expected() -> None:
    wrong = []
    for vector in read_vectors("key-lists"):
        one = ours.check_key_lists(vector["envelopes"])
        other = said_by_stranger(stranger.check_key_lists, vector["envelopes"])
        if not one == other == vector["expect"]:
            wrong.append((vector["name"], vector["expect"], one, other))
    assert wrong == []


def test_possessions_are_judged_as_expected() -> None:
    for vector in read_vectors("possessions"):
        one = ours.check_possession(vector["envelope"], vector["for"])
        other = said_by_stranger(stranger.check_possession, vector["envelope"], vector["for"])
        assert one == other == vector["expect"], vector["name"]


def test_canonical_forms_are_as_expected() -> None:
    for vector in read_vectors("canonical"):
        text = vector["text"].encode()
        one = ours.canonical(text)
        try:
            other: bytes | str = stranger.canonical(stranger.parse(text))
        except stranger.No as no:
            other = str(no.args[0])
        expected = base64.b64decode(vector["canonical"]) if "canonical" in vector else vector["expect"]
        assert one == other == expected, vector["name"]


def test_public_keys_are_judged_as_expected() -> None:
    for vector in read_vectors("public-keys"):
        raw = bytes.fromhex(vector["key"])
        assert ours.check_key(raw) == said_by_stranger(stranger.check_key, raw) == vector["expect"], vector["name"]


def test_signatures_are_judged_as_expected() -> None:
    for vector in read_vectors("signatures"):
        given = [bytes.fromhex(vector[name]) for name in ("key", "message", "signature")]
        assert ours.is_good(*given) == stranger.is_good(*given) == (vector["expect"] == "good"), vector["name"]


def leaf_of(vector: Json) -> bytes:
    if "envelope" in vector:
        return KeyLeaf(read_envelope(read_value(vector["envelope"].encode())).as_json()).write()
    payload = base64.b64decode(vector["payload"])
    nonce, digest = bytes.fromhex(read_value(payload)["nonce"]), stranger.sha256(payload)
    return PublicationLeaf(
        commitment(nonce, digest), vector["key"], tag(bytes.fromhex(vector["blind"]), vector["number"])
    ).write()


def test_leaves_are_as_expected() -> None:
    for vector in read_vectors("leaves"):
        expected = base64.b64decode(vector["leaf"])
        assert leaf_of(vector) == expected
        if "payload" in vector:
            payload, blind = base64.b64decode(vector["payload"]), bytes.fromhex(vector["blind"])
            assert stranger.publication_leaf(payload, vector["key"], blind, vector["number"]) == expected
        else:
            value = stranger.parse(vector["envelope"].encode())
            assert stranger.canonical({"e": value, "t": "key", "v": 1}) == expected


def test_verdicts_are_as_expected() -> None:
    for vector in read_vectors("verdicts"):
        finding = ours.finding(vector["facts"])
        assert (finding.row, finding.verdict) == stranger.verdict(vector["facts"]), vector["name"]
        assert (finding.row, finding.verdict) == (vector["row"], vector["expect"]), vector["name"]


def test_proofs_are_judged_as_expected() -> None:
    for vector in read_vectors("proofs"):
        given = (vector["policy"], vector["proof"].encode(), base64.b64decode(vector["leaf"]))
        try:
            one: object = ours.check_proof(given[0].encode(), *given[1:])
        except Refusal as refusal:
            one = str(refusal.code)
        try:
            other: object = stranger.check_proof(*given)
        except stranger.No as no:
            other = str(no.args[0])
        expected = (vector["index"], vector["time"]) if vector["expect"] == "ok" else vector["expect"]
        assert one == other == expected, vector["name"]


def test_manifest_of_every_good_vector_is_read_back_as_the_stranger_reads_it() -> None:
    """Both see the same in it, not only that it is good."""
    for vector in read_vectors("publications"):
        if vector["expect"] == "ok":
            known = KNOWN | vector.get("for", {})
            publication, _ = ours.check_publication(vector["envelope"].encode(), known)
            said, digest = stranger.check_publication(vector["envelope"].encode(), known)
            assert publication is not None
            assert [[one.stix_id, one.version, one.digest.hex()] for one in publication.objects] == said["objects"]
            assert (publication.digest, publication.seq, publication.manifest_id) == (digest, said["seq"], said["id"])
            assert (sorted(publication.declassifies), list(publication.markings)) == (said["declassifies"], said["markings"])


def test_changing_nothing_of_a_manifest_gives_the_same_publication() -> None:
    """What is read from the manifest is what was signed."""
    vector = read_vectors("publications")[0]
    manifest = next(one for one in read_value(vector["envelope"].encode())["objects"] if one["type"] == "publication-manifest")
    envelope, publication = read_manifest(manifest)
    assert (publication.collection, publication.team, publication.host) == (KNOWN["collection"], KNOWN["team"], KNOWN["host"])
    assert envelope.as_json() == manifest["dsse"]
