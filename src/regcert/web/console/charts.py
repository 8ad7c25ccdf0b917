"""Charts as SVG, drawn on the server: they need no script, print as they look, and pass the strictest content policy.

Pure functions from views to markup. Colour stands in classes that console.css fills for light, dark and paper; no `style`
attribute anywhere. Every text goes through `Markup.format`, which escapes, after `inert`. Titles and descriptions are
handed in by the templates, where sentences live.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from markupsafe import Markup

from regcert.clock import DAY_US
from regcert.web.console.views import Country, Lane
from regcert.web.console.wording import HOUR_US, brief, count, day, elapsed, inert, minute, moment

TONES = 5
_JOIN = Markup("")


def tone(number: int, peak: int) -> int:
    """Return how strongly to colour a count: 0 for nothing, 1 to 5 by its square root.

    By the root, because one busy feed would otherwise leave every other country as pale as silence.

    Args:
        number: the count.
        peak: the largest count on the same chart.
    """
    if number <= 0:
        return 0
    return 1 + round((TONES - 1) * sqrt(number / max(peak, number, 4)))


def _svg(key: str, size: tuple[float, float], words: tuple[str, str], body: Markup, css: str) -> Markup:
    title, description = (inert(text) for text in words)
    return Markup(
        '<svg class="{css}" viewBox="0 0 {w:g} {h:g}" role="img" aria-labelledby="{key}-t {key}-d">'
        '<title id="{key}-t">{title}</title><desc id="{key}-d">{description}</desc>{body}</svg>'
    ).format(css=css, w=size[0], h=size[1], key=key, title=title, description=description, body=body)


def _text(x: float, y: float, css: str, words: str) -> Markup:
    return Markup('<text x="{:g}" y="{:g}" class="{}">{}</text>').format(round(x, 1), y, css, inert(words))


def _line(x: float, top: float, bottom: float, css: str) -> Markup:
    return Markup('<path class="{3}" d="M{0:g} {1:g}V{2:g}"/>').format(round(x, 1), top, bottom, css)


def sparkline(daily: Sequence[int], label: str) -> Markup:
    """Draw one small bar a day; a day without anything keeps a hairline, so that silence is visible.

    Args:
        daily: counts, the oldest first.
        label: what a screen reader says.
    """
    peak = max(daily, default=0) or 1
    bars = _JOIN.join(
        Markup('<rect x="{}" y="{:g}" width="6" height="{:g}" class="{}"/>').format(
            index * 8, 24 - high, high, "spark-bar" if number else "spark-none"
        )
        for index, number in enumerate(daily)
        for high in [max(2.5, round(24 * number / peak, 1)) if number else 1]
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} 24" preserveAspectRatio="none" role="img"><title>{}</title>{}</svg>'
    ).format(max(len(daily), 1) * 8 - 2, inert(label), bars)


def meter(part: float, most: float) -> Markup:
    """Draw a bar that is as full as `part` is of `most`; screen readers get the number beside it."""
    share = min(max(part / most, 0), 1) if most > 0 else 0
    return Markup(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="100" height="6" class="meter-rest"/><rect width="{:g}" height="6" class="meter-part"/></svg>'
    ).format(round(share * 100, 1))


CELL_W, CELL_H, CODE_W, HEAD_H = 24, 22, 28, 24


def activity_matrix(key: str, rows: Sequence[tuple[Country, Sequence[int]]], now_us: int, words: tuple[str, str]) -> Markup:
    """Draw countries by days; every cell carries its number, colour only repeats it.

    Args:
        key: unique on the page, for the ids.
        rows: country and counts a day, the oldest first, today last; all rows of one length.
        now_us: which day is today.
        words: title and description.
    """
    days = len(rows[0][1]) if rows else 0
    peak = max((number for _, daily in rows for number in daily), default=0)
    head = _JOIN.join(_day_head(column, now_us - (days - 1 - column) * DAY_US, days) for column in range(days))
    lines = _JOIN.join(
        _JOIN.join(
            [
                _text(0, _cell_y(line) + CELL_H / 2, "mx-code", country.code + country.mark),
                *(_cell(column, line, number, peak) for column, number in enumerate(daily)),
            ]
        )
        for line, (country, daily) in enumerate(rows)
    )
    size = (CODE_W + days * CELL_W, HEAD_H + len(rows) * CELL_H)
    return _svg(key, size, words, head + lines, "matrix")


def _cell_y(line: int) -> int:
    return HEAD_H + line * CELL_H


def _cell(column: int, line: int, number: int, peak: int) -> Markup:
    x, y, strength = CODE_W + column * CELL_W, _cell_y(line), tone(number, peak)
    box = Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="2.5" class="tone-{}"/>').format(
        x + 1, y + 1, CELL_W - 2, CELL_H - 2, strength
    )
    shown = brief(number) if number else "·"
    size = " mx-long" if len(shown) > 2 else ""
    return box + _text(x + CELL_W / 2, y + CELL_H / 2, f"mx-n on-{strength}{size}", shown)


def _day_head(column: int, at_us: int, days: int) -> Markup:
    at, x = moment(at_us), CODE_W + column * CELL_W + CELL_W / 2
    month = _text(x, 6, "mx-month", f"{at:%b}") if column == 0 or at.day == 1 else _JOIN
    return month + _text(x, 17, "mx-day today" if column == days - 1 else "mx-day", str(at.day))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a timeline puts things, in SVG units, which are pixels at its natural size.

    Args:
        width: of the whole.
        label_w: of the column of names; 0 puts the names above their lines.
        lane_h: from one country to the next.
        ticks: how many dates fit at most.
    """

    width: int
    label_w: int
    lane_h: int
    ticks: int


WIDE = Layout(width=1120, label_w=224, lane_h=58, ticks=9)
NARROW = Layout(width=350, label_w=0, lane_h=66, ticks=4)
_STEPS_US = tuple(HOUR_US * hours for hours in (1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 1440, 2880, 8760, 43800))
_TOP, _EDGE, _DOT = 34, 18, 11


def spread_timeline(key: str, lanes: Sequence[Lane], layout: Layout, words: tuple[str, str]) -> Markup:
    """Draw in which order an incident reached countries: a line a country, a numbered mark where it arrived.

    Args:
        key: unique on the page, for the ids.
        lanes: in order of arrival.
        layout: `WIDE` or `NARROW`; the page carries both and the style sheet shows one.
        words: title and description.
    """
    first_us = min((lane.first_us for lane in lanes), default=0)
    span_us = max(max((lane.last_us for lane in lanes), default=0) - first_us, HOUR_US)
    left, right = layout.label_w + _EDGE, layout.width - _EDGE

    def scale(at_us: int) -> float:
        return left + (right - left) * (at_us - first_us) / span_us

    height = _TOP + len(lanes) * layout.lane_h
    centre = [_TOP + line * layout.lane_h + (layout.lane_h / 2 if layout.label_w else 46) for line in range(len(lanes))]
    starts = [(scale(lane.first_us), y) for lane, y in zip(lanes, centre, strict=True)]
    parts: list[Markup] = [*_ticks(first_us, span_us, scale, height, layout)]
    parts += (_lane(lane, y, scale) for lane, y in zip(lanes, centre, strict=True))
    parts += (_hop(before, after) for before, after in pairwise(starts))
    for order, (lane, (x, y)) in enumerate(zip(lanes, starts, strict=True), 1):
        parts += (_mark(order, x, y), _name(lane, y, first_us, layout))
    return _svg(key, (layout.width, height), words, _JOIN.join(parts), "timeline")


def _ticks(first_us: int, span_us: int, scale: Callable[[int], float], height: float, layout: Layout) -> Iterable[Markup]:
    step_us = next((step for step in _STEPS_US if span_us // step <= layout.ticks), span_us)
    at_us = -(-first_us // step_us) * step_us
    while at_us <= first_us + span_us:
        x = scale(at_us)
        yield _line(x, 22, height, "tl-grid")
        words = day(at_us) if step_us >= DAY_US or at_us % DAY_US == 0 else f"{moment(at_us):%H:%M}"
        yield _text(min(x, layout.width - 20), 12, "tl-date", words)
        at_us += step_us


def _lane(lane: Lane, y: float, scale: Callable[[int], float]) -> Markup:
    start, end = round(scale(lane.first_us), 1), round(scale(lane.last_us), 1)
    bar = Markup('<path class="tl-bar" d="M{0:g} {1:g}H{2:g}"/>').format(start, y, max(end, start + 1))
    places = dict.fromkeys(round(scale(at_us)) for at_us in lane.marks_us)  # one tick a pixel at most
    return bar + _JOIN.join(_line(x, y - 6, y + 6, "tl-tick") for x in places)


def _hop(before: tuple[float, float], after: tuple[float, float]) -> Markup:
    (x0, y0), (x1, y1) = before, after
    middle = (y0 + y1) / 2
    return Markup('<path class="tl-hop" d="M{:g} {:g}C{:g} {:g} {:g} {:g} {:g} {:g}"/>').format(
        *(round(number, 1) for number in (x0, y0 + _DOT, x0, middle, x1, middle, x1, y1 - _DOT))
    )


def _mark(order: int, x: float, y: float) -> Markup:
    dot = Markup('<circle class="tl-dot" cx="{:g}" cy="{:g}" r="{}"/>').format(round(x, 1), y, _DOT)
    return dot + _text(x, y, "tl-order", str(order))


def _name(lane: Lane, y: float, first_us: int, layout: Layout) -> Markup:
    name = lane.country.name + lane.country.mark
    lag_us = lane.first_us - first_us
    when = minute(lane.first_us) + (f" · +{elapsed(lag_us)}" if lag_us else "")
    if layout.label_w:
        return _text(0, y - 8, "tl-name", name) + _text(0, y + 10, "tl-when", when)
    return _text(0, y - 24, "tl-name", name) + _text(layout.width, y - 24, "tl-when tl-end", when)


def legend(peak: int) -> Markup:
    """Draw the scale of tones, pale to strong, with the numbers at its ends."""
    boxes = _JOIN.join(
        Markup('<rect x="{}" width="16" height="12" rx="2" class="tone-{}"/>').format(step * 18, step)
        for step in range(TONES + 1)
    )
    return Markup(
        '<span class="legend"><span>0</span><svg viewBox="0 0 106 12" width="106" height="12" aria-hidden="true">{}</svg>'
        "<span>{}</span></span>"
    ).format(boxes, count(peak))
