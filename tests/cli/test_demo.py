"""The demo: its script is harmless, complete and always the same; what it plants comes out; its host leaves nothing behind."""

import fcntl
import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import typer

from regcert.assembly.parts import load_guards
from regcert.cli import demo
from regcert.cli.week import stage
from regcert.cli.week.play import Tally
from regcert.cli.week.promise import find_faults, find_story
from regcert.cli.week.scenes import HOUR_US, PUBLIC, SHARED, Poll, Publication, Scene, Sighted, write_scenes
from regcert.cli.week.script import WEEK_HOURS, Value, Week, read_week, require_cast
from regcert.correlation.assess import assess
from regcert.correlation.cluster import cluster
from regcert.correlation.group import Held, judge
from regcert.correlation.guards import Guards
from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.holding import Holding
from regcert.domain.principal import Principal, Role
from regcert.domain.region import Region
from regcert.domain.report import read_report
from regcert.domain.sighting import SightingKind
from regcert.domain.submission import AdmittedObject, Received, parse
from regcert.domain.team import Team
from regcert.errors import Code, Refusal
from regcert.exports.incident_json import incident_json
from regcert.flows.initialise import read_region_file
from regcert.policy.admission import admit
from regcert.settings import Settings
from regcert.share import share_dir
from regcert.signing.verify import TeamStanding, verify
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp

NOW_US = 1_795_000_000_000_000
FILE = tomllib.loads((share_dir() / "deploy/demo/week.toml").read_text("utf-8"))
SCHEMA = jsonschema_rs.validator_for(json.loads((share_dir() / "schemas/demo-week.schema.json").read_text("utf-8")))
DOCUMENTATION = [
    ipaddress.ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
CEILINGS = {SHARED: Tlp.AMBER, PUBLIC: Tlp.CLEAR}


@pytest.fixture(scope="module")
def week() -> Week:
    return read_week(FILE)


@pytest.fixture(scope="module")
def region(week) -> Region:
    return read_region_file(share_dir() / "deploy/regions" / f"{week.region}.toml")


@pytest.fixture(scope="module")
def scenes(week, region):
    return write_scenes(week, region, NOW_US)


@pytest.fixture(scope="module")
def guards(tmp_path_factory) -> Guards:
    return Guards(load_guards(Settings(data_dir=tmp_path_factory.mktemp("nothing"))))


@dataclass
class Ledger:
    """What a host would know behind the week, put together by hand."""

    objects: list[tuple[Team, AdmittedObject]] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    holdings: dict[Observable, dict[tuple[str, str], Holding]] = field(default_factory=lambda: defaultdict(dict))
    contexts: dict[Observable, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, team: Team, origin: str, observable: Observable, **said: Any) -> None:
        new = Holding(team=team, origin=origin, **{"published": False, "positives": 0, "negatives": 0,
                      "false_positive": False, "marking": Tlp.AMBER, **said})  # fmt: skip
        old = self.holdings[observable].get((team.slug, origin), new)
        self.holdings[observable][team.slug, origin] = replace(
            new,
            first_us=min(old.first_us, new.first_us),
            last_us=max(old.last_us, new.last_us),
            published=old.published or new.published,
            positives=old.positives + new.positives,
            false_positive=old.false_positive or new.false_positive,
        )

    def verdict(self, observable: Observable, guards: Guards):
        return judge(observable, list(self.holdings[observable].values()), guards)

    def incidents(self, guards: Guards) -> list[dict[str, Any]]:
        crossing = [observable for observable in self.holdings if self.verdict(observable, guards).crosses]
        keys = {str(observable).encode(): observable for observable in crossing}
        found = cluster({key: frozenset(self.contexts[observable]) for key, observable in keys.items()})
        members = [{keys[key]: list(self.holdings[keys[key]].values()) for key in one} for one in found]
        return [incident_json(assess(str(number), "all", one), 50.0) for number, one in enumerate(members)]


@pytest.fixture(scope="module")
def ledger(region, scenes, schemas) -> Ledger:
    teams = {
        entry.slug: Team(number, entry.slug, entry.name, entry.country, entry.kind, entry.identity_id)
        for number, entry in enumerate(region.teams, 1)
    }
    ledger, indicators = Ledger(), {}
    for scene in scenes:
        if isinstance(scene, Publication):
            for one in _admit(scene, teams, schemas, ledger):
                indicators[one.stix.stix_id] = one.stix.observables
        if isinstance(scene, Sighted):
            for data in scene.reports:
                report = read_report(data, NOW_US)
                for observable in [report.observable] if report.observable else indicators[str(report.subject)]:
                    ledger.add(
                        teams[scene.team],
                        teams[scene.team].identity_id,
                        observable,
                        first_us=report.first_us,
                        last_us=report.last_us,
                        positives=report.count if report.kind is SightingKind.POSITIVE else 0,
                        negatives=report.count if report.kind is SightingKind.NEGATIVE else 0,
                        false_positive=report.kind is SightingKind.FALSE_POSITIVE,
                    )
    for stix in [one.stix for _, one in ledger.objects]:
        for member, context in stix.ties:
            for observable in indicators.get(member, ()):
                ledger.contexts[observable].add(context)
    return ledger


def _admit(scene, teams, schemas, ledger) -> list[AdmittedObject]:
    """Let a publication go the way that every post goes, up to where it would be stored."""
    team, ceiling = teams[scene.team], CEILINGS[scene.collection]
    collection = Collection(1, str(uuid.uuid4()), scene.collection, "r", "T", "D", ceiling, SignatureRule.ACCEPTED, "all")
    body = json.dumps({"objects": scene.objects}).encode()
    received = Received(Principal(team, Role.ANALYST, 1, None), collection, body, NOW_US)
    neighbours = frozenset(other.identity_id for other in teams.values()) - {team.identity_id}
    admitted = admit(verify(parse(received, schemas), TeamStanding("")), neighbours=neighbours, stored={})
    ledger.refused += admitted.refused
    for one in admitted.objects:
        ledger.objects.append((team, one))
        for observable in one.stix.observables:
            assert one.stix.first_us is not None
            span = {"first_us": one.stix.first_us, "last_us": one.stix.last_us}
            ledger.add(team, one.author, observable, published=True, marking=one.marking, **span)
    return list(admitted.objects)


# The script


def test_script_fits_its_schema():
    """The file we ship is one that an editor with the schema calls right."""
    SCHEMA.validate(FILE)


@pytest.mark.parametrize("place", ["stories", "reports", "watches"])
def test_schema_refuses_script_when_a_word_is_misspelt(place):
    """A misspelt property is not silently left out of the story."""
    data = deepcopy(FILE)
    data[place][0]["titel"] = "x"
    assert not SCHEMA.is_valid(data)


@pytest.mark.parametrize("missing", sorted(FILE))
def test_script_is_refused_when_a_part_is_missing(missing):
    """A part that is not there is named, not invented."""
    with pytest.raises(Refusal) as refusal:
        read_week({name: part for name, part in FILE.items() if name != missing})
    assert refusal.value.code is Code.INVALID_SETTING
    assert missing in refusal.value.message


def _unknown_team(data):
    data["reports"][0]["team"] = "nobody"


def _unknown_value(data):
    data["watches"][0]["values"] = ["nothing"]


def _unknown_story(data):
    data["reports"][0]["story"] = "never"


def _before_the_week(data):
    data["reports"][0]["hours_ago"] = WEEK_HOURS + 1


def _silent_guest(data):
    data["guest"] = "sample-bank"


def _noise_seen_abroad(data):
    data["noise"]["teams"][0]["seen_by"] = "srb-cert"


@pytest.mark.parametrize(
    "change", [_unknown_team, _unknown_value, _unknown_story, _before_the_week, _silent_guest, _noise_seen_abroad]
)
def test_script_is_refused_when_it_contradicts_the_region_or_itself(change, region):
    """Everything that one part of the script says of another is true."""
    data = deepcopy(FILE)
    require_cast(read_week(data), region)
    change(data)
    with pytest.raises(Refusal) as refusal:
        require_cast(read_week(data), region)
    assert refusal.value.code is Code.INVALID_SETTING


# The scenes


def _hosts(observable: Observable) -> str | None:
    match observable.kind:
        case ObservableKind.URL:
            return urlsplit(observable.value).hostname
        case ObservableKind.EMAIL:
            return observable.value.rpartition("@")[2]
        case ObservableKind.DOMAIN | ObservableKind.IPV4 | ObservableKind.IPV6:
            return observable.value
        case _:
            return None


def _is_invented(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.endswith(".example")
    return any(address in network for network in DOCUMENTATION if network.version == address.version)


def test_week_names_nobody_when_it_is_not_benign(week, ledger):
    """Every address and name belongs to documentation, but for those that the script calls benign."""
    benign = {value.observable for value in week.values.values() if value.benign}
    hosts = {observable: _hosts(observable) for observable in ledger.holdings}
    assert {observable for observable, host in hosts.items() if host and not _is_invented(host)} == benign


def test_week_is_the_same_when_it_is_written_again(week, region, scenes):
    """The same script, region and moment give the same scenes, byte for byte."""
    assert write_scenes(week, region, NOW_US) == scenes


def test_week_keeps_its_ids_and_values_when_it_is_played_on_another_day(week, region, scenes):
    """Only times move: who tells the story of yesterday's demo tells today's."""

    def names(some: tuple[Scene, ...]) -> object:
        reports = [
            (scene.team, report["report_id"], report.get("value"), report["count"])
            for scene in some
            if isinstance(scene, Sighted)
            for report in scene.reports
        ]
        return reports, [
            [(one["id"], one.get("pattern")) for one in scene.objects] for scene in some if isinstance(scene, Publication)
        ]

    assert names(write_scenes(week, region, NOW_US + 7919 * HOUR_US + 1)) == names(scenes)


def test_week_is_another_when_the_seed_is(week, region, scenes):
    """The seed decides what is not written down."""
    assert write_scenes(replace(week, seed=week.seed + 1), region, NOW_US) != scenes


def test_every_object_is_admitted(ledger):
    """Nothing in the script is refused on the way that every post goes: schemas, authors, ceilings."""
    assert ledger.refused == []
    assert 600 <= len(ledger.objects) <= 1500


def test_week_lies_within_the_last_seven_days(scenes):
    """The week ends an hour ago and begins seven days ago; scenes come in the order of their hours."""
    hours = [scene.at_us for scene in scenes]
    assert hours == sorted(hours)
    assert hours[0] == NOW_US - WEEK_HOURS * HOUR_US
    assert NOW_US - 3 * HOUR_US < hours[-1] <= NOW_US - HOUR_US
    assert {type(scene) for scene in scenes} == {Publication, Poll, Sighted}


@pytest.mark.parametrize("earliest", [0, WEEK_HOURS])
def test_report_names_an_indicator_only_when_it_was_published_before(earliest, week, region):
    """A sensor can match only what somebody has published, also where it watches since before that."""
    watches = tuple(replace(watch, from_hours_ago=max(watch.from_hours_ago, earliest)) for watch in week.watches)
    published, named = set(), 0
    for scene in write_scenes(replace(week, watches=watches), region, NOW_US):
        if isinstance(scene, Publication):
            published |= {one["id"] for one in scene.objects}
        if isinstance(scene, Sighted):
            indicators = {report["indicator"] for report in scene.reports if "indicator" in report}
            assert indicators <= published
            named += len(indicators)
    assert named


def test_nothing_is_seen_when_its_watch_has_not_begun(week, region):
    """The order of the countries hangs on when each of them saw something first."""
    busy = replace(week, watches=tuple(replace(watch, reports=200) for watch in week.watches))
    earliest: dict[str, list[int]] = defaultdict(list)
    for scene in write_scenes(busy, region, NOW_US):
        for one in scene.reports if isinstance(scene, Sighted) else ():
            earliest[str(one["report_id"]).rpartition("-")[0]].append(read_timestamp(str(one["first_seen"])))
    for number, watch in enumerate(busy.watches):
        assert min(earliest[f"week-{number}"]) >= NOW_US - watch.from_hours_ago * HOUR_US


def test_object_is_published_once_when_it_is_nobodys_copy(week, scenes):
    """Only the author of the public feed is introduced by each team that passes it on; a campaign is named once."""
    ids = Counter(one["id"] for scene in scenes if isinstance(scene, Publication) for one in scene.objects)
    assert {stix_id: times for stix_id, times in ids.items() if times > 1} == {week.feed.identity: len(week.feed.relays)}


def test_report_ids_are_given_once(scenes):
    """The host takes a report id once for each team; one that stood twice would be lost without a word."""
    ids = [(scene.team, one["report_id"]) for scene in scenes if isinstance(scene, Sighted) for one in scene.reports]
    assert len(ids) == len(set(ids)) > 200


# The promise


def test_week_keeps_its_promise(week, ledger, guards):
    """What is planted crosses borders in its order, and nothing else does."""
    assert find_faults(week, ledger.incidents(guards)) == ()


@pytest.mark.parametrize(
    ("name", "held"),
    [("resolver", Held.GUARDED), ("search", Held.GUARDED), ("statics", Held.FALSE_POSITIVE), ("bank-only-al", Held.ONE_COUNTRY)],
)
def test_value_is_held_back_for_the_reason_it_was_planted_for(name, held, week, ledger, guards):
    """Each trap of the week is one of another kind."""
    verdict = ledger.verdict(week.values[name].observable, guards)
    assert verdict.held is held
    assert len(verdict.spread) == (1 if held is Held.ONE_COUNTRY else 2)


def test_feed_is_one_origin_when_four_countries_relay_it(week, ledger, guards):
    """Every entry of the public feed is in four countries, and crosses no border."""
    relayed = {observable for _, one in ledger.objects if one.author == week.feed.identity for observable in one.stix.observables}
    assert len(relayed) == week.feed.entries
    verdicts = [ledger.verdict(observable, guards) for observable in relayed]
    assert {(verdict.held, len(verdict.spread)) for verdict in verdicts} == {(Held.ONE_ORIGIN, 4)}


def _swap_order(incidents):
    incidents[0]["countries"].reverse()


def _lose_value(incidents):
    incidents[0]["observables"].pop()


def _add_resolver(incidents):
    incidents[0]["observables"].append({"kind": "ipv4", "value": "8.8.8.8"})


def _add_incident(incidents):
    incidents.append(incidents[0] | {"observables": [{"kind": "domain", "value": "noise.example"}]})


def _split(incidents):
    half = deepcopy(incidents[0])
    half["observables"] = [incidents[0]["observables"].pop()]
    incidents.append(half)


def _find_nothing(incidents):
    incidents.clear()


@pytest.mark.parametrize("change", [_swap_order, _lose_value, _add_resolver, _add_incident, _split, _find_nothing])
def test_promise_is_broken_when_an_incident_is_not_as_planted(change, week, ledger, guards):
    """The demo notices what it promises to notice."""
    incidents = ledger.incidents(guards)
    change(incidents)
    assert find_faults(week, incidents)


def test_incident_is_told_as_the_story_whose_values_it_holds(week, ledger, guards):
    """Each incident is shown under the title of its own story, and one of none under no title."""
    told = [find_story(week, incident) for incident in ledger.incidents(guards)]
    assert sorted(story.key for story in told if story) == sorted(story.key for story in week.stories)
    assert find_story(week, {"observables": [{"kind": "domain", "value": "noise.example"}]}) is None


# The stage


def test_folder_is_refused_when_the_demo_did_not_make_it(tmp_path):
    """Nobody's host is cleared away for a demo."""
    (tmp_path / "regcert.db").write_text("somebody's")
    with pytest.raises(Refusal) as refusal, stage.clear_folder(tmp_path):
        pass
    assert refusal.value.code is Code.ALREADY_EXISTS
    assert (tmp_path / "regcert.db").read_text() == "somebody's"


def test_folder_is_refused_when_it_is_a_link(tmp_path):
    """A link would lead the clearing to wherever it points."""
    (tmp_path / "real").mkdir()
    (tmp_path / "demo").symlink_to(tmp_path / "real")
    with pytest.raises(Refusal), stage.clear_folder(tmp_path / "demo"):
        pass


def test_folder_is_cleared_when_the_demo_made_it(tmp_path):
    """Each demo begins from nothing."""
    folder = tmp_path / "var" / "demo"
    with stage.clear_folder(folder):
        (folder / "regcert.db").write_text("old")
        (folder / "more").mkdir()
    with stage.clear_folder(folder):
        assert [path.name for path in folder.iterdir()] == [stage.MARKER]


def test_folder_is_refused_when_another_demo_runs_in_it(tmp_path):
    """A demo does not pull the database from under another."""
    (tmp_path / stage.MARKER).touch()
    with (tmp_path / stage.MARKER).open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Refusal) as refusal, stage.clear_folder(tmp_path):
            pass
    assert refusal.value.code is Code.BUSY


def test_port_is_refused_when_somebody_listens_there():
    """Who starts a second demo is told what to do, before anything is cleared."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(Refusal) as refusal:
        stage.choose_port(other.getsockname()[1])
    assert refusal.value.code is Code.INVALID_SETTING


def test_host_is_gone_when_the_demo_fails(tmp_path, week, region, monkeypatch):
    """The host is its own, whatever the environment says, and ends with the demo, however that ends."""
    monkeypatch.setenv("REGCERT_DATABASE_URL", "postgresql://somebody.example/else")
    small = replace(week, reports=week.reports[:1], watches=(), noise=replace(week.noise, teams=()))
    stage.found_host(tmp_path, region, small)
    with suppress(ZeroDivisionError), stage.serving(tmp_path, stage.choose_port(0)) as process:
        assert process.poll() is None
        raise ZeroDivisionError
    assert process.poll() is not None


def test_last_words_are_told_when_the_host_does_not_start(tmp_path):
    """A host that was never founded says so, and the demo repeats it."""
    with pytest.raises(Refusal) as refusal, stage.serving(tmp_path, stage.choose_port(0)):
        pass
    assert refusal.value.code is Code.UNREACHABLE
    assert "not-initialised" in refusal.value.message


# All of it


def test_demo_prints_what_was_planted_when_it_is_played_once(tmp_path, week):
    """The whole demo on real sockets: incidents in their order, no control characters, nothing left running."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGCERT_")}
    environment.pop("FORCE_COLOR", None)
    command = [sys.executable, "-m", "regcert", "demo", "--once", "--port", "0"]
    played = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stderr
    for story in week.stories:
        assert story.title in played.stdout
        assert " → ".join(story.order) in played.stdout
    assert "8.8.8.8" not in played.stdout
    assert "regcert_" not in played.stdout + played.stderr
    assert CONTROLS.findall(played.stdout + played.stderr) == []
    port = re.search(r"127\.0\.0\.1:(\d+)", (tmp_path / "var/demo/serve.log").read_text())
    assert port is not None
    assert stage.choose_port(int(port[1]))


def test_demo_ends_with_one_when_the_promise_is_broken(tmp_path, monkeypatch, capsys):
    """CI sees it when what was planted does not come out: here because nobody played it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REGCERT_DATA_DIR", raising=False)
    monkeypatch.setattr(demo, "_play", lambda *_: Tally())
    monkeypatch.setattr(demo, "_CATCH_UP_S", 0)
    with pytest.raises(typer.Exit) as ended:
        demo.demo(once=True, port=0)
    assert ended.value.exit_code == 1
    assert "should be one incident and is 0" in capsys.readouterr().err


def test_value_knows_its_canonical_form():
    """The promise compares what correlation compares."""
    assert Value(ObservableKind.DOMAIN, "E-Banka.example").observable.value == "e-banka.example"
