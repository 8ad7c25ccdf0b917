"""Blind matches in the console: the list, one of them with its dialogue, and the steps that somebody takes."""

import secrets

from aiohttp import web

from regcert.domain.blind_match import Deed
from regcert.errors import Code, Refusal
from regcert.flows.answer_blind_match import answer_blind_match
from regcert.flows.list_blind_matches import get_blind_match, page_blind_matches
from regcert.flows.sign_in import Session
from regcert.policy.blind_matching import DEEDS
from regcert.web.asking import services_of
from regcert.web.console.blind_views import BlindMatchesView, BlindMatchView
from regcert.web.console.door import read_form, require_own_form, require_session
from regcert.web.console.messages import html_response
from regcert.web.console.pages import render_blind_match, render_blind_matches
from regcert.web.console.views import Viewer

A_PAGE = 50


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the addresses of blind matches."""
    router.add_get("/console/blind-matches", get_matches)
    router.add_get("/console/blind-matches/{match}", get_one)
    for deed in DEEDS:
        router.add_post(f"/console/blind-matches/{{match}}/{deed.value}", post_deed)


async def get_matches(request: web.Request) -> web.Response:
    """Show the blind matches that whoever is signed in was told of, or has to forward."""
    session = await require_session(request)
    services = services_of(request)
    now_us, cursor = services.clock.now_us(), request.query.get("next")
    page = await page_blind_matches(services.database, session.principal, now_us, limit=A_PAGE, cursor=cursor)
    view = BlindMatchesView(services.region_name, _viewer(session), now_us, page, cursor is not None)
    return html_response(render_blind_matches(view))


async def get_one(request: web.Request) -> web.Response:
    """Show one blind match with its dialogue, and the forms for what may be done about it."""
    session = await require_session(request)
    services = services_of(request)
    now_us = services.clock.now_us()
    facts = await get_blind_match(services.database, session.principal, now_us, request.match_info["match"])
    return html_response(render_blind_match(BlindMatchView(services.region_name, _viewer(session), now_us, facts)))


async def post_deed(request: web.Request) -> web.Response:
    """Take a step, and show how it stands then; the last segment of the address says which.

    Raises:
        Refusal: FORBIDDEN where another site sent it, or it does not carry the session's token; what the step refuses.
    """
    require_own_form(request)
    session = await require_session(request)
    form = await read_form(request)
    if not secrets.compare_digest(session.csrf.encode(), form.get("csrf", "").encode()):
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the blind match in the console and decide there")
    match_id, deed = request.match_info["match"], Deed(request.path.rpartition("/")[2])
    # A browser ends the lines of a form with both signs.
    note = form.get("note", "").replace("\r\n", "\n")
    await answer_blind_match(services_of(request).database, session.principal, match_id, deed, note=note)
    # Back to the page itself: only an id that exists for the session has come so far.
    raise web.HTTPSeeOther(f"/console/blind-matches/{match_id}")


def _viewer(session: Session) -> Viewer:
    return Viewer(session.principal.team.name, session.principal.role, session.csrf, session.unseen)
