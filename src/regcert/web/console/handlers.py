"""The console over HTTP: the board, one incident, and what pages load; `door.py` lets people in."""

from collections import Counter
from dataclasses import replace
from urllib.parse import quote

import orjson
from aiohttp import web

from regcert.clock import DAY_US
from regcert.errors import Code, Refusal
from regcert.exports.incident_json import incident_json
from regcert.flows.list_incidents import Ranked
from regcert.flows.sign_in import Session
from regcert.flows.view_board import Board, view_board
from regcert.flows.view_incident import view_incident
from regcert.policy.permissions import Permission, may
from regcert.store.ledger import observable_key
from regcert.web.asking import services_of
from regcert.web.console import alerts, blind_matches, decisions, door, proposals, views
from regcert.web.console.door import require_session
from regcert.web.console.messages import html_response
from regcert.web.console.pages import ASSETS, render_board, render_incident
from regcert.web.services import Services

INCIDENTS_A_PAGE = 50


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the console's addresses."""
    router.add_get("/", _to_board)
    router.add_get("/console", _to_board)
    router.add_get("/console/", get_board)
    door.add_routes(router)
    alerts.add_routes(router)
    decisions.add_routes(router)
    proposals.add_routes(router)
    blind_matches.add_routes(router)
    router.add_get("/console/incidents/{incident}", get_one_incident)
    router.add_get("/console/incidents/{incident}/data", get_incident_data)
    router.add_get("/console/static/{name}", get_asset)


async def get_board(request: web.Request) -> web.Response:
    """Show what crosses borders now."""
    session = await require_session(request)
    services = services_of(request)
    cursor = request.query.get("next")
    dismissed = request.query.get("dismissed") == "true"
    board = await view_board(
        services.database,
        services.clock,
        session.principal,
        days=views.DAYS,
        limit=INCIDENTS_A_PAGE,
        cursor=cursor,
        dismissed=dismissed,
    )
    view = _board_view(services, session, board, later=cursor is not None)
    return html_response(render_board(replace(view, dismissed=dismissed)))


async def get_one_incident(request: web.Request) -> web.Response:
    """Show one incident: who, what, when, and why it scores so."""
    session = await require_session(request)
    services = services_of(request)
    one = await view_incident(services.database, services.clock, session.principal, request.match_info["incident"])
    ranked, evidence = one.ranked, one.evidence
    view = views.IncidentView(
        region=_region(services),
        viewer=_viewer(session),
        now_us=services.clock.now_us(),
        row=_row(ranked),
        evidence=tuple(views.Evidence(observable, tuple(holdings)) for observable, holdings in evidence),
        contacts={team.slug: team.website for team in ranked.incident.teams},
        json_href=f"/console/incidents/{quote(ranked.incident.incident_id, safe='')}/data",
        facts=one.facts,
        signers=one.signers,
        history=tuple(one.history),
        keys={observable: observable_key(observable).hex() for observable, _ in evidence},
        may_decide=may(session.principal, Permission.DECIDE),
    )
    return html_response(render_incident(view))


async def get_incident_data(request: web.Request) -> web.Response:
    """Answer the same incident as the API does, to somebody who is signed in here."""
    session = await require_session(request)
    services = services_of(request)
    one = await view_incident(services.database, services.clock, session.principal, request.match_info["incident"])
    told = incident_json(one.ranked.incident, one.ranked.score, one.evidence, one.facts, one.signers)
    return web.Response(body=orjson.dumps(told), content_type="application/json")


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
    return door.viewer_of(session)


def _region(services: Services) -> views.Region:
    return views.Region.of(services.region_name, services.countries, services.footnotes)


_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
