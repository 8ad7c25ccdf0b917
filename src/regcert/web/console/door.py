"""The console's door over HTTP: who is let in, by which cookie they are known, and which forms are theirs."""

from urllib.parse import parse_qsl

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows.sign_in import SESSION_S, Session, resume, sign_in, sign_out
from regcert.flows.sign_in_elsewhere import QUESTION_S, Brought, SideDoor, ask_elsewhere, sign_in_elsewhere
from regcert.flows.sign_in_person import Shown, TooManyAttempts, sign_in_person
from regcert.web.asking import read_body, services_of
from regcert.web.coming import whence_of
from regcert.web.console import views
from regcert.web.console.messages import html_response
from regcert.web.console.pages import render_sign_in, render_signed_in
from regcert.web.problems import STATUS
from regcert.web.services import Services

_MAX_FORM_BYTES = 8192


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter the door's addresses."""
    router.add_get("/console/sign-in", get_sign_in)
    router.add_post("/console/sign-in", post_sign_in)
    router.add_post("/console/sign-out", post_sign_out)
    router.add_get("/console/openid", get_question)
    router.add_get("/console/openid/return", get_return)


async def get_sign_in(request: web.Request) -> web.Response:
    """Show the door."""
    return _door(request)


async def post_sign_in(request: web.Request) -> web.Response:
    """Open a session for a person, or for a token."""
    require_own_form(request)
    services = services_of(request)
    form = await read_form(request)
    before, whence = request.cookies.get(cookie_of(request)[0]), whence_of(request, services.trust)
    is_person = "login" in form
    try:
        if is_person:
            shown = Shown(form["login"], form.get("password", ""), form.get("code", ""))
            secret = await sign_in_person(services.database, services.clock, services.door, shown, whence, before)
        else:
            secret = await sign_in(services.database, services.clock, form.get("token", "").strip(), whence, before)
    except Refusal as refusal:
        if refusal.code not in {Code.UNAUTHENTICATED, Code.FORBIDDEN, Code.TOO_MANY_ATTEMPTS}:
            raise
        return _door(request, refusal, "person" if is_person else "token")
    response = web.HTTPSeeOther("/console/")
    keep_session(request, response, secret)
    raise response


async def get_question(request: web.Request) -> web.Response:
    """Send the browser to the OpenID provider."""
    services = services_of(request)
    side_door = _side_door(services)
    name, is_secure = _question_cookie(request)
    redirect_uri = f"{'https' if is_secure else 'http'}://{request.host}/console/openid/return"
    address, question = await ask_elsewhere(services.clock, side_door, redirect_uri)
    response = web.HTTPSeeOther(address)
    # Lax, because the browser comes back from another site; it holds nothing that opens anything.
    response.set_cookie(name, question, max_age=QUESTION_S, path="/", httponly=True, samesite="Lax", secure=is_secure)
    raise response


async def get_return(request: web.Request) -> web.Response:
    """Open a session for whom the provider has sent back.

    The page that follows is opened by ours: a browser that comes from another site would leave the session's cookie behind.
    """
    services = services_of(request)
    side_door = _side_door(services)
    name, is_secure = _question_cookie(request)
    query = request.query
    brought = Brought(request.cookies.get(name, ""), query.get("state", ""), query.get("code", ""), query.get("iss"))
    before = request.cookies.get(cookie_of(request)[0])
    try:
        whence = whence_of(request, services.trust)
        secret = await sign_in_elsewhere(services.database, services.clock, side_door, brought, whence, before)
    except Refusal as refusal:
        if refusal.code is not Code.UNAUTHENTICATED:
            raise
        response = _door(request, refusal, "provider")
    else:
        response = html_response(render_signed_in(views.SignInView(services.region_name)))
        keep_session(request, response, secret)
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=is_secure)
    return response


def _door(request: web.Request, refusal: Refusal | None = None, tried: str = "") -> web.Response:
    services = services_of(request)
    wait_s = refusal.wait_s if isinstance(refusal, TooManyAttempts) else 0
    view = views.SignInView(services.region_name, tried, wait_s, services.side_door.label if services.side_door else "")
    response = html_response(render_sign_in(view), status=STATUS[refusal.code] if refusal else 200)
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response


def _side_door(services: Services) -> SideDoor:
    if services.side_door is None:
        raise Refusal(Code.NOT_FOUND, "there is nothing at this address")
    return services.side_door


def _question_cookie(request: web.Request) -> tuple[str, bool]:
    name, is_secure = cookie_of(request)
    return f"{name}-openid", is_secure


async def post_sign_out(request: web.Request) -> web.Response:
    """End the session."""
    require_own_form(request)
    session = await session_of(request)
    name, is_secure = cookie_of(request)
    if session is not None:
        csrf = (await read_form(request)).get("csrf", "")
        await sign_out(services_of(request).database, session, request.cookies[name], csrf)
    response = web.HTTPSeeOther("/console/sign-in")
    response.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=is_secure)
    raise response


async def require_session(request: web.Request) -> Session:
    """Return who is signed in, or send the browser to the door."""
    session = await session_of(request)
    if session is None:
        raise web.HTTPSeeOther("/console/sign-in")
    return session


async def session_of(request: web.Request) -> Session | None:
    """Find who is signed in."""
    services = services_of(request)
    secret = request.cookies.get(cookie_of(request)[0])
    if not secret:
        return None
    session = await resume(services.database, services.clock, secret, whence_of(request, services.trust))
    if session is not None:
        services.note_use(session.principal.token_id)
    return session


def viewer_of(session: Session) -> views.Viewer:
    """Say who is signed in, as every page shows it."""
    return views.Viewer(session.principal.team.name, session.principal.role, session.csrf, session.unseen)


def cookie_of(request: web.Request) -> tuple[str, bool]:
    """Name the session cookie; over TLS its name itself keeps other hosts from setting it.

    A proxy that ends TLS says so. Whoever forges that header only locks themselves out: a Secure cookie is not sent in the
    clear.
    """
    is_secure = request.secure or request.headers.get("X-Forwarded-Proto", "") == "https"
    return ("__Host-regcert" if is_secure else "regcert"), is_secure


def keep_session(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """Give the browser its session; what it had before is worth nothing any more."""
    name, is_secure = cookie_of(request)
    response.set_cookie(name, secret, max_age=SESSION_S, path="/", httponly=True, samesite="Strict", secure=is_secure)


def require_own_form(request: web.Request) -> None:
    """Refuse a form that another site sent: browsers say where it comes from."""
    origin = request.headers.get("Origin")
    is_ours = origin is None or origin.partition("://")[2] == request.host
    if not is_ours or request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the console and use its own")


async def read_form(request: web.Request) -> dict[str, str]:
    """Read a form of at most 8 KiB.

    Raises:
        Refusal: UNSUPPORTED_MEDIA_TYPE, TOO_LARGE.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the form as a form")
    # Read here and not by aiohttp, which believes the form's own word about its encoding.
    text = (await read_body(request, _MAX_FORM_BYTES)).decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))
