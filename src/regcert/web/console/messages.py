"""The page that says no."""

from aiohttp import web

from regcert.errors import Refusal
from regcert.web.console.pages import render_message
from regcert.web.console.views import MessageView
from regcert.web.problems import STATUS, TITLES


def message_response(refusal: Refusal | None, request_id: str = "", region_name: str = "") -> web.Response:
    """Answer a refusal, or a fault where there is none, to a person."""
    status = 500 if refusal is None else STATUS.get(refusal.code, 400)
    sentence = refusal.message if refusal else "Something went wrong on our side. Tell the operator the request id."
    view = MessageView(TITLES[status], sentence[:1].upper() + sentence[1:], region_name, request_id=request_id)
    return html_response(render_message(view), status=status)


def html_response(html: str, *, status: int = 200) -> web.Response:
    """Answer a whole page."""
    return web.Response(status=status, text=html, content_type="text/html")
