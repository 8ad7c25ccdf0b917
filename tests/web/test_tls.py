"""TLS that a host ends itself: a client may show a certificate, and a token that needs one is good with that one alone."""

import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from regcert.assembly.host import listening, open_host, open_tls
from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.flows.create_token import TokenOrder, create_token
from regcert.identity.certificates import fingerprint_of
from regcert.settings import Settings
from tests.hosting import StillClock
from tests.identity.issuing import Issued, issue

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def name(issued: Issued) -> str:
    return fingerprint_of(x509.load_pem_x509_certificate(issued.certificate).public_bytes(Encoding.DER))


async def test_certificate_is_asked_for_and_not_required(settings: Settings, clock: StillClock, tmp_path: Path) -> None:
    """With the right one the token is good, without one or with another it is nobody's; a stranger's ends the handshake."""
    authority = issue("authority")
    host, client, other, stranger = issue("host", authority), issue("c", authority), issue("o", authority), issue("s", issue("x"))
    ca = authority.write(tmp_path, "ca")[0]
    certificate, key = host.write(tmp_path, "host")
    tls = open_tls(settings.model_copy(update={"tls_certificate": certificate, "tls_key": key, "tls_client_ca": ca}))
    async with open_host(settings, clock) as inside, listening(inside.app, "127.0.0.1", 0, tls) as port:
        held = await create_token(inside.database, clock, "alcirt", TokenOrder(Role.ANALYST, "t", certificate=name(client)))
        free = await create_token(inside.database, clock, "alcirt", TokenOrder(Role.ANALYST, "t"))

        async def show(token: str, shown: Issued | None) -> int:
            context = ssl.create_default_context(cafile=str(ca))
            if shown is not None:
                context.load_cert_chain(*shown.write(tmp_path, "shown"))
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http:
                headers = {"Authorization": f"Bearer {token}"}
                async with http.get(f"https://127.0.0.1:{port}/api/v1/incidents", headers=headers) as reply:
                    return reply.status

        assert [await show(held, shown) for shown in (client, other, None)] == [200, 401, 401]
        assert [await show(free, shown) for shown in (client, other, None)] == [200, 200, 200]
        with pytest.raises(aiohttp.ClientError):
            await show(free, stranger)


def test_host_does_not_start_when_its_certificate_is_none(settings: Settings, tmp_path: Path) -> None:
    """Files that are missing, or do not belong together, are no TLS; and without them there is plain HTTP."""
    assert open_tls(settings) is None
    certificate, key = issue("host").write(tmp_path, "host")
    other = issue("other").write(tmp_path, "other")[1]
    for files in ((certificate, other), (certificate, tmp_path / "none"), (key, key)):
        with pytest.raises(Refusal) as refused:
            open_tls(settings.model_copy(update={"tls_certificate": files[0], "tls_key": files[1]}))
        assert refused.value.code is Code.INVALID_SETTING
