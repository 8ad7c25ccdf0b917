"""Teams and holdings for tests, each told by what matters in the test."""

from typing import Any

from hypothesis import strategies as st

from regcert.clock import DAY_US
from regcert.domain.holding import Holding
from regcert.domain.team import Team, TeamKind
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp

NOON_US = 1_790_000_000_000_000
COUNTRIES = ("AL", "BA", "HR", "ME", "MK", "RS", "XK")


def make_team(country: str, *, kind: TeamKind = TeamKind.NATIONAL, number: int = 1) -> Team:
    # Of two teams that a test makes at random, no two that differ may have one name.
    slug = f"cert-{country.lower()}-{number}" + ("" if kind is TeamKind.NATIONAL else f"-{kind}")
    return Team(int.from_bytes(f"{country}{number}".encode()), slug, slug.upper(), country, kind, f"identity--{slug}")


def make_holding(team: Team | str, **given: Any) -> Holding:
    if isinstance(team, str):
        team = make_team(team)
    at_us = NOON_US + int(given.pop("day", 0) * DAY_US)
    defaults: dict[str, Any] = {
        "origin": team.identity_id,
        "first_us": at_us,
        "last_us": max(at_us, given.get("first_us", at_us)),
        "published": True,
        "positives": 0,
        "negatives": 0,
        "false_positive": False,
        "marking": Tlp.GREEN,
    }
    return Holding(team=team, **{**defaults, **given})


def domain(name: str) -> Observable:
    return Observable(ObservableKind.DOMAIN, name)


teams = st.builds(
    make_team,
    st.sampled_from((*COUNTRIES, "ZZ")),
    kind=st.sampled_from((TeamKind.NATIONAL, TeamKind.SECTORAL)),
    number=st.integers(1, 2),
) | st.just(make_team("HR", kind=TeamKind.COORDINATION, number=9))


@st.composite
def holdings(draw: st.DrawFn, oldest_day: int = -60) -> Holding:
    days = st.floats(oldest_day, 0)
    first, last = sorted((draw(days), draw(days)))
    who = draw(teams)
    return make_holding(
        who,
        origin=draw(st.sampled_from((who.identity_id, "identity--vendor", "identity--feed"))),
        first_us=NOON_US + int(first * DAY_US),
        last_us=NOON_US + int(last * DAY_US),
        published=draw(st.booleans()),
        positives=draw(st.sampled_from((0, 0, 1, 50))),
        negatives=draw(st.sampled_from((0, 0, 2))),
        false_positive=draw(st.sampled_from((False, False, False, True))),
        marking=draw(st.sampled_from(Tlp)),
    )
