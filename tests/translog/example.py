"""The example of docs/transparency-log.md: one small log, its keys, and what is made of them."""

import hashlib

from regcert.signing.note import Note, cosign, log_key, sign_note, witness_key
from regcert.signing.private_key import private_key_of
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.leaf import AuditLeaf, KeyLeaf, PublicationLeaf, tag
from regcert.translog.proof_file import ProofFile
from regcert.translog.tree import leaf_hash, node_hash, tree_hash

LOG_SEED = bytes(range(32))
WITNESS_SEED = bytes(range(32, 64))
WITNESS = "cert.example/witness"
TIME_S = 1_795_000_000

KEY = private_key_of(LOG_SEED)
ORIGIN = f"regcert/western-balkans/{hashlib.sha256(KEY.public.raw).hexdigest()[:16]}"
LOG = log_key(ORIGIN, KEY)
VERIFIER = witness_key(WITNESS, private_key_of(WITNESS_SEED))

ENTRIES = [
    KeyLeaf({
        "payloadType": "application/vnd.regcert.key-list+json; v=1",
        "payload": "e30=",
        "signatures": [{"keyid": "11" * 32, "sig": "AAAA"}],
    }).write(),
    PublicationLeaf(hashlib.sha256(bytes(32) + bytes([1] * 32)).digest(), "22" * 32, tag(bytes([2] * 32), 1)).write(),
    AuditLeaf(41, bytes([3] * 32)).write(),
]  # fmt: skip
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def checkpoint() -> Checkpoint:
    return Checkpoint(ORIGIN, len(ENTRIES), tree_hash(LEAVES))


def note() -> Note:
    signed = sign_note(checkpoint().text(), KEY, ORIGIN)
    return signed.with_signature(cosign(signed.text, private_key_of(WITNESS_SEED), WITNESS, TIME_S))


def proof() -> ProofFile:
    return ProofFile(1, (LEAVES[0], LEAVES[2]), note().write())


def policy() -> str:
    return f"log {LOG.text}\n\nwitness C {VERIFIER.text}\ngroup members 1 C\nquorum members\n"


def blocks() -> list[str]:
    """What the page shows, in fences, word for word."""
    return [
        *(entry.decode() + "\n" for entry in ENTRIES),
        "".join(f"{leaf.hex()}\n" for leaf in LEAVES),
        f"{node_hash(LEAVES[0], LEAVES[1]).hex()}\n{tree_hash(LEAVES).hex()}\n",
        f"{LOG.text}\n{VERIFIER.text}\n",
        note().write().decode(),
        proof().write().decode(),
        policy(),
    ]
