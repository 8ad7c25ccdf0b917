"""What coordinators decide in the console: about an incident, and about values that are held back."""

import secrets
import uuid
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from aiohttp import web

from regcert.domain.decision import Deed
from regcert.errors import Code, Refusal
from regcert.flows.decide import Wish, decide
from regcert.flows.list_held import Asked, list_held_back
from regcert.flows.list_incidents import get_incident
from regcert.flows.overrule import Ruling, overrule
from regcert.flows.sign_in import Session
from regcert.policy.permissions import Permission, may
from regcert.stix.observable import Observable, ObservableKind, canonical, read_observable
from regcert.store.ledger import observable_key
from regcert.store.visibility import list_scope_names
from regcert.web.asking import services_of
from regcert.web.console.door import read_form, require_own_form, require_session, viewer_of
from regcert.web.console.held_views import HeldView
from regcert.web.console.messages import html_response
from regcert.web.console.pages import render_held
from regcert.web.console.views import Region
from regcert.web.services import Services

A_PAGE = 50
_TAKEN = "take."


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the addresses of decisions."""
    router.add_post("/console/incidents/{incident}/decisions", post_decision)
    router.add_get("/console/held", get_held)
    router.add_post("/console/held", post_held)


async def post_decision(request: web.Request) -> web.Response:
    """Decide about an incident, and show it again."""
    session, form = await _read_own(request)
    incident_id = request.match_info["incident"]
    deed, reason, taken = _read_deed(form), form.get("reason", "").strip(), _read_taken(form)
    services = services_of(request)
    if deed is Deed.NOISE:
        await _call_noise(services, session, incident_id, reason, taken)
    else:
        wish = Wish(deed, reason, _read_other(form, deed), taken)
        await decide(services.database, session.principal, incident_id, wish)
    services.wake()
    # Back to the page itself: only an id that exists for the session has come so far.
    raise web.HTTPSeeOther(f"/console/incidents/{incident_id}")


async def _call_noise(services: Services, session: Session, incident_id: str, reason: str, taken: frozenset[bytes]) -> None:
    """Call some values of an incident noise; the only one of an incident needs no choosing."""
    ranked, evidence = await get_incident(services.database, services.clock, session.principal, incident_id)
    chosen = [one for one, _ in evidence if observable_key(one) in taken or len(evidence) == 1]
    names = (await services.database.run(list_scope_names(session.principal))).get(ranked.incident.scope, ())
    if not chosen or not names:
        raise Refusal(Code.INVALID_DECISION, "choose the values that are noise in the table of the incident's page")
    for observable in chosen:
        await overrule(services.database, session.principal, Ruling(Deed.NOISE, observable, names[0], reason))


async def get_held(request: web.Request) -> web.Response:
    """Show what is held back, and why."""
    session = await require_session(request)
    services = services_of(request)
    query = {name: request.query.get(name, "").strip() for name in ("reason", "kind", "value")}
    kind = _read_kind(query["kind"]) if query["kind"] else None
    value = query["value"]
    asked = Asked(query["reason"] or None, kind, _read_value(value, kind) if value else None, request.query.get("next"), A_PAGE)
    page = await list_held_back(services.database, session.principal, asked)
    view = HeldView(
        region=Region.of(services.region_name, services.countries, services.footnotes),
        viewer=viewer_of(session),
        values=page.values,
        next_cursor=None if page.next is None else urlencode({**{n: v for n, v in query.items() if v}, "next": page.next}),
        later=asked.cursor is not None,
        held=query["reason"],
        kind=query["kind"],
        value=value,
        may_decide=may(session.principal, Permission.DECIDE),
    )
    return html_response(render_held(view))


async def post_held(request: web.Request) -> web.Response:
    """Overrule correlation about a value, and show the list again."""
    session, form = await _read_own(request)
    observable = canonical(_read_kind(form.get("kind", "")), form.get("value", ""))
    ruling = Ruling(_read_deed(form), observable, form.get("collection", "").replace("\0", ""), form.get("reason", "").strip())
    services = services_of(request)
    await overrule(services.database, session.principal, ruling)
    services.wake()
    raise web.HTTPSeeOther("/console/held")


async def _read_own(request: web.Request) -> tuple[Session, Mapping[str, str]]:
    """Return who sent a form of ours, and what it says.

    Raises:
        Refusal: FORBIDDEN where another site sent it, or it does not carry the session's token.
    """
    require_own_form(request)
    session = await require_session(request)
    form = await read_form(request)
    if not secrets.compare_digest(session.csrf.encode(), form.get("csrf", "").encode()):
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the page in the console and decide there")
    return session, form


def _read_deed(form: Mapping[str, str]) -> Deed:
    try:
        return Deed(form.get("do", ""))
    except ValueError as error:
        raise Refusal(Code.INVALID_DECISION, "choose what is to be done, and send the form again") from error


def _read_other(form: Mapping[str, str], deed: Deed) -> str:
    """Read the incident to merge with, or the decision to take back; from an address of the console, too."""
    if deed not in {Deed.MERGE, Deed.UNDO}:
        return ""
    text = form.get("decision" if deed is Deed.UNDO else "with", "").strip().rstrip("/").rpartition("/")[2]
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise Refusal(Code.INVALID_DECISION, "name the other incident by its id or its address") from error


def _read_taken(form: Mapping[str, str]) -> frozenset[bytes]:
    try:
        return frozenset(bytes.fromhex(name.removeprefix(_TAKEN)) for name in form if name.startswith(_TAKEN))
    except ValueError as error:
        raise Refusal(Code.INVALID_DECISION, "choose values of the incident's own page") from error


def _read_value(text: str, kind: ObservableKind | None) -> Observable:
    """Read a value as people write it; one that alone would be of another kind is taken at their word."""
    if kind is None:
        return read_observable(text)
    with suppress(Refusal):
        found = read_observable(text)
        if found.kind is kind:
            return found
    return canonical(kind, text)


def _read_kind(word: str) -> ObservableKind:
    try:
        return ObservableKind(word)
    except ValueError as error:
        raise Refusal(Code.MALFORMED_REQUEST, "there is no such kind of value") from error
