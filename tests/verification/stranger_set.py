"""A reader of whole mirrors that a stranger could have written: docs/signing.md §8.1 and docs/verifying.md, on top of
`tests/signing/stranger.py`.

Nothing of RegCERT is imported. What the stranger's one file checks of single things is put together here for a folder.
"""

import hmac
import json
import math
import re
from datetime import datetime
from typing import Any

from tests.signing.stranger import (
    KIND,
    MANIFEST,
    No,
    canonical,
    check_checkpoint,
    check_key_lists,
    check_proof,
    entry_of,
    is_good,
    micros,
    must,
    pae,
    parse,
    publication_leaf,
    read_key_list,
    read_manifest,
    read_note,
    read_policy,
    sha256,
    verdict,
)

BEST = ("FORK", "VALID", "VALID_RETIRED", "STALE", "UNWITNESSED", "SUSPECT", "UNKNOWN_KEY", "INVALID", "BAD_HASH", "UNSIGNED")


def judge_mirror(folder: Any, policy: Any, roots: Any, now: Any, fresh: Any) -> Any:
    """Return the verdict of every object: by id, version, and hash; `now` in microseconds, `fresh` in seconds or None."""
    state = json.loads((folder / "mirror.json").read_text())
    entries = (folder / "entries.jsonl").read_bytes().split(b"\n")[: state["size"]]
    listed = (folder / "publications.jsonl").read_text() if state["publications"] else ""
    rows = [json.loads(line) for line in listed.splitlines()][: state["publications"]]
    size, root, _ = check_checkpoint(state["checkpoint"].encode(), read_policy(policy))
    forked = any(folder.glob("fork-*.note"))
    stale = size != len(entries) or tree(entries) != root
    seen, until = None, None
    if state["witnessed"]:
        seen = check_checkpoint(state["witnessed"].encode(), read_policy(policy))
        until = fresh_until(state["witnessed"].encode(), read_policy(policy))
        forked = forked or (not stale and tree(entries[: seen[0]]) != seen[1])
    if fresh is not None and (until is None or until * 10**6 < now - fresh * 10**6):
        stale = True
    chains = key_chains(entries)
    trusted = {team: chain for team, chain in chains.items() if any(one["root"] == roots.get(team) for _, one, _ in chain)}
    manifests, objects = gather(folder)
    blind = bytes.fromhex(state["blind"])
    placed = [place(one, rows, entries, blind, state, policy, folder, seen) for one in manifests]
    sound = [one["said"]["host"] == state["host"] and one["said"]["collection"] == state["collection"] for one in manifests]
    good = [fits(one, trusted.get(one["said"]["team"], [])) for one in manifests]
    histories = {
        team: [{"leaf": leaf, "expires": micros(said["expires_at"]), "keys": keys_of(said)} for leaf, said, _ in chain]
        for team, chain in trusted.items()
    }
    disowned = [is_disowned(one, where, histories, now) for one, where in zip(manifests, placed, strict=True)]
    told = [(one, gone) for one, here, signed, gone in zip(manifests, sound, good, disowned, strict=True) if here and signed]
    split, gap = look_at_chains(told)
    stale = (
        stale
        or gap
        or is_incomplete([one for one, gone in told if not gone], objects)
        or is_hidden(rows, entries, blind, manifests, state)
    )
    words, verdicts = [], {}
    for one, where, here, signed in zip(manifests, placed, sound, good, strict=True):
        facts = {
            "sound": here, "signed": signed, "key": one["key"], "leaf": where[0], "time": where[1], "now": now,
            "stale": stale, "forked": forked or one["said"]["team"] in split, "history": histories.get(one["said"]["team"], []),
        }  # fmt: skip
        words.append((one, facts))
        verdicts[tuple(one["entry"])] = verdict(facts | {"listing": "listed"})[1]
    for stix_id, version, digest in objects:
        answers = []
        for one, facts in words:
            for listed in one["said"]["objects"]:
                if listed[:2] == [stix_id, version]:
                    listing = "listed" if listed[2] == digest else "other-hash"
                    answers.append(verdict(facts | {"listing": listing})[1])
        unlisted = "FORK" if forked else "UNSIGNED"
        verdicts[stix_id, version, digest] = min(answers, key=BEST.index, default=unlisted)
    return verdicts


def tree(entries: Any) -> Any:
    """The root, by the recursion of RFC 6962."""
    if not entries:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return sha256(b"\x01" + tree(entries[:split]) + tree(entries[split:]))


def fresh_until(note: Any, policy: Any) -> Any:
    """The k-th largest of the latest times, for a policy with one group of witnesses."""
    _, witnesses, groups, quorum = policy
    _, lines = read_note(note)
    latest = {}
    for title, (name, hint, _) in witnesses.items():
        times = [int.from_bytes(value[:8], "big") for n, h, value in lines if (n, h) == (name, hint)]
        latest[title] = max(times, default=-math.inf)
    needed, members = groups.get(quorum, (1, [quorum]))
    found = sorted((latest[member] for member in members), reverse=True)[needed - 1]
    return found if found > -math.inf else None


def key_chains(entries: Any) -> Any:
    """Each team's lists, as far as they continue one another: leaf index, members, and the JSON text."""
    chains: dict[str, Any] = {}
    broken = set()
    for index, entry in enumerate(entries):
        value = json.loads(entry)
        if value.get("t") != "key":
            continue
        try:
            must(canonical(parse(entry)) == entry and value.keys() == {"e", "t", "v"} and value["v"] == 1, "invalid-key-list")
            said, _, _ = read_key_list(value["e"])
        except No:
            continue
        chain = chains.setdefault(said["team"], [])
        texts = [text for _, _, text in chain] + [json.dumps(value["e"])]
        try:
            must(said["team"] not in broken, "key-list-conflict")
            check_key_lists(texts)
        except No:
            broken.add(said["team"])
        else:
            chain.append((index, said, texts[-1]))
    return chains


def keys_of(said: Any) -> Any:
    return {
        sha256(bytes.fromhex(key["key"])).hex(): [
            key["status"], key["reason"], key["compromised_since"] and micros(key["compromised_since"])
        ]
        for key in said["keys"]
    }  # fmt: skip


def gather(folder: Any) -> Any:
    """Manifests that can be read, and the entries of everything else that can."""
    manifests: dict[str, Any] = {}
    objects: dict[Any, None] = {}
    for path in sorted((folder / "objects").glob("*.json")):
        for text in split_objects(path.read_text()):
            try:
                value = parse(text.encode())
            except No:
                continue
            entry = entry_of(value)
            if value.get("type") != MANIFEST:
                objects[tuple(entry)] = None
                continue
            try:
                said, payload, (key, signature) = read_manifest(value)
            except No:
                continue
            one = {"said": said, "payload": payload, "key": key, "signature": signature, "entry": entry}
            manifests[json.dumps(value["dsse"])] = one
    return list(manifests.values()), list(objects)


def split_objects(text: Any) -> Any:
    """The text of each object: a lenient parser finds where it ends."""
    at = text.index("[") + 1
    while (at := re.compile(r"[\s,]*").match(text, at).end()) < len(text) and text[at] != "]":  # type: ignore[union-attr]
        _, end = json.JSONDecoder().raw_decode(text, at)
        yield text[at:end]
        at = end


def place(one: Any, rows: Any, entries: Any, blind: Any, state: Any, policy: Any, folder: Any, seen: Any) -> Any:
    """Leaf index and trusted time, or None for what nothing proves."""
    for row in rows:
        leaf = publication_leaf(one["payload"], one["key"], blind, row["number"])
        index = row["leaf_index"]
        if row["manifest"] != one["said"]["id"] or index >= len(entries) or entries[index] != leaf:
            continue
        times = []
        if seen and seen[2] is not None and seen[0] > index:
            times.append((seen[0], seen[2]))
        path = folder / "proofs" / f"{row['manifest']}.tlog-proof"
        if path.exists():
            data = path.read_bytes()
            try:
                found, time = check_proof(policy, data, leaf)
                size, _, _ = check_checkpoint(data.partition(b"\n\n")[2], read_policy(policy))
            except No:
                found, time, size = None, None, 0
            if found == index and time is not None:
                times.append((size, time))
        return index, min(times)[1] * 10**6 if times else None
    return None, None


def fits(one: Any, chain: Any) -> Any:
    for _, said, _ in chain:
        for key in said["keys"]:
            raw = bytes.fromhex(key["key"])
            if sha256(raw).hex() == one["key"]:
                return is_good(raw, pae(KIND % "publication", one["payload"]), one["signature"])
    return False


def is_disowned(one: Any, where: Any, histories: Any, now: Any) -> Any:
    """Whether what became of the key makes it worthless."""
    history = histories.get(one["said"]["team"], [])
    good = {"sound": True, "signed": True, "forked": False, "stale": False, "listing": "listed"}
    return verdict(good | {"key": one["key"], "leaf": where[0], "time": where[1], "now": now, "history": history})[1] == "INVALID"


def look_at_chains(told: Any) -> Any:
    """Teams that tell two stories, and whether a number is missing; all is of one host and collection here."""
    split, gap = set(), False
    for team in {one["said"]["team"] for one, gone in told if not gone}:
        numbered: dict[int, set[Any]] = {}
        filled = {one["said"]["seq"] for one, _ in told if one["said"]["team"] == team}
        for one, gone in told:
            if one["said"]["team"] == team and not gone:
                numbered.setdefault(one["said"]["seq"], set()).add((sha256(one["payload"]).hex(), one["said"]["prev"]))
        for number, same in numbered.items():
            before = {digest for digest, _ in numbered.get(number - 1, ())}
            if len(same) > 1 or (before and any(prev not in before for _, prev in same)):
                split.add(team)
        gap = gap or not filled.issuperset(range(1, max(numbered)))
    return split, gap


def is_incomplete(told: Any, objects: Any) -> Any:
    listed = {tuple(entry) for one in told for entry in one["said"]["objects"]}
    there = set(objects)
    places = {(stix_id, version) for stix_id, version, _ in objects}
    for stix_id, version, digest in listed:
        if (stix_id, version, digest) in there or (stix_id, version) in places:
            continue
        if not any(one[0] == stix_id and one in listed and when(one[1]) > when(version) for one in there):
            return True
    return False


def when(version: Any) -> Any:
    return datetime.fromisoformat(version) if version else datetime.fromisoformat("0001-01-01T00:00:00Z")


def is_hidden(rows: Any, entries: Any, blind: Any, manifests: Any, state: Any) -> Any:
    """Whether the log has a publication of this collection that was not handed over as it is there."""
    tags = {json.loads(entry).get("x") for entry in entries}
    count = state["publications"]
    if any(hmac.new(blind, str(number).encode(), "sha256").hexdigest() in tags for number in range(count + 1, count + 65)):
        return True
    commitments = {json.loads(entry).get("c") for entry in entries}
    for row in rows:
        if row["leaf_index"] >= len(entries):
            continue
        mine = [one for one in manifests if one["said"]["id"] == row["manifest"]]
        leaves = [publication_leaf(one["payload"], one["key"], blind, row["number"]) for one in mine]
        if entries[row["leaf_index"]] not in leaves and not any(json.loads(leaf)["c"] in commitments for leaf in leaves):
            return True
    last: dict[str, int] = {}
    for row in rows:
        if row["seq"] > last.get(row["team"], 0) + 1:
            return True
        last[row["team"]] = max(last.get(row["team"], 0), row["seq"])
    return False
