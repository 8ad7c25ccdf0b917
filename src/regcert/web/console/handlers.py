"""The console over HTTP: sign in, the board, one incident."""

from collections import Counter
from urllib.parse import parse_qsl, quote

import orjson
from aiohttp import web

from regcert.clock import DAY_US
from regcert.errors import Code, Refusal
from regcert.exports.incident_json import incident_json
from regcert.flows.list_incidents import Ranked, get_incident
from regcert.flows.sign_in import SESSION_S, Session, resume, sign_in, sign_out
from regcert.flows.view_board import Board, view_board
from regcert.web.asking import read_body, services_of
from regcert.web.console import views
from regcert.web.console.messages import html_response
from regcert.web.console.pages import ASSETS, render_board, render_incident, render_sign_in
from regcert.web.services import Services

INCIDENTS_A_PAGE = 50
_MAX_FORM_BYTES = 8192


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the console's addresses."""
    router.add_get("/", _to_board)
    router.add_get("/console", _to_board)
    router.add_get("/console/", get_board)
    router.add_get("/console/sign-in", get_sign_in)
    router.add_post("/console/sign-in", post_sign_in)
    router.add_post("/console/sign-out", post_sign_out)
    router.add_get("/console/incidents/{incident}", get_one_incident)
    router.add_get("/console/incidents/{incident}/data", get_incident_data)
    router.add_get("/console/static/{name}", get_asset)


async def get_board(request: web.Request) -> web.Response:
    """Show what crosses borders now."""
    session = await _require_session(request)
    services = services_of(request)
    cursor = request.query.get("next")
    board = await view_board(
        services.database, services.clock, session.principal, days=views.DAYS, limit=INCIDENTS_A_PAGE, cursor=cursor
    )
    return html_response(render_board(_board_view(services, session, board, later=cursor is not None)))


async def get_one_incident(request: web.Request) -> web.Response:
    """Show one incident: who, what, when, and why it scores so."""
    session = await _require_session(request)
    services = services_of(request)
    ranked, evidence = await get_incident(services.database, services.clock, session.principal, request.match_info["incident"])
    view = views.IncidentView(
        region=_region(services),
        viewer=_viewer(session),
        now_us=services.clock.now_us(),
        row=_row(ranked),
        evidence=tuple(views.Evidence(observable, tuple(holdings)) for observable, holdings in evidence),
        contacts={team.slug: team.website for team in ranked.incident.teams},
        json_href=f"/console/incidents/{quote(ranked.incident.incident_id, safe='')}/data",
    )
    return html_response(render_incident(view))


async def get_incident_data(request: web.Request) -> web.Response:
    """Answer the same incident as the API does, to somebody who is signed in here."""
    session = await _require_session(request)
    services = services_of(request)
    ranked, _ = await get_incident(services.database, services.clock, session.principal, request.match_info["incident"])
    return web.Response(body=orjson.dumps(incident_json(ranked.incident, ranked.score)), content_type="application/json")


async def get_sign_in(request: web.Request) -> web.Response:
    """Show the door."""
    return html_response(render_sign_in(views.SignInView(services_of(request).region_name)))


async def post_sign_in(request: web.Request) -> web.Response:
    """Open a session for a token."""
    _require_own_form(request)
    services = services_of(request)
    form = await _read_form(request)
    try:
        secret = await sign_in(services.database, services.clock, form.get("token", "").strip())
    except Refusal as refusal:
        if refusal.code not in {Code.UNAUTHENTICATED, Code.FORBIDDEN}:
            raise
        page = render_sign_in(views.SignInView(services.region_name, refused=True))
        return html_response(page, status=401 if refusal.code is Code.UNAUTHENTICATED else 403)
    response = web.HTTPSeeOther("/console/")
    name, is_secure = _cookie(request)
    response.set_cookie(name, secret, max_age=SESSION_S, path="/", httponly=True, samesite="Strict", secure=is_secure)
    raise response


async def post_sign_out(request: web.Request) -> web.Response:
    """End the session."""
    _require_own_form(request)
    session = await _session_of(request)
    name, is_secure = _cookie(request)
    if session is not None:
        csrf = (await _read_form(request)).get("csrf", "")
        await sign_out(services_of(request).database, session, request.cookies[name], csrf)
    response = web.HTTPSeeOther("/console/sign-in")
    response.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=is_secure)
    raise response


async def get_asset(request: web.Request) -> web.StreamResponse:
    """Serve a style sheet, script or picture; its address changes with its content."""
    name = request.match_info["name"]
    if name not in ASSETS:
        raise Refusal(Code.NOT_FOUND, "there is nothing at this address")
    response = web.Response(body=ASSETS[name], content_type=_TYPES[name.rpartition(".")[2]], charset="utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


async def _to_board(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/console/")


async def _require_session(request: web.Request) -> Session:
    """Return who is signed in, or send the browser to the door."""
    session = await _session_of(request)
    if session is None:
        raise web.HTTPSeeOther("/console/sign-in")
    return session


async def _session_of(request: web.Request) -> Session | None:
    services = services_of(request)
    secret = request.cookies.get(_cookie(request)[0])
    return await resume(services.database, services.clock, secret) if secret else None


def _cookie(request: web.Request) -> tuple[str, bool]:
    """Name the session cookie; over TLS its name itself keeps other hosts from setting it.

    A proxy that ends TLS says so. Whoever forges that header only locks themselves out: a Secure cookie is not sent in the
    clear.
    """
    is_secure = request.secure or request.headers.get("X-Forwarded-Proto", "") == "https"
    return ("__Host-regcert" if is_secure else "regcert"), is_secure


def _require_own_form(request: web.Request) -> None:
    """Refuse a form that another site sent: browsers say where it comes from."""
    origin = request.headers.get("Origin")
    is_ours = origin is None or origin.partition("://")[2] == request.host
    if not is_ours or request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the console and use its own")


async def _read_form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the form as a form")
    # Read here and not by aiohttp, which believes the form's own word about its encoding.
    return dict(parse_qsl((await read_body(request, _MAX_FORM_BYTES)).decode("utf-8", "replace")))


def _board_view(services: Services, session: Session, board: Board, *, later: bool) -> views.BoardView:
    today = board.now_us // DAY_US
    region = _region(services)
    known = {country.code for country in region.countries}
    elsewhere = sorted({team.country for team in board.teams} - known)
    return views.BoardView(
        region=region,
        viewer=_viewer(session),
        now_us=board.now_us,
        crossing=board.crossing,
        activity=tuple(_activity(board, country.code, [country.code], today) for country in region.countries),
        elsewhere=_activity(board, "ZZ", elsewhere, today) if elsewhere else None,
        incidents=tuple(_row(ranked) for ranked in board.page.incidents),
        next_cursor=board.page.next,
        later=later,
        held_back=_held_back(board),
    )


def _held_back(board: Board) -> tuple[views.HeldBack, ...]:
    """The rarest reasons first: a feed of a thousand values must not bury the one that everybody asks about."""
    often = Counter(reason for _, _, reason in board.held)
    ordered = sorted(board.held, key=lambda one: (often[one[2]], one[2], one[0]))
    return tuple(views.HeldBack(observable, tuple(countries), reason) for observable, countries, reason in ordered)


def _activity(board: Board, code: str, countries: list[str], today: int) -> views.Activity:
    told = [(day, published, sighted) for day, country, published, sighted in board.activity if country in countries]
    daily = [0] * views.DAYS
    for day, published, sighted in told:
        if 0 <= today - day < views.DAYS:
            daily[views.DAYS - 1 - (today - day)] += published + sighted
    week = [(published, sighted) for day, published, sighted in told if 0 <= today - day < 7]
    return views.Activity(
        code=code,
        teams=sum(team.country in countries for team in board.teams),
        published_7d=sum(published for published, _ in week),
        sighted_7d=sum(sighted for _, sighted in week),
        daily=tuple(daily),
    )


def _row(ranked: Ranked) -> views.IncidentRow:
    return views.IncidentRow(ranked.incident, ranked.score, ranked.incident.names)


def _viewer(session: Session) -> views.Viewer:
    return views.Viewer(session.principal.team.name, session.principal.role, session.csrf)


def _region(services: Services) -> views.Region:
    countries = tuple(
        views.Country(country.code, country.name, country.row, country.column, country.mark) for country in services.countries
    )
    return views.Region(services.region_name, countries, services.footnotes)


_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
