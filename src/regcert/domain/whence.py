"""Where a request comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a request comes from, as far as this host knows for certain.

    Args:
        address: of the caller, in one spelling; None where it is not known.
        certificate: SHA-256 of the client certificate that it came with, in lower-case hexadecimal; None where there is none.
    """

    address: str | None = None
    certificate: str | None = None


NOWHERE = Whence()
"""Nothing is known: no token that is held to a network or a certificate is good from here."""
