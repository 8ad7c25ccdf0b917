"""The `Authorization` header, in the ways in which TAXII clients write it."""

import base64

from regcert.errors import Code, Refusal

_MAX_CHARACTERS = 1024


def read_authorization(header: str | None) -> str:
    """Read the token out of an `Authorization` header.

    Basic carries it as the password, whatever the user name, which may be empty (Sumo Logic sends none). `Token` is how
    taxii2-client and XSOAR write a Bearer. The scheme is compared without case: MISP writes it small.

    Args:
        header: the header's text, or None where there is none.

    Returns:
        The token, not yet known to be worth anything.

    Raises:
        Refusal: UNAUTHENTICATED.

    Spec: TAXII 2.1 §1.6.9 and §8.2.2, RFC 7617, RFC 6750
    """
    if header is None:
        raise _unauthenticated("sign in: send your token as Bearer, or as the password of Basic")
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if not rest or len(rest) > _MAX_CHARACTERS:
        raise _unauthenticated("the Authorization header holds no token")
    if scheme.lower() in {"bearer", "token"}:
        return rest
    if scheme.lower() == "basic":
        return _read_basic(rest)
    raise _unauthenticated("only Basic and Bearer are understood here")


def _read_basic(encoded: str) -> str:
    try:
        _, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:  # of base64, of UTF-8, and of a header that is not ASCII
        raise _unauthenticated("the Basic credentials are not base64 of 'user:token'") from error
    if not colon or not password:
        raise _unauthenticated("the Basic credentials hold no password; the token goes there")
    return password


def _unauthenticated(message: str) -> Refusal:
    return Refusal(Code.UNAUTHENTICATED, message)
