"""How long it takes to verify a mirror of 100,000 objects without a network, and how much memory.

    python -m benchmarks.verify_mirror [objects] [objects a publication]

The mirror is made by the same code as a real one, by a host that exists only here; making it is not measured.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import orjson

from regcert.clock import DAY_US, SECOND_US
from regcert.domain.key_list import team_key
from regcert.signing.key_list import seal_key_list
from regcert.signing.note import log_key, sign_note
from regcert.signing.note_key import WitnessKey
from regcert.signing.private_key import new_private_key
from regcert.signing.publication import commitment, list_object, read_manifest, seal_publication
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.frontier import Frontier
from regcert.translog.leaf import KeyLeaf, PublicationLeaf, tag
from regcert.translog.policy import read_policy
from regcert.translog.proof_file import ProofFile
from regcert.translog.proofs import inclusion_proof
from regcert.translog.tiles import grow, node_reader
from regcert.translog.tree import leaf_hash
from regcert.verification.mirror import Mirror, Row, State
from regcert.verification.offline import verify
from regcert.verification.roots import Trust, write_roots

HOST = "regcert/benchmark/0123456789abcdef"
COLLECTION = "11111111-1111-4111-8111-111111111111"
NOW_S = 1_795_000_000
BLIND = bytes([2] * 32)


def make(folder: Path, objects: int, each: int) -> None:
    """Make a mirror with its policy and roots."""
    log, root, key = new_private_key(), new_private_key(), new_private_key()
    witness = WitnessKey("cert.example/witness", bytes([7] * 32))
    team = f"identity--{uuid.uuid4()}"
    now_us = NOW_S * SECOND_US
    keys = seal_key_list(
        team=team,
        version=1,
        prev=None,
        issued_us=now_us,
        expires_us=now_us + 300 * DAY_US,
        keys=[team_key(key.public.raw)],
        root=root,
    )
    entries = [KeyLeaf(keys.as_json()).write()]
    mirror = Mirror(folder / "mirror")
    mirror.create()
    rows: list[Row] = []
    prev = None
    for number in range(1, -(-objects // each) + 1):
        made = [_indicator(number * each + at) for at in range(each)]
        manifest = seal_publication(
            manifest_id=f"publication-manifest--{uuid.uuid4()}", host=HOST, collection=COLLECTION, team=team, seq=number,
            prev=prev, issued_us=now_us, nonce=uuid.uuid4().bytes * 2, markings=(), key=key,
            objects=[list_object(one) for one in made],
        )  # fmt: skip
        _, said = read_manifest(manifest)
        prev = said.digest
        rows.append(Row(number, number, team, len(entries), said.manifest_id))
        committed = commitment(said.nonce, said.digest)
        entries.append(PublicationLeaf(committed, key.public.key_id, tag(BLIND, number)).write())
        with mirror.adding(number) as file:
            file.write(orjson.dumps({"objects": [*made, manifest]}))
    hashes = [leaf_hash(entry) for entry in entries]
    frontier = Frontier()
    for one in hashes:
        frontier.push(one)
    note = sign_note(Checkpoint(HOST, len(entries), frontier.root()).text(), log, HOST)
    cosigned = note.with_signature(witness.cosign(note.text, NOW_S)).write()
    (mirror.folder / "entries.jsonl").write_bytes(b"".join(entry + b"\n" for entry in entries))
    read_node = node_reader(grow(0, hashes, lambda *_: b""))
    for row in rows:
        proof = inclusion_proof(row.leaf_index, len(entries), read_node)
        mirror.write_proof(row.manifest, ProofFile(row.leaf_index, tuple(proof), cosigned).write())
    mirror.add_rows(0, rows)
    text = cosigned.decode()
    mirror.write_state(
        State("regcert-mirror-1", HOST, COLLECTION, BLIND.hex(), len(entries), text, text, len(rows), len(rows), "")
    )
    (folder / "roots.json").write_bytes(write_roots({team: root.public.raw}))
    (folder / "policy.txt").write_text(f"log {log_key(HOST, log).text}\nwitness w {witness.verifier.text}\nquorum w\n")


def measure(folder: Path) -> None:
    """Verify it, in a process of its own."""
    trust = Trust(read_policy((folder / "policy.txt").read_bytes()), _roots(folder), None)
    started = time.process_time()
    report = verify([folder / "mirror"], trust, NOW_S * SECOND_US + 1)
    took_s = time.process_time() - started
    count = len(report.judged)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = {verdict.value: number for verdict, number in report.counts.items()}
    print(json.dumps({"objects": count, "counts": counts, "alarms": [one.sentence for one in report.alerts],
                      "cpu_s": round(took_s, 2), "objects_per_s": round(count / took_s), "peak_mb": round(peak_mb)}))  # fmt: skip


def _indicator(number: int) -> dict[str, object]:
    created = "2026-11-01T10:00:00.000Z"
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.UUID(int=number, version=4)}", "created": created,
        "modified": created, "name": f"Host {number} of a campaign", "description": "Seen in a mail to a ministry. " * 8,
        "pattern": f"[domain-name:value = 'host{number}.example']", "pattern_type": "stix", "valid_from": created,
        "confidence": number % 100, "labels": ["malicious-activity"], "indicator_types": ["malicious-activity"],
    }  # fmt: skip


def _roots(folder: Path) -> dict[str, bytes]:
    return {team: bytes.fromhex(root) for team, root in json.loads((folder / "roots.json").read_text()).items()}


def main() -> None:
    """Make a mirror in a folder of its own and measure."""
    if len(sys.argv) > 2 and sys.argv[1] == "--measure":
        measure(Path(sys.argv[2]))
        return
    objects, each = (int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 100_000), (2, 1000)))
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), objects, each)
        subprocess.run([sys.executable, "-m", "benchmarks.verify_mirror", "--measure", folder], check=True)


if __name__ == "__main__":
    main()
