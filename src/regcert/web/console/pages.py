"""The console's pages: a view goes in, a whole HTML document comes out.

No request, no database, no clock. The environment is as strict as it gets: everything is escaped, every expression passes
`inert`, an undefined name is a fault and not an empty string.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from regcert.web.console import charts, wording
from regcert.web.console.alert_views import AlertsView
from regcert.web.console.blind_views import BlindMatchesView, BlindMatchView
from regcert.web.console.held_views import HeldView
from regcert.web.console.views import BoardView, IncidentRow, IncidentView, MessageView, SignInView
from regcert.web.console.waiting import ProposalView, WaitingView

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
ASSETS = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file()}
"""What pages load beside themselves, by name."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""What a browser may load for these pages; every handler of the console sends it."""

_EMAIL = re.compile(r"[A-Za-z0-9._+\-]{1,64}@[A-Za-z0-9.\-]{1,190}", re.ASCII)


View: TypeAlias = (
    BoardView
    | IncidentView
    | SignInView
    | MessageView
    | WaitingView
    | ProposalView
    | AlertsView
    | BlindMatchesView
    | BlindMatchView
    | HeldView
)


def render_board(view: BoardView) -> str:
    """Draw the board: what crosses borders now."""
    return _draw("board.html", view)


def render_incident(view: IncidentView) -> str:
    """Draw one incident: who, what, in which order, and why it scores so."""
    return _draw("incident.html", view)


def render_sign_in(view: SignInView) -> str:
    """Draw the door."""
    return _draw("sign_in.html", view)


def render_signed_in(view: SignInView) -> str:
    """Draw the page that leads in whoever comes back from a provider."""
    return _draw("come_in.html", view)


def render_waiting(view: WaitingView) -> str:
    """Draw what waits for a second person."""
    return _draw("waiting.html", view)


def render_proposal(view: ProposalView) -> str:
    """Draw one proposal: who asks for what, and what the viewer may do about it."""
    return _draw("proposal.html", view)


def render_blind_matches(view: BlindMatchesView) -> str:
    """Draw the blind matches of a team, or those to forward."""
    return _draw("blind_matches.html", view)


def render_blind_match(view: BlindMatchView) -> str:
    """Draw one blind match: what may be told of it, its dialogue, and what the viewer may do."""
    return _draw("blind_match.html", view)


def render_alerts(view: AlertsView) -> str:
    """Draw what a team was told."""
    return _draw("alerts.html", view)


def render_held(view: HeldView) -> str:
    """Draw what is held back, and why."""
    return _draw("held.html", view)


def render_message(view: MessageView) -> str:
    """Draw a page that says one thing: not found, refused, broken."""
    return _draw("message.html", view)


def _draw(template: str, view: View) -> str:
    return _ENVIRONMENT.get_template(template).render(view=view)


def _asset(name: str) -> str:
    """Return the address of a static file; its content is in the address, so that browsers may keep it for ever."""
    return f"/console/static/{name}?v={_DIGESTS[name]}"


def _segment(text: str) -> str:
    return quote(text, safe="")


def _mailto(contact: str) -> str:
    """Return a link for what is plainly an address, and nothing for anything else: a link must not be a way in."""
    return f"mailto:{contact}" if _EMAIL.fullmatch(contact) else ""


def _title(row: IncidentRow) -> str:
    """Return what an incident goes by: its campaign's name, else its most telling observable."""
    if row.names:
        return wording.clip(row.names[0], 90)
    return wording.clip(wording.defang(row.lead), 60) if row.lead else row.incident.incident_id


def _finalize(value: Any) -> Any:
    return wording.inert(value) if isinstance(value, str) else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    named: Iterable[Any] = (
        wording.defang,
        wording.brief,
        wording.clip,
        wording.day,
        wording.minute,
        wording.full,
        wording.measure,
    )
    environment.filters.update({function.__name__: function for function in named})
    environment.filters.update(
        count=wording.count, machine=wording.machine_time, segment=_segment, mailto=_mailto, incident_title=_title
    )
    environment.globals.update(charts=charts, asset=_asset)
    return environment


_DIGESTS = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in ASSETS.items()}
_ENVIRONMENT = _environment()
