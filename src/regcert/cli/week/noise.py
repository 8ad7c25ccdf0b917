"""Noise: values that one country alone has, drawn from a seed within the ranges that belong to nobody."""

import random
from collections.abc import Iterator

from regcert.cli.week.script import Family, Noise, Value, Week
from regcert.stix.observable import ObservableKind

_FEED_PREFIX = "2001:db8:feed"
_NOISE_PREFIX = "2001:db8:1"
_QUIET_NET = "192.0.2"  # 203.0.113.0/24 and 198.51.100.0/24 belong to the stories


def dice(week: Week, *names: object) -> random.Random:
    """Make a source of chance for one part of the week, so that a change in one part leaves the others as they are."""
    return random.Random("/".join(map(str, (week.seed, *names))))  # noqa: S311 - a script, no secret


def draw_noise(week: Week) -> dict[str, list[tuple[Family, Value]]]:
    """Draw the values of every noisy team; no value is drawn twice, or noise would cross a border.

    Returns:
        By team, as many values as the script says.
    """
    chance = dice(week, "noise")
    fresh = _fresh(week.noise, chance)
    return {team.team: [next(fresh) for _ in range(team.indicators)] for team in week.noise.teams}


def draw_feed(week: Week) -> list[Value]:
    """Draw the entries of the public feed, addresses and names by turns."""
    chance = dice(week, "feed")
    return [
        Value(ObservableKind.DOMAIN, f"listed-{number}-{chance.choice(week.noise.words)}.example")
        if number % 2
        else Value(ObservableKind.IPV6, f"{_FEED_PREFIX}::{number + 1:x}")
        for number in range(week.feed.entries)
    ]


def _fresh(noise: Noise, chance: random.Random) -> Iterator[tuple[Family, Value]]:
    """Yield noise without end and without repetition."""
    weights = [family.weight for family in noise.families]
    seen: set[Value] = set()
    while True:
        family = chance.choices(noise.families, weights)[0]
        value = Value(family.kind, _text(family.kind, noise.words, chance))
        if value not in seen:
            seen.add(value)
            yield family, value


def _text(kind: ObservableKind, words: tuple[str, ...], chance: random.Random) -> str:
    name = f"{chance.choice(words)}-{chance.choice(words)}{chance.randrange(1000)}"
    match kind:
        case ObservableKind.IPV4:
            return f"{_QUIET_NET}.{chance.randrange(1, 255)}"
        case ObservableKind.IPV6:
            return f"{_NOISE_PREFIX}::{chance.randrange(1, 1 << 16):x}"
        case ObservableKind.DOMAIN:
            return f"{name}.example"
        case ObservableKind.EMAIL:
            return f"{chance.choice(words)}@{name}.example"
        case ObservableKind.URL:
            return f"https://{name}.example/{chance.choice(words)}"
        case ObservableKind.SHA256:
            return chance.randbytes(32).hex()
        case _:
            raise ValueError("noise comes as addresses, names, urls, senders and hashes")
