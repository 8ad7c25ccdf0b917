"""Proof files: read as the specification writes them, and refused where anything is different."""

import pytest

from regcert.domain.exact import write_base64
from regcert.errors import Code, Refusal
from regcert.translog.proof_file import MOST_PROOF_BYTES, ProofFile, read_proof_file

NOTE = "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/fancylog AAAAAAA=\n".encode()
# As the example of C2SP tlog-proof: its extra data is not base64 of whole bytes there.
HEAD = """\
c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=

"""
HASH = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="


def test_proof_file_of_the_specification_is_read():
    proof = read_proof_file(HEAD.encode() + NOTE)
    assert (proof.index, len(proof.hashes), proof.extra, proof.note) == (73_894, 3, b"age-v1.2.1-darwin-arm64.tar.gz", NOTE)
    assert [write_base64(value) for value in proof.hashes] == HEAD.split("\n")[3:6]
    assert proof.write() == HEAD.encode() + NOTE


@pytest.mark.parametrize("count", [0, 1, 63])
@pytest.mark.parametrize("extra", [None, b"", b"more"])
def test_proof_file_is_read_back(count, extra):
    proof = ProofFile(0, tuple(bytes([at] * 32) for at in range(count)), NOTE, extra)
    assert read_proof_file(proof.write()) == proof


def text(*lines: str) -> bytes:
    return "\n".join([*lines, "", ""]).encode() + NOTE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        NOTE,
        text("c2sp.org/tlog-proof@v2", "index 0"),
        text("index 0"),
        text("c2sp.org/tlog-proof@v1"),
        text("c2sp.org/tlog-proof@v1", HASH),
        text("c2sp.org/tlog-proof@v1", "index 00"),
        text("c2sp.org/tlog-proof@v1", "index -1"),
        text("c2sp.org/tlog-proof@v1", "index 1 "),
        text("c2sp.org/tlog-proof@v1", f"index {2**63}"),
        text("c2sp.org/tlog-proof@v1", "index"),
        text("c2sp.org/tlog-proof@v1", "Index 1"),
        text("c2sp.org/tlog-proof@v1", "index 1", HASH[:-4]),
        text("c2sp.org/tlog-proof@v1", "index 1", HASH + "\r"),
        text("c2sp.org/tlog-proof@v1", "index 1", "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlR="),
        text("c2sp.org/tlog-proof@v1\r", "index 1"),
        text("c2sp.org/tlog-proof@v1", "index 1", *[HASH] * 64),
        text("c2sp.org/tlog-proof@v1", "extra !", "index 1"),
        text("c2sp.org/tlog-proof@v1", "index 1", "extra AAAA"),
        text("c2sp.org/tlog-proof@v1", "extra AAAA", "extra AAAA", "index 1"),
        text("c2sp.org/tlog-proof@v1", "index 1", "é"),
        b"c2sp.org/tlog-proof@v1\nindex 1\n",
        text(" c2sp.org/tlog-proof@v1", "index 1"),
    ],
)
def test_other_texts_are_no_proofs(data):
    with pytest.raises(Refusal) as refused:
        read_proof_file(data)
    assert refused.value.code is Code.INVALID_PROOF


def test_proof_file_has_a_bound():
    with pytest.raises(Refusal) as refused:
        read_proof_file(bytes(MOST_PROOF_BYTES + 1))
    assert refused.value.code is Code.TOO_LARGE
