"""The process that answers, and a whole host in one process for whoever needs no second."""

import asyncio
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from regcert.assembly.parts import Founded, at_work, open_founded, spare_collector, taking
from regcert.clock import Clock, SystemClock
from regcert.domain.region import Country, Footnote
from regcert.errors import Code, Refusal
from regcert.flows.load_profiles import load_profiles
from regcert.flows.sign_in_elsewhere import SideDoor
from regcert.flows.sign_in_person import Door
from regcert.identity.networks import read_networks
from regcert.outbound.openid import Account, Provider
from regcert.settings import Settings
from regcert.signing.host_key import HostKey
from regcert.signing.note import log_key
from regcert.signing.private_key import private_key_of
from regcert.store.database import Database
from regcert.web.app import create_app
from regcert.web.coming import Trust
from regcert.web.services import Services
from regcert.workers.correlator import Correlator
from regcert.workers.intake import Publish
from regcert.workers.intake_process import IntakeProcess
from regcert.workers.uses import Uses

_LOG = logging.getLogger("regcert")


@dataclass(frozen=True, slots=True)
class Host:
    """A running host without its socket.

    Args:
        app: the web application.
        database: open.
        correlator: at work.
    """

    app: web.Application
    database: Database
    correlator: Correlator


@asynccontextmanager
async def open_host(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Host]:
    """Build a whole host in this process and keep it at work until the block ends.

    1. The database: of this release's schema, with settings under which nothing acknowledged can be lost; its log continues
       what was signed.
    2. What takes publications, correlates them and signs the log.
    3. The application around all of it.

    Args:
        settings: what the operator decided.
        clock: what time it is; the machine's, unless a test says otherwise.

    Raises:
        Refusal: NOT_INITIALISED, UNSAFE_DATABASE, INVALID_SETTING, INVALID_GUARD_LIST, LOG_FORK.
    """
    clock = clock or SystemClock()
    async with open_founded(settings, clock) as founded, taking(settings, founded, clock) as inside:  # 1, 2
        uses = Uses(founded.database, clock)
        services = _services(settings, founded, clock, inside.publish, inside.wake, uses.note)  # 3
        async with at_work(uses.run(), "uses"):
            yield Host(create_app(services), founded.database, inside.correlator)


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until told to stop: this process answers, and a second one takes what is published and correlates it.

    Args:
        settings: what the operator decided.
        host: the address to listen on.
        port: the port; 0 for any free one.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    clock, intake, tls = SystemClock(), IntakeProcess(), open_tls(settings)
    async with open_founded(settings, clock) as founded:
        uses = Uses(founded.database, clock)
        app = create_app(_services(settings, founded, clock, intake.publish, intake.wake, uses.note))
        async with at_work(intake.run(), "intake"), at_work(uses.run(), "uses"), listening(app, host, port, tls) as bound:
            _LOG.info("serving on %s://%s:%d/", "https" if tls else "http", host, bound)
            spare_collector()
            await stop.wait()
            _LOG.info("stopping")


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen with an application until the block ends; yields the port."""
    # Whole requests that are under way are answered before the socket closes.
    # No coded body is taken, so nothing unpacks one: a bomb would be unpacked even while it is thrown away.
    # A cursor carries its filters: a thousand ids make a long line, and it must be possible to follow it.
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=10.0,
        handler_cancellation=False,
        auto_decompress=False,
        max_line_size=131_072,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def open_tls(settings: Settings) -> ssl.SSLContext | None:
    """Make what TLS needs of the operator's files; None where TLS ends elsewhere.

    A client certificate is asked for where somebody may sign one, and never required: a token says whether it needs one.

    Raises:
        Refusal: INVALID_SETTING.
    """
    if settings.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_client_ca is not None:
            context.load_verify_locations(settings.tls_client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Refusal(
            Code.INVALID_SETTING, "tls_certificate, tls_key or tls_client_ca cannot be read, or do not belong together"
        ) from error
    return context


def _open_side_door(settings: Settings, key: HostKey) -> SideDoor | None:
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret
    if settings.oidc_client_secret_file is not None:
        try:
            secret = settings.oidc_client_secret_file.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise Refusal(
                Code.INVALID_SETTING, "oidc_client_secret_file cannot be read; check its path and permissions"
            ) from error
    provider = Provider(Account(settings.oidc_issuer, settings.oidc_client_id, secret))
    return SideDoor(provider, key.derive("openid"), settings.oidc_label)


def _services(
    settings: Settings,
    founded: Founded,
    clock: Clock,
    publish: Publish,
    wake: Callable[[], None],
    note_use: Callable[[int], None],
) -> Services:
    facts, key = founded.facts, founded.key
    return Services(
        database=founded.database,
        clock=clock,
        cursor_key=key.derive("cursor"),
        api_root=facts["api_root"],
        region_name=facts["region_name"],
        countries=tuple(Country(**country) for country in facts["countries"]),
        footnotes=tuple(Footnote(**note) for note in facts["footnotes"]),
        max_content_bytes=settings.max_content_bytes,
        profiles=load_profiles(),
        publish=publish,
        wake=wake,
        trust=Trust(read_networks(map(str, settings.trusted_proxies)), settings.certificate_header),
        log_verifier=log_key(facts["log_origin"], private_key_of(key.derive("log"))),
        log_public=settings.log_public,
        door=Door(key.derive("totp")),
        side_door=_open_side_door(settings, key),
        note_use=note_use,
    )
