"""What waits for a second person, in the console: the list, one of them, and what somebody decides about it."""

import secrets

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows.approve import approve
from regcert.flows.let_go import refuse, withdraw_proposal
from regcert.flows.list_proposals import get_proposal, page_proposals
from regcert.flows.sign_in import Session
from regcert.web.asking import services_of
from regcert.web.console.door import read_form, require_own_form, require_session, viewer_of
from regcert.web.console.messages import html_response
from regcert.web.console.pages import render_proposal, render_waiting
from regcert.web.console.views import Viewer
from regcert.web.console.waiting import ProposalView, WaitingView

A_PAGE = 50


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the addresses of what waits."""
    router.add_get("/console/proposals", get_waiting)
    router.add_get("/console/proposals/{proposal}", get_one)
    router.add_post("/console/proposals/{proposal}/approve", post_approve)
    router.add_post("/console/proposals/{proposal}/refuse", post_refuse)
    router.add_post("/console/proposals/{proposal}/withdraw", post_withdraw)


async def get_waiting(request: web.Request) -> web.Response:
    """Show what waits and concerns whoever is signed in."""
    session = await require_session(request)
    services = services_of(request)
    now_us, cursor = services.clock.now_us(), request.query.get("next")
    page = await page_proposals(services.database, session.principal, now_us, limit=A_PAGE, cursor=cursor)
    later = cursor is not None
    return html_response(
        render_waiting(WaitingView(services.region_name, _viewer(session), now_us, page.proposals, page.next, later))
    )


async def get_one(request: web.Request) -> web.Response:
    """Show one proposal with its facts, and the forms for what may be done about it."""
    session = await require_session(request)
    services = services_of(request)
    now_us = services.clock.now_us()
    facts = await get_proposal(services.database, session.principal, now_us, request.match_info["proposal"])
    return html_response(render_proposal(ProposalView(services.region_name, _viewer(session), now_us, facts)))


async def post_approve(request: web.Request) -> web.Response:
    """Approve, and show what became of it."""
    session = await _session_of_form(request)
    services = services_of(request)
    await approve(services.database, session.principal, request.match_info["proposal"])
    services.wake()
    raise _back(request)


async def post_refuse(request: web.Request) -> web.Response:
    """Refuse, and show what became of it."""
    session = await _session_of_form(request)
    await refuse(services_of(request).database, session.principal, request.match_info["proposal"])
    raise _back(request)


async def post_withdraw(request: web.Request) -> web.Response:
    """Withdraw, and show what became of it."""
    session = await _session_of_form(request)
    await withdraw_proposal(services_of(request).database, session.principal, request.match_info["proposal"])
    raise _back(request)


async def _session_of_form(request: web.Request) -> Session:
    """Return who sent a form of ours.

    Raises:
        Refusal: FORBIDDEN where another site sent it, or it does not carry the session's token.
    """
    require_own_form(request)
    session = await require_session(request)
    csrf = (await read_form(request)).get("csrf", "")
    if not secrets.compare_digest(session.csrf.encode(), csrf.encode()):
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the proposal in the console and decide there")
    return session


def _back(request: web.Request) -> web.HTTPSeeOther:
    # Back to the page itself: only an id that exists for the session has come so far.
    return web.HTTPSeeOther(f"/console/proposals/{request.match_info['proposal']}")


def _viewer(session: Session) -> Viewer:
    return viewer_of(session)
