"""What happens around every request: an id, refusals turned into answers, headers, one line in the log.

This is one of the two places where everything is caught, because nothing may reach a client as a traceback; the other is the
worker loop. The log line names the route, never the query or the body: both may hold content above TLP:CLEAR.
"""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.web.console.messages import message_response
from regcert.web.console.pages import CONTENT_SECURITY_POLICY
from regcert.web.problems import fault_response, refusal_response
from regcert.web.services import REQUEST_ID

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG = logging.getLogger("regcert.request")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "Server": "RegCERT",  # not which library, of which version
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request, whatever happens to it."""
    request_id = secrets.token_hex(8)
    request[REQUEST_ID] = request_id
    started = time.monotonic()
    try:
        _require_plain_address(request)
        response = await handler(request)
    except Refusal as refusal:
        response = _refuse(request, refusal)
    except web.HTTPRequestEntityTooLarge:
        response = _refuse(request, Refusal(Code.TOO_LARGE, "the body is larger than this address takes"))
    except web.HTTPMethodNotAllowed as error:
        response = _refuse(request, Refusal(Code.METHOD_NOT_ALLOWED, "this address does not know that method"))
        response.headers["Allow"] = ",".join(sorted(error.allowed_methods))
    except ConnectionResetError:
        # The client hung up inside its body: nobody is left to be answered, and nothing of ours has failed.
        response = _refuse(request, Refusal(Code.MALFORMED_REQUEST, "the body broke off; send it again"))
    except web.HTTPRedirection as redirection:
        _finish(request, redirection, started)
        raise
    except web.HTTPException:
        response = _refuse(request, Refusal(Code.NOT_FOUND, "there is nothing at this address"))
    except Exception:  # noqa: BLE001 - no fault may reach a client as itself
        _LOG.exception("fault %s", request_id)
        response = _fail(request)
    _finish(request, response, started)
    return response


def _require_plain_address(request: web.Request) -> None:
    """Refuse a NUL in an address: no name here has one, and PostgreSQL fails at it where SQLite does not."""
    if "\0" in request.path or "\0" in request.query_string:
        raise Refusal(Code.MALFORMED_REQUEST, "the address holds a NUL character; correct it")


def _finish(request: web.Request, response: web.StreamResponse, started: float) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    if "Upgrade" in request.headers:
        response.force_close()  # aiohttp reads nothing more on such a connection, and would keep it open
    _write_line(request, response, time.monotonic() - started)


def _refuse(request: web.Request, refusal: Refusal) -> web.Response:
    if _is_console(request):
        return message_response(refusal)
    return refusal_response(refusal, taxii=not request.path.startswith("/api/"), request_id=request[REQUEST_ID])


def _fail(request: web.Request) -> web.Response:
    if _is_console(request):
        return message_response(None, request[REQUEST_ID])
    return fault_response(taxii=not request.path.startswith("/api/"), request_id=request[REQUEST_ID])


def _is_console(request: web.Request) -> bool:
    return request.path == "/" or request.path.startswith("/console")


def _write_line(request: web.Request, response: web.StreamResponse, taken_s: float) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "-"
    _LOG.info("%s %s %d %.1fms %s", request.method, route, response.status, taken_s * 1000, request[REQUEST_ID])
