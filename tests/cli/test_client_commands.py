"""The client commands against a running host, over real sockets."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import stix2

from regcert.domain.principal import Role
from regcert.outbound import api
from regcert.signing.private_key import new_private_key
from regcert.store.tables import METADATA
from tests.cli.conftest import Outcome, Regcert
from tests.hosting import RunningHost
from tests.made import indicator, sdo
from tests.signers import enrol

Typed = Callable[..., Awaitable[Outcome]]
SHARED = ("--collection", "regional-indicators")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: what a client sees does not depend on the engine, which other tests show."""
    return f"sqlite:///{tmp_path}/regcert.db"


@pytest.fixture
def typed(regcert: Regcert, host: RunningHost) -> Typed:
    """Type a client command for a team's token; the host answers from its own loop meanwhile."""

    async def command(*arguments: object, team: str = "alcirt", role: Role = Role.ANALYST) -> Outcome:
        token = await host.token(team, role)
        return await asyncio.to_thread(regcert, *arguments, "--server", host.url, "--token", token)

    return command


def write(path: str, text: str) -> str:
    Path(path).write_text(text)
    return path


def bundle(path: str, *objects: object) -> str:
    return write(path, json.dumps({"type": "bundle", "id": "bundle--" + indicator()["id"][-36:], "objects": objects}))


def keep(path: str, key: bytes) -> None:
    """Write a key as its owner would: nobody else can read it."""
    Path(path).write_bytes(key)
    Path(path).chmod(0o600)


async def rows_of(host: RunningHost, name: str) -> list[Any]:
    async with host.inside.database.read() as connection:
        return [dict(row) for row in (await connection.execute(METADATA.tables[name].select())).mappings()]


def pulled() -> Any:
    return json.loads(Path("out.json").read_text(encoding="utf-8"))


def mode(path: str) -> int:
    return Path(path).stat().st_mode & 0o777


def folder() -> dict[str, str]:
    """What lies in the working directory, by name; the host under test keeps its own in a folder."""
    return {path.name: path.read_text() for path in Path().iterdir() if path.suffix == ".json" or path.name[0] == "."}


async def test_published_files_come_back_as_one_bundle_when_pulled(typed):
    """What is published from bundles and envelopes is pulled as one bundle that stix2 reads, each object once."""
    one, two = indicator(name="Čačak → Ulcinj"), indicator("[ipv4-addr:value = '192.0.2.7']")
    envelope = write("envelope.json", json.dumps({"objects": [two]}))
    published = await typed("publish", bundle("b.json", one), envelope, *SHARED, "--json")
    assert (published.code, published.json) == (0, {"accepted": 2, "refused": [], "vouched": "attested", "key": None})
    outcome = await typed("pull", *SHARED, "--out", "out.json", team="srb-cert", role=Role.CONSUMER)
    assert (outcome.code, outcome.out) == (0, "")
    assert pulled()["objects"] == [one, two]
    assert len(stix2.parse(pulled()).objects) == 2


async def test_object_is_sent_as_its_own_bytes_when_published(typed, host):
    """Blanks, escapes and the digits of a number reach the host as they stand in the file."""
    raw = json.dumps(indicator(), indent=3)[:-1] + ', "x_ratio": 1.10, "name": "\\u010da\\u010dak"}'
    path = write("raw.json", '{"objects": [ ' + raw + " ]}")
    assert (await typed("publish", path, *SHARED)).code == 0
    async with host.http.get(
        f"{host.url}/western-balkans/collections/regional-indicators/objects/", headers=await host.headers("alcirt")
    ) as response:
        assert raw.encode() in await response.read()


async def test_markings_and_identities_go_first_when_published(typed, host):
    """What refers to a marking finds it, wherever it stands in the file."""
    marking = sdo("marking-definition", definition_type="statement", definition={"statement": "© AL"})
    del marking["modified"]
    marked = indicator(object_marking_refs=[marking["id"]])
    assert (await typed("publish", bundle("b.json", marked, marking), *SHARED, "--json")).json["accepted"] == 2
    assert [one["type"] for one in await host.objects()] == ["marking-definition", "indicator"]


async def test_publication_is_cut_when_larger_than_a_request(typed, host):
    """More objects than one request takes are published in several."""
    many = [indicator(f"[domain-name:value = 'n{number}.example']") for number in range(1003)]
    published = await typed("publish", bundle("b.json", *many), *SHARED, "--json")
    assert (published.code, published.json["accepted"]) == (0, 1003)
    assert (await typed("pull", *SHARED, "--out", "out.json", "--json")).json["objects"] == 1003
    assert [one["id"] for one in pulled()["objects"]] == [one["id"] for one in many]


async def test_refused_objects_are_listed_when_some_are_taken(typed):
    """Publishing in part is told by the exit code; each refused object has its reason."""
    bad = indicator(pattern="[nonsense")
    outcome = await typed("publish", bundle("b.json", indicator(), bad), *SHARED)
    assert outcome.code == 1
    assert re.search(r"accepted +1 objects", outcome.out)
    assert re.search(rf"refused +{bad['id']} +invalid-pattern: ", outcome.out)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"objects": []}', json.dumps(indicator()), '{"objects": [1,]}'])
async def test_file_is_refused_when_it_holds_no_envelope(typed, content):
    """A file that publishes nothing is a mistake, and the file is named."""
    outcome = await typed("publish", write("b.json", content), *SHARED)
    assert (outcome.code, outcome.out) == (1, "")
    assert "b.json" in outcome.err


async def test_only_later_objects_come_when_pulled_since(typed):
    """`--since` cuts off what was added before; an empty answer is a bundle without objects, which is valid STIX."""
    await typed("publish", bundle("b.json", indicator()), *SHARED)
    outcome = await typed("pull", *SHARED, "--out", "out.json", "--since", "2099-01-01T00:00:00Z", "--json")
    assert outcome.json == {"objects": 0, "file": "out.json"}
    assert sorted(pulled()) == ["id", "type"]


async def test_object_is_the_bytes_of_the_host_when_pulled(typed):
    """Blanks, escapes and the digits of a number stand in the bundle as they were published."""
    raw = json.dumps(indicator(), indent=3)[:-1] + ', "x_ratio": 1.10, "name": "\\u010da\\u010dak"}'
    await typed("publish", write("raw.json", '{"objects": [ ' + raw + " ]}"), *SHARED)
    await typed("pull", *SHARED, "--out", "out.json", team="srb-cert")
    assert raw in folder()["out.json"]


async def test_only_new_objects_come_when_pull_is_resumed(typed):
    """Each run's bundle is whole and holds what that run fetched; the file remembers how far that was."""
    resumed = (*SHARED, "--out", "out.json", "--resume", "place")
    for count in (1002, 0, 3, 0):
        if count:
            many = [indicator() for _ in range(count)]
            await typed("publish", bundle("b.json", *many), *SHARED)
        assert (await typed("pull", *resumed, "--json")).json["objects"] == count
        assert [one["id"] for one in pulled().get("objects", [])] == [one["id"] for one in many if count]
    assert mode("place") == 0o600


async def test_same_objects_come_again_when_the_bundle_could_not_be_written(typed):
    """Nothing counts as read before the bundle is in its place."""
    resumed = (*SHARED, "--resume", "place.json")
    await typed("publish", bundle("b.json", indicator()), *SHARED)
    outcome = await typed("pull", *resumed, "--out", "no such folder/out.json")
    assert (outcome.code, "cannot be written" in outcome.err) == (1, True)
    assert "place.json" not in folder()
    assert (await typed("pull", *resumed, "--out", "out.json", "--json")).json["objects"] == 1


async def test_old_file_stays_when_the_resume_file_is_none(typed):
    """A file that is something else is refused before anything is fetched, and not written over."""
    before = {"place.json": "my notes", "out.json": "of before"}
    for name, text in before.items():
        write(name, text)
    outcome = await typed("pull", *SHARED, "--out", "out.json", "--resume", "place.json")
    assert (outcome.code, "place.json is no resume file" in outcome.err) == (1, True)
    assert folder() == before


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--collection", "nothing"), 1, "not-found"),
        (("--collection", "team-srb-cert"), 1, "not-found"),
        ((*SHARED, "--since", "yesterday"), 1, "invalid-timestamp"),
        ((*SHARED, "--token", "unknown"), 4, "unauthenticated"),
        ((*SHARED, "--token", ""), 4, "unauthenticated"),
        ((*SHARED, "--token", "a\r\nX-Evil:1"), 4, "unauthenticated"),
        ((*SHARED, "--server", "http://127.0.0.1:1"), 3, "unreachable"),
        ((*SHARED, "--server", "127.0.0.1:1"), 1, "invalid-setting"),
        ((*SHARED, "--server", "http://me:secret@127.0.0.1:1"), 1, "invalid-setting"),
    ],
)
async def test_old_file_stays_when_pull_fails(regcert, host, arguments, code, word):
    """Whatever stops a pull leaves the file of before, nothing beside it, and one line."""
    write("out.json", "of before")
    signed_in = ("--server", host.url, "--token", await host.token("alcirt"))
    outcome = await asyncio.to_thread(regcert, "pull", "--out", "out.json", *signed_in, *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert re.fullmatch(rf"regcert: [^\n]+ \[{word}\]\n", outcome.err)
    assert "secret" not in outcome.err
    assert folder() == {"out.json": "of before"}


async def test_files_are_signed_when_a_key_is_given(typed, host, monkeypatch):
    """Refused objects are left out and told; the table and the JSON say who vouches, and by which key."""
    signer = await enrol(host.inside.database, host.clock)
    keep("key.pem", signer.key.write("secret"))
    monkeypatch.setenv("REGCERT_KEY_PASSPHRASE", "secret")
    bad = indicator(pattern="[nonsense")
    outcome = await typed("publish", bundle("b.json", indicator(), bad), *SHARED, "--key", "key.pem", "--json")
    assert (outcome.code, outcome.json["accepted"]) == (1, 1)
    assert (outcome.json["vouched"], outcome.json["key"]) == ("signed", signer.key.public.key_id)
    assert [one["id"] for one in outcome.json["refused"]] == [bad["id"]]
    told = await typed("publish", bundle("b.json", indicator()), *SHARED, "--key", "key.pem")
    assert told.code == 0
    assert f"signed by key {signer.key.public.key_id}" in told.out
    assert "attested by the host, not signed" in (await typed("publish", bundle("b.json", indicator()), *SHARED)).out
    assert {row["vouched"] for row in await rows_of(host, "objects")} == {"signed", "attested"}


async def test_nothing_is_published_when_the_key_cannot_be_read(typed, host):
    """Another file, a key without its list, a declassification that nobody signs."""
    keep("key.pem", new_private_key().write())
    for arguments, reason in (
        (("--key", "b.json"), "invalid-setting"),
        (("--key", "nowhere"), "invalid-setting"),
        (("--key", "key.pem"), "not in your team's key list"),
        (("--declassify", "x--1"), "malformed-request"),
    ):
        outcome = await typed("publish", bundle("b.json", indicator()), *SHARED, *arguments)
        assert outcome.code == 1
        assert reason in outcome.err
    assert await rows_of(host, "objects") == []


async def test_publishing_is_refused_when_token_may_only_read(typed):
    """A consumer learns at once that it may not publish."""
    outcome = await typed("publish", bundle("b.json", indicator()), *SHARED, role=Role.CONSUMER)
    assert (outcome.code, "[forbidden]" in outcome.err) == (1, True)


async def test_incident_is_shown_when_neighbours_sight_a_value(typed, host):
    """One line from a neighbour makes a value cross a border, and the table says in which order."""
    await typed("publish", bundle("b.json", indicator("[domain-name:value = 'bank-login.example']")), *SHARED)
    for team in ("mkd-cert", "srb-cert"):
        told = await typed("sight", "bank-login[.]example", "--count", "12", "--report-id", "r1", team=team, role=Role.CONSUMER)
        assert (told.code, told.out) == (0, "")
        host.clock.at_us += 3_600_000_000
    await host.caught_up()
    table = await typed("incidents", team="cirt-me")
    assert table.code == 0
    assert re.search(r"TLP:AMBER +AL → MK → RS +3 +1 +24 +2026-11-1", table.out)
    listed = (await typed("incidents", "--json", team="cirt-me")).json
    assert listed["next"] is None
    assert [one["country"] for one in listed["incidents"][0]["countries"]] == ["AL", "MK", "RS"]


async def test_file_of_reports_counts_once_when_it_is_sent_again(typed, host, monkeypatch):
    """In calls of a few lines: what was sent before a fault is there, and the same file again changes nothing."""
    monkeypatch.setattr(api, "MOST_LINES", 3)
    lines = ['{"value": "a.example"}', '{"value": "a.example"}', "nonsense", '{"technique": "T1566", "report_id": "own"}', "{}"]
    path = write("r.jsonl", "\n".join(lines) + "\n")
    for _ in range(2):
        outcome = await typed("sight", "--file", path, "--json")
        assert (outcome.code, outcome.json["accepted"]) == (1, 3)
        assert [(one["line"], one["code"]) for one in outcome.json["refused"]] == [(3, "malformed-json"), (5, "invalid-sighting")]
    assert len(await rows_of(host, "sightings")) == 3
    assert "line 3: " in (await typed("sight", "--file", path)).err
    assert (await typed("sight", "T1566.001", "--json")).json["accepted"] == 1
    for arguments in ((), ("a.example", "--file", path), ("--file", "no")):
        assert (await typed("sight", *arguments)).code == 1


async def test_sighting_counts_once_when_report_id_is_repeated(typed, host):
    """A script that tries again reports the same, and both times it is told that it is done."""
    for _ in range(2):
        told = await typed("sight", "192.0.2.9", "--report-id", "nightly-1", "--sector", "energy", "--json")
        assert told.json == {"accepted": 1, "refused": [], "report_id": "nightly-1"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("two words",),
        ("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",),
        ("192.0.2.1", "--collection", "team-srb-cert"),
        ("192.0.2.1", "--first-seen", "yesterday"),
    ],
)
async def test_sighting_is_refused_with_reason_when_it_cannot_be_filed(typed, arguments):
    """A refused report is an exit code, a reason in JSON and a line for people."""
    outcome = await typed("sight", *arguments, "--json")
    assert outcome.code == 1
    assert (outcome.json["accepted"], len(outcome.json["refused"])) == (0, 1)
    assert outcome.json["refused"][0]["code"] in outcome.err


async def test_indicator_is_sighted_when_its_id_is_typed(typed):
    """An argument in the shape of a STIX id names the indicator, not a value."""
    known = indicator()
    await typed("publish", bundle("b.json", known), *SHARED)
    assert (await typed("sight", known["id"], "--kind", "false-positive", team="srb-cert")).code == 0
