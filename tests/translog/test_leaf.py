"""Leaves: three kinds, each with one text, and nothing in them that only members may know."""

import hashlib
import hmac
import json

import pytest

from regcert.errors import Code, Refusal
from regcert.translog.leaf import AuditLeaf, KeyLeaf, PublicationLeaf, read_leaf, tag

PUBLICATION = PublicationLeaf(bytes(range(32)), "ab" * 32, bytes([7] * 32))
KEY = KeyLeaf(
    {"payloadType": "application/vnd.regcert.key-list+json; v=1", "payload": "e30=", "signatures": [{"keyid": "a", "sig": "b"}]}
)
AUDIT = AuditLeaf(41, bytes([9] * 32))


def test_leaf_has_the_written_form():
    """Canonical JSON, as docs/transparency-log.md says; whoever changes it changes every proof."""
    commitment, blinded = bytes(range(32)).hex(), (bytes([7] * 32)).hex()
    assert PUBLICATION.write().decode() == f'{{"c":"{commitment}","k":"{"ab" * 32}","t":"pub","v":1,"x":"{blinded}"}}'
    assert KEY.write().startswith(b'{"e":{"payload":"e30=","payloadType":"application/vnd.regcert.key-list+json; v=1",')
    assert AUDIT.write().decode() == f'{{"h":"{"09" * 32}","n":41,"t":"audit","v":1}}'


@pytest.mark.parametrize("leaf", [PUBLICATION, KEY, AUDIT], ids=lambda leaf: type(leaf).__name__)
def test_leaf_is_read_back(leaf):
    assert read_leaf(leaf.write()) == leaf


def changed(leaf: PublicationLeaf | KeyLeaf | AuditLeaf, **members: object) -> bytes:
    value = {**json.loads(leaf.write()), **members}
    kept = {name: value[name] for name in sorted(value) if value[name] is not None}
    return json.dumps(kept, separators=(",", ":")).encode()


BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "no text": b"\xff",
    "blanks": PUBLICATION.write().replace(b":", b": "),
    "a line break": PUBLICATION.write() + b"\n",
    "another order": b'{"v":1,' + PUBLICATION.write()[1:].replace(b',"v":1', b""),
    "a member twice": PUBLICATION.write().replace(b'{"c"', b'{"c":"","c"'),
    "a member more": changed(PUBLICATION, y=1),
    "a member less": changed(PUBLICATION, x=None),
    "a member of another kind": changed(AUDIT, e={}),
    "another version": changed(PUBLICATION, v=2),
    "a version that is true": changed(PUBLICATION, v=True),
    "a version with decimals": PUBLICATION.write().replace(b'"v":1', b'"v":1.0'),
    "another kind": changed(PUBLICATION, t="pub2"),
    "capital digits": changed(PUBLICATION, k="AB" * 32),
    "a short hash": changed(PUBLICATION, c="ab" * 31),
    "a hash with a line break": changed(PUBLICATION, c="ab" * 31 + "a\n"),
    "a number as hash": changed(PUBLICATION, c=1),
    "digits of another script": changed(PUBLICATION, c="٠" * 64),
    "row 0": changed(AUDIT, n=0),
    "a true row": changed(AUDIT, n=True),
    "a row beyond the numbers": changed(AUDIT, n=2**53),
    "a row with decimals": AUDIT.write().replace(b"41", b"41.0"),
    "no DSSE": changed(KEY, e=[]),
    "DSSE with more": changed(KEY, e={**KEY.envelope, "more": 1}),
    "too deep": b'{"e":' + b"[" * 2000 + b"]" * 2000 + b',"t":"key","v":1}',
    "too long": changed(KEY, e={**KEY.envelope, "payload": "A" * 65_536}),
}


@pytest.mark.parametrize("entry", BAD.values(), ids=BAD.keys())
def test_other_texts_are_no_leaves(entry):
    with pytest.raises(Refusal) as refused:
        read_leaf(entry)
    assert refused.value.code is Code.INVALID_PROOF


def test_entry_that_no_bundle_can_hold_is_not_written():
    """Its length would not fit into two bytes, and the tree could never be handed out again."""
    with pytest.raises(Refusal) as refused:
        KeyLeaf({**KEY.envelope, "payload": "A" * 65_536}).write()
    assert refused.value.code is Code.TOO_LARGE


def test_tags_are_found_again_by_those_who_know_the_blind():
    blind = bytes(range(32))
    assert tag(blind, 12) == hmac.new(blind, b"12", hashlib.sha256).digest()
    assert len({tag(blind, number) for number in range(1000)} | {tag(bytes(32), number) for number in range(1000)}) == 2000


def test_leaf_of_a_publication_tells_neither_what_nor_where():
    """Two publications of one collection, or of one payload, have nothing in common but the key."""
    one = PublicationLeaf(hashlib.sha256(b"nonce 1" + b"payload").digest(), "ab" * 32, tag(bytes(32), 1)).write()
    other = PublicationLeaf(hashlib.sha256(b"nonce 2" + b"payload").digest(), "ab" * 32, tag(bytes(32), 2)).write()
    apart = [name for name, value in json.loads(one).items() if value != json.loads(other)[name]]
    assert apart == ["c", "x"]
