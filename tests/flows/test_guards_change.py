"""Guard lists that change, and what teams protect: what they judge otherwise is judged anew, and nothing else is said of it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from regcert.correlation.guards import Guards
from regcert.domain.decision import Deed
from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.flows.list_held import Asked, list_held_back
from regcert.flows.load_guards import GuardFiles
from regcert.flows.protect import list_protected, protect
from regcert.stix.observable import ObservableKind
from regcert.workers.guards import GuardWatch
from tests.flows.test_correlate import GROUP, fresh, hold
from tests.flows.test_decisions import grouped, ruling
from tests.store.acting import Acting


@dataclass
class Correlating:
    """What stands for the correlator: it judges by what it is given when the test says so."""

    acting: Acting

    def use(self, guards: Guards) -> None:
        self.acting.guards = guards

    def wake(self) -> None:
        pass


def write(path: Path, *values: str) -> None:
    path.write_text(json.dumps({"name": path.stem, "type": "string", "list": list(values)}), "utf-8")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000_000))


@pytest.fixture
def watch(acting: Acting, tmp_path: Path) -> GuardWatch:
    """The loop that looks after lists, over an empty folder."""
    return GuardWatch(acting.database, GuardFiles((), folder=tmp_path), Correlating(acting))  # type: ignore[arg-type]


async def refreshed(acting: Acting, watch: GuardWatch) -> None:
    await watch.look(at_files=True)
    await acting.catch_up()


async def held(acting: Acting, team: str = "alcirt", **asked: Any) -> list[tuple[str, str, str]]:
    page = await list_held_back(acting.database, await acting.principal(team), Asked(**asked))
    return [(one.observable.value, one.held, one.reason) for one, _ in page.values]


async def test_value_is_judged_anew_when_its_list_changes(acting, watch, tmp_path, caplog):
    """Put on a list, an incident is held back; a broken file changes nothing and is named in the log; taken off, it is back."""
    value, other, path = fresh(), fresh(), tmp_path / "lists" / "benign.json"
    path.parent.mkdir()
    await hold(acting, value, other)
    await refreshed(acting, watch)
    write(path, value)
    await refreshed(acting, watch)
    assert await grouped(acting) == {frozenset({other})}
    assert await held(acting) == [(value, "guarded", "It is on the warninglist “benign”.")]
    path.write_text("{", "utf-8")
    await refreshed(acting, watch)
    assert await grouped(acting) == {frozenset({other})}
    assert str(path) in caplog.text
    assert value not in caplog.text
    write(path, fresh())
    await refreshed(acting, watch)
    assert await grouped(acting) == {frozenset({value, other})}
    assert await held(acting) == []


async def test_protected_asset_is_held_back_where_its_team_takes_part(acting, watch):
    """Its team is told that it is its own, others only that it is somebody's; where the team has no part, nothing changes."""
    own, below, inside = fresh(), fresh(), fresh()
    below = f"{below}.{own}"
    await hold(acting, below)
    await hold(acting, below, inside, collection=GROUP, teams=("alcirt", "srb-cert"))
    coordinator = await acting.principal("kos-cert", role=Role.COORDINATOR)
    assert await protect(acting.database, coordinator, "kos-cert", [own.upper(), "192.0.2.0/24"]) == ("192.0.2.0/24", own)
    await refreshed(acting, watch)
    assert await held(acting) == [(below, "protected", "It is a protected asset of a team.")]
    assert await held(acting, "kos-cert", held="protected") == [(below, "protected", "It is a protected asset of your team.")]
    assert await grouped(acting) == {frozenset({below, inside})}  # the group has no part of that team
    await ruling(acting, below, Deed.COUNT)
    assert {below} in await grouped(acting)
    await protect(acting.database, coordinator, "kos-cert", [])
    await refreshed(acting, watch)
    assert await held(acting) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_protected_list_is_refused_when_an_entry_is_nobodys(acting):
    """What is wider than one holder's, or is neither network nor domain; and a list of another team is not there."""
    coordinator = await acting.principal("alcirt", role=Role.COORDINATOR)
    for entry in ("0.0.0.0/0", "com", "http://a.example/", "::/3", "", 7, "x" * 400):
        with pytest.raises(Refusal) as refused:
            await protect(acting.database, coordinator, "alcirt", [entry])
        assert refused.value.code is Code.INVALID_PROTECTED
    for slug in ("srb-cert", "no-such"):
        with pytest.raises(Refusal) as refused:
            await list_protected(acting.database, await acting.principal("alcirt"), slug)
        assert refused.value.code is Code.NOT_FOUND


async def test_pages_of_what_is_held_back_partition_it(acting):
    """Every value once, whatever the size of a page; filtered, only those asked for; of another audience, none."""
    values = [fresh() for _ in range(5)]
    for value in values:
        await hold(acting, value)
        await ruling(acting, value, Deed.NOISE)
    hidden = fresh()
    await hold(acting, hidden, collection=GROUP)
    asking = await acting.principal("alcirt")
    found: list[str] = []
    cursor = None
    while True:
        page = await list_held_back(acting.database, asking, Asked(held="noise", cursor=cursor, limit=2))
        found += [one.observable.value for one, _ in page.values]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(found) == sorted(values)
    for asked, expected in (({"held": "shared"}, 0), ({"kind": ObservableKind.DOMAIN}, 5), ({"kind": ObservableKind.URL}, 0)):
        assert len(await held(acting, **asked)) == expected
    with pytest.raises(Refusal):
        await held(acting, held="nothing")
    with pytest.raises(Refusal):
        await held(acting, cursor="x")
