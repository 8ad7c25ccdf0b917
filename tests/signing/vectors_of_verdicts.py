"""Vectors of the verdict, row by row and written by hand; and of proofs, from the policy file to the trusted time."""

import base64
from collections.abc import Iterator
from typing import Any

from regcert.signing.note import cosign, log_key, sign_note, witness_key
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.proof_file import ProofFile
from regcert.translog.proofs import inclusion_proof
from regcert.translog.tree import leaf_hash, node_hash, tree_hash
from tests.signing.scene import HOST, Json, key_named

KEY = "k"
ACTIVE, RETIRED, SUPERSEDED = ["active", "", None], ["retired", "", None], ["revoked", "superseded", None]
STOLEN = ["revoked", "compromised", None]
FAR = 10**9


def stolen_since(since: int) -> list[Any]:
    """Make what a list says of a key that is compromised since then."""
    return ["revoked", "compromised", since]


def history(*lists: tuple[int, Json], expires: int = FAR) -> list[Json]:
    """Make key lists at their places in the log."""
    return [{"leaf": leaf, "expires": expires, "keys": keys} for leaf, keys in lists]


def facts(lists: list[Json], leaf: int | None = 10, time: int | None = 1000, **changes: Any) -> Json:
    """Make what the table asks for; everything is good unless said otherwise."""
    return {
        "listing": "listed", "sound": True, "signed": True, "key": KEY, "history": lists, "leaf": leaf, "time": time,
        "now": 5000, "stale": False, "forked": False,
    } | changes  # fmt: skip


def verdict_vectors() -> Iterator[Json]:
    """Yield every vector of `verdicts.jsonl`."""
    for number, (what, row, verdict, made) in enumerate(_cases(), 1):
        yield {"name": f"{number} {what}", "expect": verdict, "row": row, "facts": made}


def _cases() -> Iterator[tuple[str, str, str, Json]]:
    good = history((2, {KEY: ACTIVE}))
    other = history((2, {"other": ACTIVE}))

    def later(entry: list[Any], leaf: int = 20) -> list[Json]:
        return history((2, {KEY: ACTIVE}), (leaf, {KEY: entry}))

    yield "all is well", "K10", "VALID", facts(good)
    yield "forked", "A1", "FORK", facts(good, forked=True)
    yield "forked, and nothing else is right", "A1", "FORK", facts([], None, None, forked=True, listing="absent", sound=False)
    yield "not listed", "A2", "UNSIGNED", facts(good, listing="absent")
    yield "listed with another hash", "A3", "BAD_HASH", facts(good, listing="other-hash")
    yield "other hash and bad signature", "A3", "BAD_HASH", facts(good, listing="other-hash", signed=False)
    yield "malformed or made for another place", "A4", "INVALID", facts(good, sound=False)
    yield "no key list", "A5", "UNKNOWN_KEY", facts([])
    yield "key in no list", "A5", "UNKNOWN_KEY", facts(other)
    yield "key in no list, bad signature", "A5", "UNKNOWN_KEY", facts(other, signed=False)
    yield "bad signature", "A6", "INVALID", facts(good, signed=False)
    yield "bad signature of a stolen key", "A6", "INVALID", facts(later(STOLEN), signed=False)
    yield "before the first list", "K1", "INVALID", facts(good, leaf=1)
    yield "at the place of the list itself", "K1", "INVALID", facts(good, leaf=2)
    yield "right behind the list", "K10", "VALID", facts(good, leaf=3)
    yield "before the list that brings the key", "K1", "INVALID", facts(history((2, {}), (20, {KEY: ACTIVE})))
    yield "after the key was retired", "K2", "INVALID", facts(later(RETIRED, 9))
    yield "right before the key was retired", "K9", "VALID_RETIRED", facts(later(RETIRED, 11))
    yield "after the key was revoked", "K2", "INVALID", facts(later(SUPERSEDED, 9))
    yield "after the key was found stolen, claiming to be older", "K2", "INVALID", facts(later(stolen_since(2000), 9), time=1000)
    yield "key was never active", "K2", "INVALID", facts(history((2, {KEY: RETIRED})))
    yield "retired later", "K9", "VALID_RETIRED", facts(later(RETIRED))
    yield "superseded later", "K9", "VALID_RETIRED", facts(later(SUPERSEDED))
    yield "stolen, nobody knows since when", "K4", "SUSPECT", facts(later(STOLEN))
    yield "stolen, nobody knows since when, no time", "K4", "SUSPECT", facts(later(STOLEN), time=None)
    yield "stolen, nobody knows since when, no place", "K3", "INVALID", facts(later(STOLEN), None, None)
    # B9: one log, three publications, one revocation
    yield "logged before the theft", "K8", "VALID", facts(later(stolen_since(1001)))
    yield "logged at the theft", "K5", "INVALID", facts(later(stolen_since(1000)))
    yield "logged after the theft", "K5", "INVALID", facts(later(stolen_since(999)))
    yield "stolen, no time", "K3", "INVALID", facts(later(stolen_since(FAR)), time=None)
    yield "stolen, no place", "K3", "INVALID", facts(later(stolen_since(FAR)), None, None)
    yield "stolen, a time and no place", "K3", "INVALID", facts(later(stolen_since(FAR)), None, 1000)
    yield "not witnessed", "K6", "UNWITNESSED", facts(good, time=None)
    yield "no proof", "K6", "UNWITNESSED", facts(good, None, None)
    yield "a time and no place", "K6", "UNWITNESSED", facts(good, None, 1000)
    yield "retired, no proof", "K6", "UNWITNESSED", facts(later(RETIRED), None, None)
    yield "not witnessed, and after retirement", "K2", "INVALID", facts(later(RETIRED, 9), time=None)
    yield "not witnessed, old view", "K6", "UNWITNESSED", facts(good, time=None, stale=True)
    yield "old view", "K7", "STALE", facts(good, stale=True)
    yield "list expires now", "K7", "STALE", facts(history((2, {KEY: ACTIVE}), expires=5000))
    yield "list expires later", "K10", "VALID", facts(history((2, {KEY: ACTIVE}), expires=5001))
    yield "retired, old view", "K7", "STALE", facts(later(RETIRED), stale=True)
    yield "signed before the theft, old view", "K7", "STALE", facts(later(stolen_since(2000)), stale=True)
    yield "signed after the theft, old view", "K5", "INVALID", facts(later(stolen_since(1)), stale=True)
    yield "stolen sometime, old view", "K4", "SUSPECT", facts(later(STOLEN), stale=True)
    # B10: a team that revokes backwards disowns what it published; what witnesses saw before stands
    backwards = history((2, {KEY: ACTIVE}), (20, {KEY: STOLEN}), (30, {KEY: stolen_since(500)}))
    yield "disowned afterwards", "K5", "INVALID", facts(backwards)
    yield "stands against the disowning", "K8", "VALID", facts(backwards, time=499)
    grown = history((2, {}), (4, {KEY: ACTIVE}), (6, {KEY: ACTIVE, "other": ACTIVE}), (20, {KEY: RETIRED, "other": ACTIVE}))
    yield "several lists", "K9", "VALID_RETIRED", facts(grown)
    yield "several lists, another key", "K10", "VALID", facts(grown, key="other")
    yield "several lists, another key too early", "K1", "INVALID", facts(grown, key="other", leaf=5)
    yield "a list that lost the key", "K4", "SUSPECT", facts(history((2, {KEY: ACTIVE}), (20, {})))
    yield "a list that lost the key, no place", "K3", "INVALID", facts(history((2, {KEY: ACTIVE}), (20, {})), None, None)


# --- proofs

LOG = key_named("log")
WITNESSES = {name: key_named(f"witness {name}") for name in ("alpha", "beta", "gamma")}


def policy(quorum: str = "two") -> str:
    """Write the reader's policy: two of three witnesses."""
    lines = [f"log {log_key(HOST, LOG).text}", "# who watches"]
    lines += [f"witness {name} {witness_key(f'{name}.example', key).text}" for name, key in WITNESSES.items()]
    return "\n".join([*lines, "group two 2 alpha beta gamma", f"quorum {quorum}", ""])


def proof(index: int, size: int, times: dict[str, int], change: str = "") -> bytes:
    """Make the proof file of a leaf in a log of numbered leaves, cosigned at these times."""
    leaves = [leaf_hash(entry(number)) for number in range(size)]
    levels = [leaves]
    while len(levels[-1]) > 1:
        level = levels[-1]
        levels.append([node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)])
    hashes = inclusion_proof(index, size, lambda level, at: levels[level][at])
    if change == "hash":
        hashes[0] = bytes(32)
    if change == "fewer":
        hashes = hashes[:-1]
    if change == "more":
        hashes = [*hashes, bytes(32)]
    origin = "another/log" if change == "origin" else HOST
    text = Checkpoint(origin, size, bytes(32) if change == "root" else tree_hash(leaves)).text()
    note = sign_note(text, key_named("other log") if change == "log key" else LOG, HOST)
    for name, time_s in times.items():
        signer = WITNESSES["alpha" if change == "witness key" else name]
        note = note.with_signature(cosign(text, signer, f"{name}.example", time_s))
    data = ProofFile(index + (change == "index"), tuple(hashes), note.write()).write()
    if change == "log signature":
        data = data.replace(text.encode(), Checkpoint(HOST, size, bytes(32)).text().encode())
    return data


def entry(number: int) -> bytes:
    """Make an entry of the log."""
    return f'{{"number":{number}}}'.encode()


def proof_vectors() -> Iterator[Json]:
    """Yield every vector of `proofs.jsonl`."""

    def line(name: str, expect: str, data: bytes, number: int, quorum: str = "two", time: int | None = None) -> Json:
        made = {"name": name, "expect": expect, "policy": policy(quorum), "proof": data.decode()}
        leaf = base64.b64encode(entry(number)).decode()
        return made | {"leaf": leaf} | ({"index": number, "time": time} if expect == "ok" else {})

    three = {"alpha": 100, "beta": 300, "gamma": 200}
    for size in (1, 2, 3, 7, 8, 9, 300):
        for index in dict.fromkeys((0, size // 2, size - 1)):
            yield line(f"leaf {index} of {size}", "ok", proof(index, size, three), index, time=200)
    yield line("two cosigned", "ok", proof(1, 3, {"alpha": 100, "beta": 300}), 1, time=300)
    yield line("one cosigned", "ok", proof(1, 3, {"alpha": 100}), 1, time=None)
    yield line("nobody cosigned", "ok", proof(1, 3, {}), 1, time=None)
    yield line("no quorum asked for", "ok", proof(1, 3, three), 1, "none", None)
    yield line("one witness is the quorum", "ok", proof(1, 3, three), 1, "beta", 300)
    wrong = {
        "hash": "invalid-proof", "fewer": "invalid-proof", "more": "invalid-proof", "root": "invalid-proof",
        "index": "invalid-proof",
        "origin": "invalid-checkpoint", "log key": "invalid-checkpoint", "log signature": "invalid-checkpoint",
    }  # fmt: skip
    for change, expect in wrong.items():
        yield line(
            f"another {change}" if change not in {"fewer", "more"} else f"{change} hashes", expect, proof(1, 7, three, change), 1
        )
    yield line("another witness's key under the name", "invalid-cosignature", _with_false_line(), 1)
    yield line("another leaf", "invalid-proof", proof(1, 7, three), 2)
    yield line("no checkpoint of the log", "invalid-checkpoint", _of_another_log(), 1)


def _with_false_line() -> bytes:
    """A line that names beta's key, and is not its signature."""
    data = proof(1, 7, {"alpha": 100, "beta": 300})
    text = Checkpoint(HOST, 7, tree_hash([leaf_hash(entry(number)) for number in range(7)])).text()
    good, bad = (cosign(text, WITNESSES["beta"], "beta.example", time_s).line.encode() for time_s in (300, 301))
    head = len("— beta.example ".encode())
    raw, other = base64.b64decode(good[head:]), base64.b64decode(bad[head:])
    return data.replace(good, good[:head] + base64.b64encode(other[:12] + raw[12:]) + b"\n")


def _of_another_log() -> bytes:
    data = proof(1, 7, {"alpha": 100, "beta": 300})
    line = data[data.index("\n— ".encode() + HOST.encode()) + 1 :].split(b"\n")[0]
    return data.replace(line + b"\n", b"")
