"""A real host with a history, and what it shows: three teams, two witnesses, versions, a stolen key and a retired one.

The host is RegCERT's own and every object, key list and cosignature went in through its doors. What is kept of it are its answers
at two moments, so that a test can change one of them and serve the rest.
"""

import asyncio
import json
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from regcert.assembly.parts import load_host_key
from regcert.client.verifying import pull_verified
from regcert.clock import DAY_US
from regcert.domain.key_list import team_key
from regcert.domain.principal import Role
from regcert.domain.verifier_key import VerifierKey
from regcert.flows.add_witness import add_witness
from regcert.flows.initialise import initialise, read_region_file
from regcert.outbound.wire import HttpWire, open_wire
from regcert.settings import Settings
from regcert.share import share_dir
from regcert.signing.note import log_key, read_note
from regcert.signing.note_key import WitnessKey
from regcert.signing.private_key import PrivateKey, new_private_key, private_key_of
from regcert.stix.timestamps import write_timestamp
from regcert.store.log import count_leaves
from regcert.translog.checkpoint import read_checkpoint
from regcert.translog.policy import Policy, read_policy
from regcert.translog.tiles import TileName, read_entries, tile_width
from regcert.verification.log_reader import LogReader
from regcert.verification.offline import Report
from regcert.verification.roots import Trust
from regcert.verification.witness import Witness
from regcert.verification.witnessing import witness_once
from tests.hosting import ROOT, RunningHost, StillClock, run_host
from tests.made import indicator, sdo
from tests.signers import Signer, enrol, retired, revoked

SLUG = "regional-indicators"
MINUTE_US = 60_000_000
WITNESSES = [WitnessKey(f"{name}.example/witness", bytes([number] * 32)) for number, name in enumerate(("one", "two"), 7)]


@dataclass
class Shown:
    """What a host shows, all of it; a lie changes something here.

    Args:
        entries: of its log.
        checkpoint: the newest.
        witnessed: the newest with a quorum.
        objects: of the collection, in its order: when each was added, and its bytes.
        rows: its publications.
        blind: of the collection.
        proofs: the proof answer of each manifest.
        collection: as it is listed.
        now_us: when all this is so.
        witnessed_of: the newest checkpoint by how many cosignatures it must have, where that is not one for all.
    """

    entries: list[bytes]
    checkpoint: bytes
    witnessed: bytes
    objects: list[tuple[str, bytes]]
    rows: list[dict[str, Any]]
    blind: str | None
    proofs: dict[str, dict[str, Any]]
    collection: dict[str, Any]
    now_us: int = 0
    witnessed_of: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> "Shown":
        return deepcopy(self)

    def find(self, stix_id: str) -> list[int]:
        """Where an object stands, in all of its versions."""
        return [at for at, (_, body) in enumerate(self.objects) if json.loads(body)["id"] == stix_id]

    def change(self, at: int, **changed: Any) -> None:
        """Change properties of an object."""
        added, body = self.objects[at]
        self.objects[at] = added, orjson.dumps(json.loads(body) | changed)

    def drop(self, *indexes: int) -> None:
        """Take objects away."""
        self.objects = [one for at, one in enumerate(self.objects) if at not in indexes]


@dataclass
class World:
    """The host at two moments, the keys that it has, and what a reader believes.

    Args:
        origin: the name of the log.
        early: after three publications.
        late: after six, a stolen key and a retired one.
        names: ids of objects, by what they are for.
        log: the key of the log itself, which only the host has.
        signers: the teams.
        stolen: the key of srb-cert that it revoked.
        policy_text: the reader's policy, as a file.
        expected: the verdict of each object of the late world, by its id.
        live: two readings of the host itself, late, by a reader of a fourth team.
    """

    early: Shown
    late: Shown
    names: dict[str, str]
    log: PrivateKey
    origin: str
    signers: dict[str, Signer]
    stolen: PrivateKey
    policy_text: bytes
    expected: dict[str, str] = field(default_factory=dict)
    live: list[Report] = field(default_factory=list)

    @property
    def policy(self) -> Policy:
        return read_policy(self.policy_text)

    @property
    def roots(self) -> dict[str, bytes]:
        return {signer.team.identity_id: signer.root.public.raw for signer in self.signers.values()}

    @property
    def trust(self) -> Trust:
        return Trust(self.policy, self.roots)


def write_policy(log: VerifierKey, quorum: str = "all") -> bytes:
    """A policy of the log and both witnesses."""
    lines = [f"log {log.text}"]
    lines += [f"witness w{number} {one.verifier.text}" for number, one in enumerate(WITNESSES)]
    return "\n".join([*lines, f"group both {quorum} w0 w1", "quorum both", ""]).encode()


async def make_world(folder: Path, skew_us: int = 0) -> World:
    """Play the history, and keep what the host shows.

    Args:
        folder: for the host and the witnesses.
        skew_us: by how much the host's clock is ahead of everybody else's, whenever something is published.
    """
    true_clock = StillClock()
    clock = _SkewedClock(true_clock)
    settings = Settings(data_dir=folder / "host", database_url=f"sqlite:///{folder}/regcert.db")
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    await initialise(settings.data_dir, settings.database_url, clock, region)
    async with run_host(settings, clock) as host, open_wire(host.url, 10) as wire:
        stage = _Stage(host, wire, true_clock, clock, skew_us, settings, folder)
        await stage.begin()
        await stage.play_early()
        early = await stage.show()
        await stage.play_late()
        late = await stage.show()
        key = private_key_of(load_host_key(settings).derive("log"))
        policy = write_policy(log_key(stage.origin, key))
        world = World(early, late, stage.names, key, stage.origin, stage.signers, stage.stolen[0], policy, stage.expected)
        token = await host.token("bih-cert", Role.CONSUMER)
        mirror = folder / "mirror"
        world.live = [await pull_verified(host.url, token, SLUG, mirror, world.trust, clock=true_clock) for _ in range(2)]
        return world


class _SkewedClock(StillClock):
    """The clock of a host that is wrong, by accident or not."""

    def __init__(self, true_clock: StillClock) -> None:
        self.true_clock = true_clock
        self.skew_us = 0

    def now_us(self) -> int:
        return self.true_clock.at_us + self.skew_us


@dataclass
class _Stage:
    host: RunningHost
    wire: HttpWire
    true_clock: StillClock
    clock: _SkewedClock
    skew_us: int
    settings: Settings
    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    signers: dict[str, Signer] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)
    stolen: list[PrivateKey] = field(default_factory=list)
    origin: str = ""

    async def begin(self) -> None:
        database = self.host.inside.database
        for one in WITNESSES:
            await add_witness(database, self.true_clock, one.name, one.verifier.text, "alcirt")
        for slug in ("alcirt", "mkd-cert", "srb-cert"):
            self.signers[slug] = await enrol(database, self.true_clock, slug)
        self.origin = self.signers["alcirt"].host
        await self.witness()

    async def play_early(self) -> None:
        one = self.indicator("one")
        await self.publish("alcirt", "VALID", one, self.named("malware", sdo("malware", name="Älter\u2028", is_family=False)))
        await self.publish("mkd-cert", "VALID_RETIRED", self.indicator("two"), self.indicator("three", lang="sq"))
        later = one | {"modified": write_timestamp(self.true_clock.at_us), "confidence": 70}
        await self.publish("alcirt", "VALID", later)

    async def play_late(self) -> None:
        serbia, macedonia = self.signers["srb-cert"], self.signers["mkd-cert"]
        await self.publish("srb-cert", "VALID", self.indicator("before-theft"))
        stolen_us = self.true_clock.at_us + MINUTE_US
        claimed_us = stolen_us - DAY_US  # whoever has the key can write what he likes
        await self.publish("srb-cert", "INVALID", self.indicator("after-theft"), issued_us=claimed_us)
        old, serbia.key = serbia.key, new_private_key()
        self.stolen.append(old)
        self.true_clock.at_us += MINUTE_US
        await serbia.set_keys(revoked(old, stolen_us), team_key(serbia.key.public.raw))
        await self.publish("srb-cert", "VALID", self.indicator("new-key"))
        old, macedonia.key = macedonia.key, new_private_key()
        await macedonia.set_keys(retired(old), team_key(macedonia.key.public.raw))
        await self.publish("mkd-cert", "VALID", self.indicator("four"))

    def indicator(self, name: str, **properties: Any) -> dict[str, Any]:
        return self.named(name, indicator(f"[domain-name:value = '{name}.example']", name=name, **properties))

    def named(self, name: str, one: dict[str, Any]) -> dict[str, Any]:
        self.names[name] = one["id"]
        return one

    async def publish(self, slug: str, verdict: str, *objects: dict[str, Any], **changed: Any) -> None:
        self.true_clock.at_us += 10 * MINUTE_US
        signer = self.signers[slug]
        self.clock.skew_us = self.skew_us
        manifest = await signer.manifest(objects, **changed)
        signer.went(manifest)
        status, told = await self.host.post(orjson.dumps({"objects": [*objects, manifest]}), slug)
        assert (status, told["failure_count"]) == (202, 0), told
        self.expected |= {one["id"]: verdict for one in (*objects, manifest)}
        await self.witness()
        self.clock.skew_us = 0

    async def witness(self) -> None:
        """Both witnesses cosign what is in the log, each a little later by its own clock."""
        reader = LogReader(self.wire, self.host.url, await self.host.token("alcirt"))
        verifier = log_key(self.origin, private_key_of(load_host_key(self.settings).derive("log")))
        witnesses = [
            Witness(key, verifier, self.folder / f"witness{number}", self.true_clock) for number, key in enumerate(WITNESSES)
        ]
        sizes: set[int] = set()
        while len(sizes) != 1:  # the log may grow between two of them, by an entry of its own
            least = await self._signed()
            for witness in witnesses:
                self.true_clock.at_us += 5_000_000
                await witness_once(reader, witness, self.true_clock, 300)
            sizes = {last.size for witness in witnesses if (last := witness.find_last()) is not None}
            assert min(sizes) >= least

    async def _signed(self) -> int:
        """Wait until the host has signed all that is in its log, and return how much that is."""
        entered = await self.host.inside.database.run(count_leaves())
        for _ in range(1000):
            _, told, _ = await self.host.get("//api/v1/log")
            if told["size"] >= entered:
                return int(told["size"])
            await asyncio.sleep(0.02)
        raise AssertionError("the host does not sign")

    async def show(self) -> Shown:
        """Take down everything that a reader could ask for."""
        reader = LogReader(self.wire, self.host.url, await self.host.token("alcirt"))
        checkpoint = await reader.fetch_checkpoint()
        size = read_checkpoint(read_note(checkpoint).text).size
        entries: list[bytes] = []
        for number in range(-(-size // 256)):
            name = TileName(None, number, tile_width(0, number, size))
            entries += read_entries((await self._get(f"/log/{name.path}")), name.width)
        _, listed, _ = await self.host.get(f"//api/v1/collections/{SLUG}/publications")
        proofs = {}
        objects: list[tuple[str, bytes]] = []
        path = f"{ROOT}/collections/{SLUG}/objects/?match[version]=all&limit=1"
        more = ""
        while True:
            status, page, headers = await self.host.get(f"/{path}{more}")
            assert status == 200
            objects += [(headers["X-TAXII-Date-Added-Last"], orjson.dumps(one)) for one in page.get("objects", [])]
            if not page.get("more"):
                break
            more = f"&next={page['next']}"
        for row in listed["publications"]:
            version = next(one["created"] for _, body in objects if (one := json.loads(body))["id"] == row["manifest"])
            _, answer, _ = await self.host.get(f"//api/v1/objects/{row['manifest']}/{version}/proof?collection={SLUG}")
            proofs[row["manifest"]] = answer
        _, collection, _ = await self.host.get(f"/collections/{SLUG}/")
        shown = Shown(
            entries,
            checkpoint,
            checkpoint,
            objects,
            listed["publications"],
            listed["blind"],
            proofs,
            collection,
            self.true_clock.at_us,
        )
        return replace(shown)

    async def _get(self, path: str) -> bytes:
        headers = {"Authorization": f"Bearer {await self.host.token('alcirt')}"}
        async with self.host.http.get(self.host.url + path, headers=headers) as response:
            assert response.status == 200
            return await response.read()
