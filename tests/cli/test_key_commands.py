"""The commands of a team's keys, from the first to the day that one is stolen, against a running host over real sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest

from regcert.cli.ceremony import spoken
from regcert.domain.key_list import KeyList
from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.outbound import keys as outbound
from regcert.outbound.keys import Chain, fetch_key_lists
from regcert.signing.key_list import read_key_list, seal_key_list
from regcert.signing.private_key import PrivateKey, private_key_of, read_private_key
from tests.cli.conftest import Outcome, Regcert
from tests.flows.test_keys import say
from tests.hosting import RunningHost, StillClock

Typed = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: what a command does not depend on the engine, which other tests show."""
    return f"sqlite:///{tmp_path}/regcert.db"


@pytest.fixture
def clock() -> StillClock:
    """The present: commands sign by the machine's own clock."""
    return StillClock(time.time_ns() // 1000)


@pytest.fixture
def typed(regcert: Regcert, host: RunningHost) -> Typed:
    """Type a command for a team's token; the host answers from its own loop meanwhile."""

    async def command(*arguments: object, team: str = "alcirt", role: Role = Role.COORDINATOR) -> Outcome:
        host.clock.at_us = time.time_ns() // 1000
        token = await host.token(team, role)
        return await asyncio.to_thread(regcert, "key", *arguments, "--server", host.url, "--token", token)

    return command


@pytest.fixture
async def alone(host: RunningHost) -> None:
    """Let the host ask nobody else."""
    await say(host.inside.database, "key_approvals", 0)


def mode(path: str) -> int:
    return Path(path).stat().st_mode & 0o777


def key_id(path: str, passphrase: str | None = None) -> str:
    return read_private_key(Path(path).read_bytes(), passphrase).public.key_id


ALCIRT = "identity--318ad6f9-44e0-4e89-b1bd-c258fac68af1"
ENROL = ("enrol", "--team", "alcirt", "--root", "keys/root.pem", "--key", "keys/signing.pem")
OWN = ("--team", "alcirt", "--root", "keys/root.pem")


def test_keys_are_made_for_their_owner_alone(regcert: Regcert) -> None:
    """Two files, 0600, in a folder of 0700, with the fingerprints that are read out; and none is ever overwritten."""
    made = regcert("key", "new", "--team", "alcirt", "--out", "keys", "--json")
    assert made.code == 0
    assert (mode("keys"), mode("keys/root.pem"), mode("keys/signing.pem")) == (0o700, 0o600, 0o600)
    assert made.json["root"]["key_id"] == key_id("keys/root.pem") != key_id("keys/signing.pem") == made.json["signing"]["key_id"]
    shown = regcert("key", "show", "keys/root.pem")
    assert spoken(key_id("keys/root.pem")) in shown.out
    assert len(spoken(key_id("keys/root.pem")).split()) == 16
    assert set(regcert("key", "new", "--team", "alcirt", "--out", "next", "--no-root", "--json").json) == {"team", "signing"}
    assert [path.name for path in Path("next").iterdir()] == ["signing.pem"]
    before = Path("keys/root.pem").read_bytes()
    again = regcert("key", "new", "--team", "alcirt", "--out", "keys")
    assert (again.code, "already-exists" in again.err) == (1, True)
    assert Path("keys/root.pem").read_bytes() == before
    assert b"PRIVATE KEY" in before
    assert "PRIVATE" not in made.out + made.err + shown.out + shown.err


def test_words_tell_a_person_what_belongs_where(regcert: Regcert) -> None:
    """The root on a stick in a safe; the fingerprints in groups of four."""
    made = regcert("key", "new", "--team", "alcirt", "--out", "keys")
    assert "safe" in made.err
    assert spoken(key_id("keys/root.pem")) in made.out
    assert spoken(key_id("keys/signing.pem")) in made.out


def test_key_is_opened_with_its_passphrase_only(regcert: Regcert, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for, or comes from the environment, and stands in neither output nor file."""
    monkeypatch.setenv("REGCERT_KEY_PASSPHRASE", "čačak 7")
    assert regcert("key", "new", "--team", "alcirt", "--out", "keys", "--passphrase").code == 0
    assert Path("keys/root.pem").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    shown = regcert("key", "show", "keys/root.pem", "--json")
    assert shown.json["key_id"] == key_id("keys/root.pem", "čačak 7")
    monkeypatch.setenv("REGCERT_KEY_PASSPHRASE", "other")
    wrong = regcert("key", "show", "keys/root.pem")
    assert (wrong.code, wrong.out) == (1, "")
    assert "passphrase" in wrong.err
    assert "other" not in wrong.err.replace("another", "")


def test_others_are_told_of_when_they_can_read_a_key(regcert: Regcert) -> None:
    """And not refused: a memory stick knows no owners."""
    regcert("key", "new", "--team", "alcirt", "--out", "keys")
    Path("keys/root.pem").chmod(0o644)
    shown = regcert("key", "show", "keys/root.pem")
    assert shown.code == 0
    assert "chmod 600" in shown.err


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", b"x" * 100_000]
)
def test_file_is_refused_when_it_is_no_key(regcert: Regcert, content: bytes) -> None:
    Path("k.pem").write_bytes(content)
    shown = regcert("key", "show", "k.pem")
    assert (shown.code, shown.out) == (1, "")
    assert "invalid-setting" in shown.err
    assert "invalid-setting" in regcert("key", "show", "none.pem").err


def noted(path: str) -> dict[str, object]:
    read: dict[str, object] = orjson.loads(Path(path).read_bytes())
    return read


async def agree(typed: Typed, team: str, proposal: str) -> str:
    """Agree as a coordinator of a team, and return what the proposal became."""
    done = await typed("approve", proposal, "--json", team=team)
    assert done.code == 0, done.err
    return str(done.json["state"])


async def test_team_goes_from_its_first_key_to_the_day_that_one_is_stolen(
    regcert: Regcert, typed: Typed, host: RunningHost
) -> None:
    """The whole of docs/keys.md: made, enrolled, approved by two others, rotated, retired, revoked, renewed, handed over."""
    for folder in ("keys", "new", "heirs"):
        assert regcert("key", "new", "--team", "alcirt", "--out", folder).code == 0
    waiting = (await typed(*ENROL, "--json")).json
    assert waiting == {"state": "waiting", "team": ALCIRT, "version": 1, "proposal": waiting["proposal"], "needs": 2}
    assert "not-found" in (await typed("list", "alcirt")).err
    own = await typed("approve", waiting["proposal"])
    assert (own.code, "you asked for this yourself" in own.err) == (1, True)
    assert await agree(typed, "srb-cert", waiting["proposal"]) == "open"
    assert (await typed("list", "alcirt")).code == 1
    assert await agree(typed, "kos-cert", waiting["proposal"]) == "done"

    old, new = key_id("keys/signing.pem"), key_id("new/signing.pem")
    assert await statuses(typed) == {old: "active"}
    again = await typed(*ENROL)
    assert (again.code, "already-exists" in again.err) == (1, True)

    rotated = await typed("rotate", *OWN, "--new", "new/signing.pem", "--json")
    assert rotated.json == {"state": "in-force", "team": ALCIRT, "version": 2, "leaf_index": rotated.json["leaf_index"]}
    assert await statuses(typed) == {old: "active", new: "active"}
    assert "already-exists" in (await typed("rotate", *OWN, "--new", "new/signing.pem")).err

    assert (await typed("retire", *OWN, "--key-id", spoken(old).upper())).code == 0
    assert await statuses(typed) == {old: "retired", new: "active"}
    since = "2026-01-02T03:04:05.000000Z"
    assert (await typed("revoke", *OWN, "--key-id", new[:8], "--compromised-since", since)).code == 0
    assert (await typed("renew", *OWN, "--valid-days", "10")).code == 0

    listed = await typed("list", "alcirt", "--json", "--root-id", key_id("keys/root.pem"), team="srb-cert", role=Role.CONSUMER)
    assert (listed.json["version"], listed.json["root"], listed.json["suspended"]) == (5, key_id("keys/root.pem"), False)
    rows = {row["key_id"]: row for row in listed.json["keys"]}
    assert rows[old] == {
        "key_id": old,
        "status": "retired",
        "reason": "superseded",
        "since_version": 3,
        "compromised_since": None,
    }
    assert rows[new] == {
        "key_id": new,
        "status": "revoked",
        "reason": "compromised",
        "since_version": 4,
        "compromised_since": since,
    }
    shown = await typed("list", "alcirt")
    assert "less than 30 days" in shown.err
    assert since in shown.out

    handed = await typed("change-root", *OWN, "--new", "heirs/root.pem", "--json")
    assert handed.json["state"] == "waiting"
    assert [await agree(typed, team, handed.json["proposal"]) for team in ("srb-cert", "kos-cert")] == ["open", "done"]
    stale = await typed("renew", *OWN)
    assert (stale.code, "another root" in stale.err) == (1, True)
    assert (await typed("renew", "--team", "alcirt", "--root", "heirs/root.pem")).code == 0


async def statuses(typed: Typed) -> dict[str, str]:
    listed = await typed("list", "alcirt", "--json")
    assert listed.code == 0, listed.err
    return {row["key_id"]: row["status"] for row in listed.json["keys"]}


async def test_person_is_told_whom_to_call_when_a_list_waits(regcert: Regcert, typed: Typed) -> None:
    """With the very command that the others type."""
    regcert("key", "new", "--team", "alcirt", "--out", "keys")
    waiting = await typed(*ENROL)
    assert waiting.code == 0
    assert "2 coordinators, each of another team" in waiting.err
    assert "regcert key approve " in waiting.err
    assert ALCIRT in waiting.err


SENSELESS = [
    (("retire", "--key-id", "00000000"), "unknown-key"),
    (("retire", "--key-id", "0000"), "unknown-key"),
    (("retire", "--key-id", "zzzzzzzz"), "unknown-key"),
    (("revoke", "--key-id", "OLD", "--compromised-since", "yesterday"), "invalid-timestamp"),
    (("revoke", "--key-id", "OLD", "--compromised-since", "2999-01-01T00:00:00Z"), "invalid-key-list"),
    (("revoke", "--key-id", "OLD", "--compromised-since", "2026-01-01T00:00:00Z", "--superseded"), "malformed-request"),
    (("rotate", "--new", "keys/root.pem"), "invalid-key-list"),
    (("rotate", "--new", "none.pem"), "invalid-setting"),
]


async def test_list_is_not_even_sent_when_it_makes_no_sense(regcert: Regcert, typed: Typed, alone: None) -> None:
    """A code and a sentence, and the list stays as it was."""
    regcert("key", "new", "--team", "alcirt", "--out", "keys")
    assert (await typed(*ENROL)).code == 0
    before = await statuses(typed)
    for arguments, code in SENSELESS:
        outcome = await typed(*(key_id("keys/signing.pem") if one == "OLD" else one for one in arguments), *OWN)
        assert outcome.code == 1
        assert f"[{code}]" in outcome.err
    assert await statuses(typed) == before


async def test_nothing_is_signed_when_the_newest_list_is_of_another_root(regcert: Regcert, typed: Typed, alone: None) -> None:
    """A host, or a thief, that put another list in force is not helped to the next one."""
    regcert("key", "new", "--team", "alcirt", "--out", "keys")
    regcert("key", "new", "--team", "alcirt", "--out", "mine")
    assert (await typed(*ENROL)).code == 0
    outcome = await typed("renew", "--team", "alcirt", "--root", "mine/root.pem")
    assert (outcome.code, "another root than yours" in outcome.err) == (1, True)
    foreign = await typed("list", "alcirt", "--root-id", key_id("mine/root.pem"))
    assert (foreign.code, foreign.out) == (1, "")


async def test_host_is_refused_when_it_rolls_a_list_back(
    regcert: Regcert, typed: Typed, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who remembers what was seen notices an older list, and another one under the same number."""
    regcert("key", "new", "--team", "alcirt", "--out", "keys")
    assert (await typed(*ENROL, "--seen", "seen")).code == 0
    assert (await typed("renew", *OWN, "--seen", "seen")).code == 0
    assert noted("seen")["version"] == 2
    honest = fetch_key_lists

    async def lying(server: str, token: str, team: str) -> Chain:
        chain = await honest(server, token, team)
        return Chain(chain.team, chain.host, chain.suspended, chain.lists[:1])

    monkeypatch.setattr(outbound, "fetch_key_lists", lying)
    for command in (("renew", *OWN), ("list", "alcirt")):
        outcome = await typed(*command, "--seen", "seen")
        assert (outcome.code, "no longer shows version 2" in outcome.err) == (1, True)


TEAM = "identity--8b1f3b8e-2f0f-4b4a-9d0c-0a5a7f0c1d11"
OTHER = "identity--8b1f3b8e-2f0f-4b4a-9d0c-0a5a7f0c1d12"
ROOT, THIEF = private_key_of(b"r" * 32), private_key_of(b"t" * 32)


def chain(*roots: PrivateKey, team: str = TEAM) -> list[dict[str, object]]:
    """Lists that follow each other, each signed by one root."""
    made: list[dict[str, object]] = []
    before: KeyList | None = None
    for version, root in enumerate(roots, 1):
        digest = before.digest if before else None
        envelope = seal_key_list(team=team, version=version, prev=digest, issued_us=1, expires_us=2, keys=(), root=root)
        before = read_key_list(envelope)
        made.append({"version": version, "leaf_index": version, "entered_at": "x", "envelope": envelope.as_json()})
    return made


LIES: dict[str, tuple[object, str]] = {
    "another root took over": (chain(ROOT, THIEF), "bad-signature"),
    "the first is missing": (chain(ROOT, ROOT)[1:], "key-list-conflict"),
    "one is missing": (chain(ROOT, ROOT, ROOT)[::2], "key-list-conflict"),
    "the same twice": (chain(ROOT) * 2, "key-list-conflict"),
    "another team's": (chain(ROOT, team=OTHER), "invalid-key-list"),
    "no lists": ("<script>", "refused-by-server"),
    "no envelope": ([{"leaf_index": 1, "envelope": {}}], "invalid-key-list"),
    "no entry": (["x"], "refused-by-server"),
    "no place": ([chain(ROOT)[0] | {"leaf_index": -1}], "refused-by-server"),
}


@pytest.mark.parametrize("name", LIES)
async def test_host_is_refused_when_its_lists_do_not_follow_each_other(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The chain is checked from its first link, whoever serves it."""
    lists, code = LIES[name]

    async def answer(*_: object, **__: object) -> dict[str, object]:
        return {"team": TEAM, "host": "regcert/x/0", "suspended": False, "key_lists": lists, "next": None}

    monkeypatch.setattr(outbound, "ask_api", answer)
    with pytest.raises(Refusal) as refused:
        await fetch_key_lists("http://localhost", "token", "alcirt")
    assert refused.value.code == code


async def test_host_is_left_when_its_pages_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lists a page, and always a next one."""
    lists = chain(*[ROOT] * (2 * outbound.MOST_PAGES + 2))

    async def answer(*_: object, after: str) -> dict[str, object]:
        return {"team": TEAM, "host": "h", "key_lists": lists[int(after) : int(after) + 2], "next": 7}

    monkeypatch.setattr(outbound, "ask_api", answer)
    with pytest.raises(Refusal) as refused:
        await fetch_key_lists("http://localhost", "token", "alcirt")
    assert refused.value.code is Code.REFUSED_BY_SERVER


def test_operator_suspends_a_team_and_lets_it_go_on(founded: Regcert) -> None:
    """On the host's own machine; once each, and only a team that there is."""
    assert founded("key", "suspend", "alcirt", "--json").json == {"team": "alcirt", "suspended": True}
    assert "already-exists" in founded("key", "suspend", "alcirt").err
    assert founded("key", "resume", "alcirt").code == 0
    assert "not-found" in founded("key", "resume", "nobody").err
