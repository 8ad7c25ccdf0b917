"""`regcert pull --verify`, `regcert verify` and `regcert key pin`, as a person at a CERT runs them."""

import json
from collections.abc import Iterator

import pytest

from regcert.clock import SystemClock
from tests.verification.conftest import world
from tests.verification.lies import LATE, LIES, NEVER
from tests.verification.served_world import TOKEN, Server, serving_aside
from tests.verification.world import SLUG, World

__all__ = ["world"]  # the fixture
ONE_EACH = list({lie.alarm: lie for lie in LIES if lie.alarm and lie.late_s < 60}.values())


@pytest.fixture
def served(world, tmp_path, monkeypatch) -> Iterator[Server]:
    """An honest host, a policy beside the commands, and a clock that is the world's."""
    monkeypatch.setattr(SystemClock, "now_us", lambda _: world.late.now_us)
    (tmp_path / "policy.txt").write_bytes(world.policy_text)
    with serving_aside(world.early) as server:
        yield server


@pytest.fixture
def pulling(regcert, served, monkeypatch):
    """Pull with everything that a cron job names."""
    monkeypatch.setenv("REGCERT_SERVER", served.url)
    monkeypatch.setenv("REGCERT_TOKEN", TOKEN)
    named = ("--collection", SLUG, "--mirror", "mirror", "--policy", "policy.txt", "--fresh", "2h")

    def pull(*more: object):
        return regcert("pull", "--verify", *named, *more)

    return pull


@pytest.fixture
def pinned(regcert, pulling):
    """After a first pull, with the roots of all teams pinned."""
    pulling()
    assert regcert("key", "pin", "--mirror", "mirror", "--roots", "roots.json", "--policy", "policy.txt").code == 0
    return pulling


def test_first_day(regcert, pulling, world: World, tmp_path):
    """Nobody is known at first; with pinned roots, everything that was signed is."""
    first = pulling()
    assert first.code == 14
    assert "UNKNOWN_KEY" in first.out
    pin = regcert("key", "pin", "--mirror", "mirror", "--roots", "roots.json", "--policy", "policy.txt")
    assert pin.code == 0
    assert "by telephone" in pin.err
    assert json.loads((tmp_path / "roots.json").read_text()) == {team: root.hex() for team, root in world.roots.items()}
    for team, root in world.roots.items():
        assert team in pin.out
        assert root.hex() not in pin.out  # people compare fingerprints
    outcome = pulling("--roots", "roots.json", "--out", "good.json")
    assert (outcome.code, outcome.err) == (0, "")
    bundle = json.loads((tmp_path / "good.json").read_text())
    assert len(bundle["objects"]) == len(world.early.objects)
    again = regcert("key", "pin", "--mirror", "mirror", "--roots", "roots.json", "--policy", "policy.txt")
    assert again.out.count("pinned   ") == 3
    assert again.err == ""


def test_every_day(regcert, pinned, served, world: World, tmp_path):
    """What is new comes into the mirror, what a thief signed does not come into the bundle, and offline all is the same."""
    served.shown = world.late
    outcome = pinned("--roots", "roots.json", "--out", "good.json", "--json")
    assert outcome.code == 12
    told = outcome.json
    assert told["alarms"] == []
    assert told["counts"]["INVALID"] == 2
    assert told["counts"]["VALID_RETIRED"] == 3
    assert {one["verdict"] for one in told["not_valid"]} == {"INVALID", "VALID_RETIRED"}
    assert world.names["after-theft"] not in (tmp_path / "good.json").read_text()
    offline = regcert("verify", "mirror", "--policy", "policy.txt", "--roots", "roots.json", "--json")
    assert (offline.code, offline.json["counts"]) == (12, told["counts"])
    named = ("--policy", "policy.txt", "--roots", "roots.json", "--proofs", "mirror")
    good = regcert("verify", "good.json", *named)
    assert good.code == 10
    assert good.out.splitlines()[0].split() == ["VALID", str(told["counts"]["VALID"])]


@pytest.mark.parametrize("lie", ONE_EACH, ids=lambda lie: lie.alarm)
def test_lies_have_exit_codes(pinned, served, world: World, lie):
    """Each alarm is one line and an exit code of its own, which a script can act on."""
    mirror = ("--mirror", "other") if lie.seen == NEVER else ()
    if lie.seen == LATE:
        served.shown = world.late
        assert pinned("--roots", "roots.json").code == 12
    served.shown = world.late.copy()
    lie.change(world, served.shown)
    outcome = pinned("--roots", "roots.json", *mirror)
    assert outcome.code == lie.exit_code
    assert f"ALARM {lie.alarm}: " in outcome.out


def test_pinned_root_is_not_replaced(regcert, pinned, world: World, tmp_path):
    """Another root for a team is shown and refused; only who asks for it gets it."""
    roots = json.loads((tmp_path / "roots.json").read_text())
    [team, *_], [_, other, *_] = roots.keys(), roots.values()
    (tmp_path / "roots.json").write_text(json.dumps(roots | {team: other}))
    named = ("key", "pin", "--mirror", "mirror", "--roots", "roots.json", "--policy", "policy.txt")
    outcome = regcert(*named)
    assert outcome.code == 1
    assert outcome.out.count("differs  ") == 1
    assert json.loads((tmp_path / "roots.json").read_text())[team] == other
    assert regcert(*named, "--replace").code == 0
    assert json.loads((tmp_path / "roots.json").read_text()) == roots


def test_unwitnessed_log_pins_nothing(regcert, pulling, served, world: World, tmp_path):
    """Trust on first use is trust in the witnesses."""
    strip = next(one for one in LIES if one.name == "no cosignature at all")
    served.shown = world.early.copy()
    strip.change(world, served.shown)
    assert pulling().code == 17
    outcome = regcert("key", "pin", "--mirror", "mirror", "--roots", "roots.json", "--policy", "policy.txt")
    assert (outcome.code, (tmp_path / "roots.json").exists()) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "x.json"), "--policy"),
        (("verify", "x.json", "--policy", "none.txt"), "none.txt cannot be read"),
        (("verify", "x.json", "--policy", "policy.txt", "--fresh", "soon"), "--fresh"),
        (("verify", "x.json", "--policy", "policy.txt", "--roots", "policy.txt"), "roots file"),
        (("verify", "x.json", "--policy", "policy.txt"), "there is no x.json"),
        (("pull", "--collection", SLUG, "--verify", "--policy", "policy.txt"), "--mirror"),
        (("pull", "--collection", SLUG), "--out"),
    ],
)
def test_what_is_missing_is_said(regcert, served, arguments, words):
    outcome = regcert(*arguments)
    assert outcome.code == 1
    assert words in outcome.err
