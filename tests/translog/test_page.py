"""The example of docs/transparency-log.md is true, and what the page promises is what the code keeps."""

import hashlib
import re
from pathlib import Path

from regcert.domain.verifier_key import read_verifier_key
from regcert.signing.note import MOST_NOTE_BYTES, MOST_SIGNATURES
from regcert.translog.leaf import read_leaf
from regcert.translog.policy import MOST_OF_A_KIND, MOST_POLICY_BYTES, read_policy
from regcert.translog.proof_file import MOST_PROOF_BYTES, read_proof_file
from regcert.translog.proofs import MOST_HASHES, require_included
from regcert.verification.witnessed import read_witnessed
from tests.translog import example

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "transparency-log.md").read_text(encoding="utf-8")


def test_page_shows_the_example_word_for_word():
    shown = re.findall(r"^```\n(.*?)^```$", PAGE.partition("## 13.")[2], re.MULTILINE | re.DOTALL)
    assert shown == example.blocks()


def test_example_is_witnessed_as_the_page_says():
    proof = read_proof_file(example.proof().write())
    seen = read_witnessed(proof.note, read_policy(example.policy().encode()))
    require_included(example.LEAVES[proof.index], proof.index, seen.checkpoint.size, proof.hashes, seen.checkpoint.root)
    assert (seen.is_quorum, seen.trusted_s) == (True, example.TIME_S)
    assert [read_leaf(entry).write() for entry in example.ENTRIES] == example.ENTRIES
    assert read_verifier_key(example.LOG.text).name.endswith(hashlib.sha256(example.LOG.public).hexdigest()[:16])


def test_page_names_the_bounds_of_the_code():
    assert MOST_NOTE_BYTES == 1 << 20
    assert "At most 1 MiB, UTF-8" in PAGE
    assert f"1 to\n   {MOST_SIGNATURES} lines" in PAGE
    assert f"No proof has more than {MOST_HASHES} hashes" in PAGE
    assert MOST_PROOF_BYTES == 2 << 20
    assert "takes at most 2 MiB" in PAGE
    assert MOST_POLICY_BYTES == 64 << 10
    assert f"At most 64 KiB, {MOST_OF_A_KIND} logs, {MOST_OF_A_KIND} witnesses, {MOST_OF_A_KIND} groups" in PAGE
