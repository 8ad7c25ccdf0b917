"""The console's pages: inert whatever they are filled with, honest about footnotes and markings, plain without colour."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.clock import DAY_US
from regcert.domain.holding import Holding
from regcert.domain.incident import Arrival, Incident, Term
from regcert.domain.principal import Role
from regcert.domain.region import Footnote
from regcert.domain.team import Team, TeamKind
from regcert.exports.incident_json import incident_json
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp
from regcert.web.console import charts, pages, wording
from regcert.web.console.views import (
    Activity,
    BoardView,
    Country,
    Evidence,
    HeldBack,
    IncidentRow,
    IncidentView,
    MessageView,
    Region,
    SignInView,
    Viewer,
)

NOW_US = 1_794_516_000_000_000
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e\u200b\x07&amp;"
FOOTNOTE = "This designation is without prejudice to positions on status."
REGION = Region(
    "Western Balkans",
    (Country("AL", "Albania", 3, 2), Country("XK", "Kosovo", 2, 3, "*"), Country("RS", "Serbia", 1, 3)),
    (Footnote("*", FOOTNOTE),),
)
VIEWER = Viewer("Regional Centre", Role.COORDINATOR, "csrf-of-the-session")


class Document(HTMLParser):
    """What a browser would make of a page: its tags, their attributes, its text."""

    VOID = frozenset({"meta", "link", "img", "input", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


def team(slug: str = "al-cert", country: str = "AL", name: str = "CERT of Albania") -> Team:
    return Team(1, slug, name, country, TeamKind.NATIONAL, f"identity--{slug}")


def incident(text: str = "plain", marking: Tlp = Tlp.AMBER, countries: tuple[str, ...] = ("AL", "XK", "RS")) -> Incident:
    return Incident(
        incident_id=text,
        scope=text,
        strength=86.0,
        marking=marking,
        spread=tuple(Arrival(code, NOW_US - (9 - place) * DAY_US) for place, code in enumerate(countries)),
        teams=(team(name=text), team("kos-cert", "XK", text)),
        observables=(Observable(ObservableKind.DOMAIN, "login.bank.example"), Observable(ObservableKind.MUTEX, text)),
        sightings=12,
        first_us=NOW_US - 9 * DAY_US,
        last_us=NOW_US - DAY_US,
        terms=(Term(text, 8.0, 10.0, text),),
    )


def board(text: str = "plain", marking: Tlp = Tlp.AMBER) -> BoardView:
    region = replace(REGION, name=text)
    if text != "plain":
        region = Region(text, tuple(replace(one, name=text, mark=text) for one in REGION.countries), (Footnote(text, text),))
    return BoardView(
        region=region,
        viewer=replace(VIEWER, team=text, csrf=text),
        now_us=NOW_US,
        crossing=2,
        activity=tuple(Activity(one.code, 2, 30, 4, (0,) * 13 + (34,)) for one in REGION.countries),
        elsewhere=Activity("ZZ", 1, 5, 0, (0,) * 14),
        incidents=(
            IncidentRow(incident(text, marking), 84.0, (text,)),
            IncidentRow(incident(text, marking), 12.0),
        ),
        next_cursor=text,
        held_back=(HeldBack(Observable(ObservableKind.IPV4, "192.0.2.53"), ("AL", "XK"), text),),
    )


def case(text: str = "plain", countries: tuple[str, ...] = ("AL", "XK", "RS")) -> IncidentView:
    found = incident(text, countries=countries)
    held = tuple(
        Holding(one, one.identity_id, NOW_US - 8 * DAY_US, NOW_US - DAY_US, True, 3, 0, True, Tlp.AMBER) for one in found.teams
    )
    return IncidentView(
        region=board(text).region,
        viewer=replace(VIEWER, team=text, csrf=text),
        now_us=NOW_US,
        row=IncidentRow(found, 84.0, (text, text)),
        evidence=tuple(Evidence(one, held) for one in found.observables),
        contacts={"al-cert": text},
        json_href="/api/v1/incidents",
    )


def test_page_says_who_vouches_when_it_shows_who_holds_a_value() -> None:
    """In words, beside each team: signed by its key, or attested by the host; nothing beside who only saw it."""
    view = case()
    part = view.evidence[0]
    own, saw, *others = part.holdings
    held = (replace(own, signed=True), replace(saw, published=False), *others)
    page = pages.render_incident(replace(view, evidence=(Evidence(part.observable, held),)))
    assert page.count('<small class="vouched">signed</small>') == 1
    assert page.count('<small class="vouched">attested</small>') == len(others)
    told = incident_json(view.row.incident, 50.0, [(part.observable, held)])
    first = next(one for one in told["observables"] if one["value"] == part.observable.value)  # type: ignore[attr-defined]
    assert (first["signed_by"], first["attested_for"]) == ([own.team.slug], sorted(one.team.slug for one in others))
    assert all("signed_by" not in one for one in told["observables"] if one["value"] != part.observable.value)  # type: ignore[attr-defined]


def every_page(text: str) -> dict[str, str]:
    return {
        "board": pages.render_board(board(text)),
        "incident": pages.render_incident(case(text)),
        "sign-in": pages.render_sign_in(SignInView(text, "person", 30, text)),
        "message": pages.render_message(MessageView(text, text, text, replace(VIEWER, team=text), text)),
    }


@pytest.mark.parametrize("page", ["board", "incident", "sign-in", "message"])
def test_strings_stay_text_when_every_field_is_hostile(page):
    """Whatever a field holds, the page has the same tags and the same attribute names as with a plain word in it."""
    plain, hostile = Document(every_page("word")[page]), Document(every_page(HOSTILE)[page])
    assert [(tag, sorted(attrs)) for tag, attrs in hostile.tags] == [(tag, sorted(attrs)) for tag, attrs in plain.tags]
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{ 7 * 7 }}" in hostile.text


@pytest.mark.parametrize("page", ["board", "incident", "sign-in", "message"])
def test_no_unseen_character_reaches_a_page_when_fields_hold_them(page):
    """Bidirectional overrides, zero-width and control characters are written as their code points, also in charts."""
    html = every_page(HOSTILE)[page]
    assert not set("\u202e\u200b\x07") & set(html)
    assert "⟨U+202E⟩" in html


@pytest.mark.parametrize("page", ["board", "incident", "sign-in", "message"])
def test_nothing_inline_when_a_page_is_drawn(page):
    """The content policy allows no inline script, no inline style, no event attribute and nobody else's address."""
    for tag, attrs in Document(every_page("word")[page]).tags:
        assert tag != "style"
        assert not [name for name in attrs if name == "style" or name.startswith("on")]
        assert tag != "script" or attrs["src"]
        for name in ("src", "href", "action"):
            assert re.match(r"/(console|api)/|#main$", attrs.get(name) or "/console/"), (tag, attrs)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_pages_are_well_formed_when_text_is_arbitrary(text):
    """Every tag closes what it opened, and every chart is well-formed XML."""
    for html in every_page(text).values():
        assert not Document(html).open
        for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
            ET.fromstring(drawing)


def test_contact_is_no_link_when_it_is_not_an_address():
    """Only what is plainly a mail address becomes a link: a contact must not carry a scheme of its own."""
    html = pages.render_incident(replace(case(), contacts={"al-cert": "javascript:alert(1)", "kos-cert": "duty@cert.example"}))
    links = [attrs["href"] for tag, attrs in Document(html).tags if tag == "a"]
    assert "mailto:duty@cert.example" in links
    assert not [link for link in links if link and "javascript" in link]


def test_footnote_stands_on_the_page_when_its_country_is_shown():
    """Kosovo* never stands without its footnote."""
    for html in (pages.render_board(board()), pages.render_incident(case())):
        text = Document(html).text
        assert "Kosovo*" in text
        assert "XK*" in text
        assert FOOTNOTE in text


def test_footnote_is_absent_when_its_country_is_not_shown():
    """A page that does not speak of a country does not carry its footnote."""
    view = case(countries=("AL", "RS"))
    found = replace(view.row.incident, teams=(team(),))
    html = pages.render_incident(replace(view, row=replace(view.row, incident=found), evidence=()))
    assert FOOTNOTE not in html


def test_charts_have_a_name_when_drawn():
    """A drawing says in words what it shows, or is hidden from those who hear pages."""
    for html in (pages.render_board(board()), pages.render_incident(case())):
        drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
        assert drawings
        for drawing in drawings:
            assert 'aria-hidden="true"' in drawing or re.search(r'role="img".*<title[^>]*>[^<]+</title>', drawing)


def test_ids_are_unique_when_a_page_has_several_charts():
    """Two drawings never share an id: the second would be read under the first one's name."""
    for html in every_page("word").values():
        ids = [attrs["id"] for _, attrs in Document(html).tags if "id" in attrs]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (ObservableKind.IPV4, "203.0.113.7", "203[.]0[.]113[.]7"),
        (ObservableKind.IPV6, "2001:db8::7", "2001[:]db8[:][:]7"),
        (ObservableKind.CIDR, "203.0.113.0/24", "203[.]0[.]113[.]0/24"),
        (ObservableKind.DOMAIN, "login.bank.example", "login[.]bank[.]example"),
        (ObservableKind.EMAIL, "pay@bank.example", "pay[@]bank[.]example"),
        (ObservableKind.URL, "https://a.example/?to=http://b.example", "hxxps://a[.]example/?to=hxxp://b[.]example"),
        (ObservableKind.MD5, "0" * 32, "0" * 32),
    ],
)
def test_observable_is_defanged_when_shown(kind, value, shown):
    """Nothing a program could follow is shown as it is; it is live only in what the copy button holds."""
    assert wording.defang(Observable(kind, value)) == shown
    view = replace(case(), evidence=(replace(case().evidence[0], observable=Observable(kind, value)),))
    text = Document(pages.render_incident(view)).text
    assert shown in text
    assert shown == value or value not in text


def test_lead_and_held_back_values_are_defanged_when_on_the_board():
    """The board's titles and held-back values are shown defanged, too."""
    text = Document(pages.render_board(board())).text
    assert "login[.]bank[.]example" in text
    assert "192[.]0[.]2[.]53" in text
    assert "login.bank.example" not in text


@pytest.mark.parametrize("marking", list(Tlp))
def test_marking_stands_on_the_page_when_an_incident_is_shown(marking):
    """The label is there in words, as FIRST writes it; its colour only repeats it."""
    assert marking.label in Document(pages.render_board(board(marking=marking))).text
    view = case()
    shown = replace(view, row=replace(view.row, incident=replace(view.row.incident, marking=marking)))
    assert marking.label in Document(pages.render_incident(shown)).text


def test_every_marking_and_tone_has_its_colour_in_the_style_sheet():
    """A class without a rule would be a badge without its colour, or a tile outside its place."""
    css = (pages.STATIC / "console.css").read_text()
    names = [f".tlp-{step.name.lower().replace('_', '-')}" for step in Tlp]
    names += [f".{prefix}-{step}" for prefix in ("tone", "on") for step in range(charts.TONES + 1)]
    names += [f".{axis}-{place}" for axis in ("row", "col") for place in range(1, 9)]
    assert not [name for name in names if not re.search(re.escape(name) + r"[ ,]", css)]


def test_board_says_a_sentence_when_it_is_empty():
    """No incident, no activity, no country: still a page that says so, and no empty list."""
    quiet = tuple(Activity(one.code, 1, 0, 0, (0,) * 14) for one in REGION.countries)
    for view in (
        BoardView(REGION, VIEWER, NOW_US, 0, quiet),
        BoardView(Region("Nowhere", ()), VIEWER, NOW_US, 0, ()),
    ):
        html = pages.render_board(view)
        assert "Nothing crosses a border now." in Document(html).text
        assert "No incident to show." in Document(html).text
        assert 'class="ranked"' not in html


@pytest.mark.parametrize(
    ("crossing", "sentence"),
    [(1, "One incident crosses borders now."), (3, "Three incidents cross borders now."), (1200, "1 200 incidents cross")],
)
def test_headline_counts_when_incidents_cross_borders(crossing, sentence):
    """The first thing on the page is how many there are, on all pages of the list."""
    assert sentence in Document(pages.render_board(replace(board(), crossing=crossing))).text


def test_silence_is_named_when_one_country_is_silent():
    """A country that sent nothing is named: it is quiet, or its feed broke."""
    view = board()
    silent = replace(view.activity[0], published_7d=0, sighted_7d=0)
    text = Document(pages.render_board(replace(view, activity=(silent, *view.activity[1:])))).text
    assert "Silent for seven days: Albania." in text


def test_sign_out_carries_its_csrf_token_when_signed_in():
    """Signing out is a POST with the session's token: a foreign page must not do it."""
    tags = Document(pages.render_board(replace(board(), viewer=VIEWER))).tags
    assert ("form", {"method": "post", "action": "/console/sign-out"}) in tags
    assert ("input", {"type": "hidden", "name": "csrf", "value": "csrf-of-the-session"}) in tags


def test_refusal_is_said_where_somebody_was_refused():
    """It stands beside the way that was tried, and nowhere else."""
    said = {
        "person": "Name, password or code is wrong.",
        "token": "This token opens nothing here.",
        "provider": "That account opens nothing",
    }
    for tried in ("", *said):
        page = pages.render_sign_in(SignInView("x", tried))
        assert [way for way, words in said.items() if words in page] == ([tried] if tried else [])


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_tone_rises_when_counts_rise(one, other):
    """Silence alone is tone 0, and more is never paler."""
    low, high = sorted((one, other))
    assert charts.tone(low, high) <= charts.tone(high, high) <= charts.TONES
    assert (charts.tone(low, high) == 0) == (low == 0)


@given(st.integers(0, 10**12))
def test_brief_number_fits_its_cell_when_large(number):
    """A cell of the matrix has room for four characters."""
    assert len(wording.brief(number)) <= 4


@pytest.mark.parametrize("layout", [charts.WIDE, charts.NARROW])
def test_timeline_stays_inside_its_frame_when_spans_are_extreme(layout):
    """One arrival, all at once, or thirty years: every mark lies inside the drawing."""
    for apart_us in (0, 1, DAY_US, 11_000 * DAY_US):
        view = case()
        spread = tuple(Arrival(code, NOW_US + place * apart_us) for place, code in enumerate(("AL", "XK", "RS")))
        shown = replace(view, evidence=(), row=replace(view.row, incident=replace(view.row.incident, spread=spread)))
        drawing = charts.spread_timeline("key", shown.lanes, layout, ("title", "words"))
        places = [float(x) for x in re.findall(r'<circle class="tl-dot" cx="([^"]+)"', drawing)]
        assert len(places) == 3
        assert all(0 <= x <= layout.width for x in places)
        dates = [float(x) for x in re.findall(r'<text x="([^"]+)" y="[^"]+" class="tl-date"', drawing)]
        assert all(0 <= x <= layout.width - 20 for x in dates)
        assert drawing.count("tl-grid") <= layout.ticks + 1
