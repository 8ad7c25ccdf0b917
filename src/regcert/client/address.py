"""Where a client is sent, as its user wrote it."""

from yarl import URL

from regcert.errors import Code, Refusal

_DISCOVERY = "/taxii2/"


def require_discovery(server: str) -> URL:
    """Return the address of a server's discovery.

    Args:
        server: the address of a server, whose discovery is then at `/taxii2/`, or of a discovery anywhere.

    Raises:
        Refusal: INVALID_SETTING. A name or password in an address ends up in logs and in lists of processes.

    Spec: TAXII 2.1 §8.2.1
    """
    try:
        url = URL(server)
        wrong = url.scheme not in {"http", "https"} or not url.host or url.port == 0 or "@" in url.raw_authority
        wrong = wrong or bool(url.raw_query_string or url.raw_fragment)
    except ValueError:
        wrong = True
    if wrong:
        raise Refusal(Code.INVALID_SETTING, "the server must be an address such as https://regcert.example")
    path = url.raw_path.rstrip("/")
    return url.with_path(f"{path}/" if path else _DISCOVERY, encoded=True)
