"""The log over HTTP: each tile under its one address, never changing, and nothing that no checkpoint covers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from regcert.domain.principal import Role
from regcert.domain.verifier_key import read_verifier_key
from regcert.flows.add_witness import add_witness
from regcert.signing.note import cosign, list_cosignatures, read_note, verify_note, witness_key
from regcert.signing.private_key import private_key_of
from regcert.store.checkpoints import find_newest
from regcert.translog.checkpoint import Checkpoint, read_checkpoint
from regcert.translog.tiles import read_entries
from regcert.translog.tree import leaf_hash, tree_hash
from tests.founding import Templates
from tests.hosting import RunningHost, StillClock, run_host
from tests.logs import enter
from tests.wire.asking import Reply, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
WITNESS = private_key_of(b"w" * 32)
SIZE = 600


async def run(templates: Templates, folder: Path, *, public: bool) -> AsyncIterator[RunningHost]:
    settings = templates.copy(folder / "host", f"sqlite:///{folder}/regcert.db")
    async with run_host(settings.model_copy(update={"log_public": public}), StillClock()) as running:
        await enter(running.inside.database, SIZE)
        await signed(running, SIZE)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def logging(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """A host with a log of 600 entries that its worker has signed."""
    async for running in run(templates, tmp_path_factory.mktemp("logging"), public=False):
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def public(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """The same, open to everybody."""
    async for running in run(templates, tmp_path_factory.mktemp("public"), public=True):
        yield running


async def signed(host: RunningHost, size: int) -> None:
    """Wait until the host has published a checkpoint of a size."""
    async with asyncio.timeout(10):
        while (newest := await host.inside.database.run(find_newest())) is None or newest.size < size:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def checkpoint_of(host: RunningHost) -> Checkpoint:
    reply = await ask(host, "GET", "/log/checkpoint")
    assert reply.status == 200
    note = read_note(reply.body)
    about = (await ask(host, "GET", "/api/v1/log")).json
    verify_note(note, read_verifier_key(about["verifier"]))
    checkpoint = read_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == (about["origin"], about["size"])
    return checkpoint


async def test_entries_and_tiles_give_the_root_that_is_signed(logging):
    """Fetched as any tool for such logs does it: whole tiles, then the beginning of one."""
    checkpoint = await checkpoint_of(logging)
    entries: list[bytes] = []
    for name, count in (("000", 256), ("001", 256), ("002.p/88", 88)):
        bundle = await ask(logging, "GET", f"/log/tile/entries/{name}")
        tile = await ask(logging, "GET", f"/log/tile/0/{name}")
        assert bundle.headers["Content-Type"] == tile.headers["Content-Type"] == "application/octet-stream"
        held = read_entries(bundle.body, count)
        assert tile.body == b"".join(leaf_hash(entry) for entry in held)
        entries += held
    assert entries == [f"entry {number}".encode() for number in range(SIZE)]
    assert checkpoint.root == tree_hash([leaf_hash(entry) for entry in entries])
    above = await ask(logging, "GET", "/log/tile/1/000.p/2")
    hashes = [leaf_hash(entry) for entry in entries]
    assert above.body == tree_hash(hashes[:256]) + tree_hash(hashes[256:512])


async def test_answer_may_be_kept_when_it_never_changes(logging, public):
    """A tile for ever, also one that is not full, since its address says how much of it; a checkpoint not at all."""
    for path in ("0/000", "0/002.p/7", "entries/000.p/1"):
        reply = await ask(logging, "GET", f"/log/tile/{path}")
        assert reply.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        reply = await ask(public, "GET", f"/log/tile/{path}", headers={"Authorization": ""})
        assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    reply = await ask(logging, "GET", "/log/checkpoint")
    assert reply.headers["Cache-Control"] == "no-cache"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_head_is_the_same_without_its_body(logging):
    """Of all three kinds."""
    for path in ("checkpoint", "tile/0/000", "tile/entries/002.p/3"):
        got, head = [await ask(logging, method, f"/log/{path}") for method in ("GET", "HEAD")]
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(got.body))


STRANGE = (
    "0/000.p/0", "0/000.p/256", "0/000.p/257", "0/000.p/001", "0/000.p/", "0/0", "0/00", "0/0000", "0/x000", "0/x000/001",
    "0/x001/1", "0/000/001", "00/000", "0/-01", "0/%30%30%30", "0/000/", "%30/000", "0//000", "64/000", "999/000", "0/x001",
    "0/x999/x999/x999/x999/x999/x999/x999/999", "entries/000.p/0", "entries/", "entries/x001/x002", "0/%D9%A1", "0/003",
    "0/002.p/89", "0/002", "1/000", "1/000.p/3", "2/000.p/1", "entries/002.p/89", "entries/003", "63/000.p/1", "0/x000001/000",
    "data/000", "0/000.p/1.p/1", "0/000.p/+1", "0/000.p/1%20", "..%2f..%2fhost.key",
)  # fmt: skip


@pytest.mark.parametrize("path", STRANGE)
async def test_tile_is_absent_when_its_address_is_not_the_one_or_nothing_covers_it(logging, path):
    """Numbers written otherwise, widths that are none, and what no checkpoint covers; all in the same words."""
    reply = await ask(logging, "GET", f"/log/tile/{path}")
    assert (reply.status, reply.code) == (404, "not-found")


async def test_nothing_is_there_before_it_is_signed(logging):
    """What was entered, and even hashed, is not handed out until a checkpoint says so."""
    before = await checkpoint_of(logging)
    assert (await ask(logging, "GET", f"/log/tile/0/002.p/{before.size % 256 + 1}")).status == 404
    await enter(logging.inside.database, 1)
    await signed(logging, before.size + 1)
    after = await checkpoint_of(logging)
    assert (await ask(logging, "GET", f"/log/tile/0/002.p/{after.size % 256}")).status == 200


@pytest.mark.parametrize("path", ["checkpoint", "checkpoint/witnessed", "tile/0/000", "tile/entries/000", "tile/0/zzz"])
async def test_log_is_shown_to_members_or_to_everybody(logging, public, path):
    """As the operator says; strangers learn nothing else, not even which tiles there are."""
    stranger = await ask(logging, "GET", f"/log/{path}", headers={"Authorization": ""})
    assert (stranger.status, stranger.code) == (401, "unauthenticated")
    for role in Role:
        assert (await ask(logging, "GET", f"/log/{path}", role=role)).status in {200, 404}
    opened = await ask(public, "GET", f"/log/{path}", headers={"Authorization": ""})
    assert opened.status == (404 if path in {"checkpoint/witnessed", "tile/0/zzz"} else 200)


async def test_everything_but_the_log_itself_needs_a_token_when_the_log_is_public(public):
    """Who watches it, and proofs, are for members."""
    for path in ("log", "objects/x/2026-01-01T00:00:00Z/proof?collection=public", "collections/public/publications"):
        assert (await ask(public, "GET", f"/api/v1/{path}", headers={"Authorization": ""})).status == 401
    assert (await post(public, b"", headers={"Authorization": ""})).status == 401


async def post(host: RunningHost, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
    sent = {"Content-Type": "text/plain", **(headers or {})}
    return await ask(host, "POST", "/api/v1/log/cosignatures", headers=sent, body=body)


async def test_cosignature_is_taken_and_shown(logging):
    """Over HTTP from any member: 201, the same again 200; then it stands under the checkpoint, and is the witnessed one."""
    database, clock = logging.inside.database, logging.clock
    key = witness_key("w.example", WITNESS)
    await add_witness(database, clock, "w.example", key.text, "kos-cert")
    note = read_note((await ask(logging, "GET", "/log/checkpoint")).body)
    body = note.with_signature(cosign(note.text, WITNESS, "w.example", 1_234)).write()
    assert [(await post(logging, body)).status for _ in range(2)] == [201, 200]
    for path in ("checkpoint", "checkpoint/witnessed", "checkpoint/witnessed?quorum=1"):
        reply = await ask(logging, "GET", f"/log/{path}")
        assert list_cosignatures(read_note(reply.body), key) == [1_234]
    about = (await ask(logging, "GET", "/api/v1/log")).json
    assert about["witnesses"] == [{"name": "w.example", "verifier": key.text, "team": "kos-cert"}]


async def test_cosignature_is_refused_when_it_is_no_good(logging):
    """Each with its own code; 64 KiB of it are not even read."""
    note = read_note((await ask(logging, "GET", "/log/checkpoint")).body)
    stranger = note.with_signature(cosign(note.text, private_key_of(b"s" * 32), "s.example", 1)).write()
    for body, headers, expected in (
        (stranger, {}, (422, "invalid-cosignature")),
        (b"what?", {}, (422, "invalid-checkpoint")),
        (b"x" * 65_536, {}, (413, "too-large")),
        (stranger, {"Content-Type": "application/json"}, (415, "unsupported-media-type")),
    ):
        reply = await post(logging, body, headers)
        assert (reply.status, reply.code) == expected


@pytest.mark.parametrize("quorum", ["0", "32", "-1", "", "1e1", "%D9%A1", "999999"])
async def test_quorum_is_refused_when_it_is_no_number_of_witnesses(logging, quorum):
    """Rather than taken for another one."""
    reply = await ask(logging, "GET", f"/log/checkpoint/witnessed?quorum={quorum}")
    assert (reply.status, reply.code) == (400, "malformed-request")
