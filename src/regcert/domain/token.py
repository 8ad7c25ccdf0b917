"""A token as its team's administrators see it: everything but what it is."""

from dataclasses import dataclass

from regcert.domain.principal import Role


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is known of a token.

    Args:
        token_id: by which it is revoked.
        team: slug of the team whose it is.
        role: what it may do.
        name: what people call it.
        login: of the person that it stands for, or None where a machine or somebody holds it.
        networks: the only ones that it is good from; empty for all.
        certificate: SHA-256 of the client certificate that it must come with, or None.
        collections: slugs of the only collections that it opens; empty for all of its team's.
        created_us: when it was made.
        expires_us: from when on it is worth nothing, or None.
        used_us: when it was last used, to about a minute, or None where it never was.
        revoked_us: when it was revoked, or None.
        client: the profile of the software that shows it, or None.
    """

    token_id: int
    team: str
    role: Role
    name: str
    login: str | None
    networks: tuple[str, ...]
    certificate: str | None
    collections: tuple[str, ...]
    created_us: int
    expires_us: int | None
    used_us: int | None
    revoked_us: int | None
    client: str | None
