"""`/api/v1/alerts`: what a team is told, to read on in, and to wait for."""

import time

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.exports.alert_json import alert_json
from regcert.flows.list_alerts import MAX_LIMIT, AlertPage, page_alerts, see_alert, wait_for_alerts
from regcert.store.alerts import Place
from regcert.taxii.filters import read_limit
from regcert.web.asking import caller_of, principal_of, services_of
from regcert.web.taxii.waiting import STEP_S, read_wait_s

USUAL_LIMIT = 50
_MOST_DIGITS = 18


async def get_alerts(request: web.Request) -> web.Response:
    """Answer what a team was told behind a number, the first first; with `Prefer: wait`, as soon as there is anything."""
    place = Place(after=_read_number(request.query.get("after", "0")), only_unseen="unseen" in request.query)
    limit = read_limit(request.query.get("limit"), USUAL_LIMIT, MAX_LIMIT)
    wait_s = read_wait_s(request)
    ends_at = time.monotonic() + wait_s
    database = services_of(request).database
    while True:
        # Whoever waits is recognised again at every step, so that a token that ends takes its owner's wait with it.
        caller = await caller_of(request)
        page = await page_alerts(database, caller.principal, place, limit)
        left_s = ends_at - time.monotonic()
        if page.alerts or left_s <= 0 or not await wait_for_alerts(database, caller.heads, min(left_s, STEP_S)):
            return _page(page, place, wait_s)


async def post_seen(request: web.Request) -> web.Response:
    """Note that the team has seen one alert."""
    principal = await principal_of(request)
    number = _read_id(request.match_info["alert"])
    await see_alert(services_of(request).database, principal, number)
    return _json({"id": number, "seen": True})


def _page(page: AlertPage, place: Place, wait_s: int) -> web.Response:
    following = page.alerts[-1].number if page.alerts else place.after
    told = {"alerts": [alert_json(one) for one in page.alerts], "more": page.more, "next": following, "unseen": page.unseen}
    response = _json(told)
    response.headers["Cache-Control"] = "private, no-store"
    if wait_s:
        response.headers["Preference-Applied"] = f"wait={wait_s}"
    return response


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise Refusal(Code.MALFORMED_REQUEST, "'after' must be a number that a page of this list gave as 'next'")
    return int(text)


def _read_id(text: str) -> int:
    # What is no id is not looked up.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
