"""What a team was told, in the console: the list, and that it was seen."""

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows.list_alerts import page_alerts, see_alerts_until
from regcert.flows.sign_in import require_form
from regcert.policy.permissions import Permission, may
from regcert.store.alerts import Place
from regcert.web.asking import services_of
from regcert.web.console.alert_views import AlertsView
from regcert.web.console.door import read_form, require_own_form, require_session, viewer_of
from regcert.web.console.messages import html_response
from regcert.web.console.pages import render_alerts
from regcert.web.console.views import Region

A_PAGE = 50
_MOST_DIGITS = 18


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the addresses of alerts."""
    router.add_get("/console/alerts", get_alerts)
    router.add_post("/console/alerts/seen", post_seen)


async def get_alerts(request: web.Request) -> web.Response:
    """Show what the team was told, the newest first."""
    session = await require_session(request)
    services = services_of(request)
    before = request.query.get("before")
    place = Place(before=None if before is None else _read_number(before))
    page = await page_alerts(services.database, session.principal, place, A_PAGE)
    view = AlertsView(
        region=Region.of(services.region_name, services.countries, services.footnotes),
        viewer=viewer_of(session),
        now_us=services.clock.now_us(),
        alerts=page.alerts,
        next_number=page.alerts[-1].number if page.more else None,
        later=before is not None,
        may_mark=may(session.principal, Permission.MARK_ALERTS),
    )
    return html_response(render_alerts(view))


async def post_seen(request: web.Request) -> web.Response:
    """Note that the team has seen all that the page showed, and what is older."""
    require_own_form(request)
    session = await require_session(request)
    form = await read_form(request)
    require_form(session, form.get("csrf", ""))
    await see_alerts_until(services_of(request).database, session.principal, _read_number(form.get("until", "")))
    raise web.HTTPSeeOther("/console/alerts")


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise Refusal(Code.MALFORMED_REQUEST, "that is not a place in the list of alerts; open it anew")
    return int(text)
