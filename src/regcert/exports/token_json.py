"""Tokens as the API and the commands show them, as JSON: everything but what they are."""

from typing import Any

from regcert.domain.token import TokenRecord
from regcert.stix.timestamps import write_timestamp


def token_json(one: TokenRecord) -> dict[str, Any]:
    """Describe a token; times are RFC 3339 in UTC, or null."""
    return {
        "id": one.token_id,
        "team": one.team,
        "role": one.role.value,
        "name": one.name,
        "person": one.login,
        "networks": list(one.networks),
        "certificate": one.certificate,
        "collections": list(one.collections),
        "client": one.client,
        "created": write_timestamp(one.created_us),
        "expires": _time(one.expires_us),
        "last_used": _time(one.used_us),
        "revoked": _time(one.revoked_us),
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else write_timestamp(at_us)
