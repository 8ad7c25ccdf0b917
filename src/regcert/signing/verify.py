"""The step from `Parsed` to `Verified`: who vouches for a publication."""

from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.submission import Parsed, Verified, Vouched
from regcert.errors import Code, Refusal


def verify(parsed: Parsed) -> Verified:
    """Find out who vouches for an envelope.

    1. Where the collection requires a signature, refuse: this release knows no publication manifest, and a check that is not
       made must not look as if it had been (law 8).
    2. Otherwise the host attests that it came over the team's authenticated channel.

    Args:
        parsed: the envelope.

    Raises:
        Refusal: SIGNATURE_REQUIRED.
    """
    require_attestable(parsed.received.collection)
    return Verified(parsed, Vouched.ATTESTED)


def require_attestable(collection: Collection) -> None:
    """Refuse what this host may not vouch for by itself, before any of it is looked at.

    Raises:
        Refusal: SIGNATURE_REQUIRED.
    """
    if collection.signature is SignatureRule.REQUIRED:
        raise Refusal(
            Code.SIGNATURE_REQUIRED,
            "this collection takes signed publications only, which this release cannot verify; publish to another one",
        )
