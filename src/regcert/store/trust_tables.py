"""The tables of trust: keys, publications, the transparency log, what needs a second person, people, and the audit trail.

What is signed is kept as the bytes that were signed. `store/tables.py` says what holds for every table.
"""

from sqlalchemy import BigInteger, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from regcert.store.tables import Big, one_of


class KeyListRow(SQLModel, table=True):
    """One version of a team's key list, as the DSSE envelope that its root key signed; the newest is in force."""

    __tablename__ = "key_lists"
    team_id: int = Field(primary_key=True, foreign_key="teams.team_id")
    version: int = Field(primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary)
    envelope: bytes = Field(sa_type=LargeBinary)
    entered_us: int = Field(sa_type=BigInteger)
    leaf_index: int = Field(sa_type=BigInteger)


class ChallengeRow(SQLModel, table=True):
    """What somebody has to sign to prove that they hold a key; good once, and not for long."""

    __tablename__ = "challenges"
    challenge: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    token_id: int = Field(foreign_key="tokens.token_id", index=True)
    expires_us: int = Field(sa_type=BigInteger, index=True)


class PublicationRow(SQLModel, table=True):
    """One signed publication: the manifest at `position`, signed for the objects of its submission.

    `number` counts the publications of a collection, `seq` those of one team in it; neither has gaps.
    """

    __tablename__ = "publications"
    __table_args__ = (
        UniqueConstraint("collection_id", "team_id", "seq"),
        UniqueConstraint("collection_id", "digest"),
    )
    collection_id: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    team_id: int
    seq: int
    digest: bytes = Field(sa_type=LargeBinary)
    key_id: str
    position: int = Field(sa_type=BigInteger, index=True)
    submission_id: int = Field(sa_type=BigInteger, index=True)
    leaf_index: int = Field(sa_type=BigInteger)


class SignedRow(SQLModel, table=True):
    """That a publication lists an object which was here before it; the others are found by their submission."""

    __tablename__ = "signed_objects"
    position: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    collection_id: int
    number: int


class LogLeafRow(SQLModel, table=True):
    """One entry of the transparency log, entered in the transaction of what it tells."""

    __tablename__ = "log_leaves"
    leaf_index: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    entry: bytes = Field(sa_type=LargeBinary)


class LogTileRow(SQLModel, table=True):
    """The hashes of one tile, 32 bytes each, up to 256 of them; a tile that is not full grows in its place."""

    __tablename__ = "log_tiles"
    level: int = Field(primary_key=True)
    number: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    hashes: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(SQLModel, table=True):
    """A checkpoint that this host signed and published."""

    __tablename__ = "log_checkpoints"
    size: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    note: bytes = Field(sa_type=LargeBinary)
    at_us: int = Field(sa_type=BigInteger)


class WitnessRow(SQLModel, table=True):
    """A witness whose cosignatures this host takes and hands out."""

    __tablename__ = "witnesses"
    name: str = Field(primary_key=True)
    verifier: str
    team_id: int | None = Field(default=None, foreign_key="teams.team_id")


class CosignatureRow(SQLModel, table=True):
    """One witness's cosignature line of one checkpoint."""

    __tablename__ = "cosignatures"
    size: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    name: str = Field(primary_key=True)
    line: bytes = Field(sa_type=LargeBinary)
    at_us: int = Field(sa_type=BigInteger)


class ProposalRow(SQLModel, table=True):
    """Something that one person has asked for and that waits for others: what exactly stands in `body`."""

    __tablename__ = "proposals"
    __table_args__ = (
        one_of("kind", "key-list", "post"),
        one_of("state", "open", "approved", "done", "refused", "withdrawn"),
    )
    proposal_id: str = Field(primary_key=True)
    kind: str
    state: str
    team_id: int = Field(foreign_key="teams.team_id", index=True)
    token_id: int = Field(foreign_key="tokens.token_id")
    collection_id: int | None = None
    submission_id: int | None = Field(default=None, sa_type=BigInteger)
    needs: int
    reason: str
    created_us: int = Field(sa_type=BigInteger, index=True)
    expires_us: int = Field(sa_type=BigInteger)
    body: bytes = Field(sa_type=LargeBinary)


class ApprovalRow(SQLModel, table=True):
    """That somebody approved a proposal."""

    __tablename__ = "approvals"
    proposal_id: str = Field(primary_key=True, foreign_key="proposals.proposal_id")
    token_id: int = Field(primary_key=True, foreign_key="tokens.token_id")
    team_id: int
    at_us: int = Field(sa_type=BigInteger)


class PersonRow(SQLModel, table=True):
    """How a person signs in. The row of `tokens` that it stands beside says what they may do, and ends with them.

    `password` is argon2id's own text, empty where the person comes by OpenID Connect alone. `totp` is sealed under the host's
    key; `totp_step` is the last step that was used, so that a code is good once.
    """

    __tablename__ = "people"
    token_id: int = Field(primary_key=True, foreign_key="tokens.token_id")
    login: str = Field(unique=True)
    password: str
    totp: bytes = Field(sa_type=LargeBinary)
    totp_step: int = Field(sa_type=BigInteger)
    oidc_subject: str | None = Field(default=None, unique=True)
    failures: int
    locked_until_us: int = Field(sa_type=BigInteger)


class SessionRow(SQLModel, table=True):
    """Somebody signed in to the console; kept here so that it ends when its token does."""

    __tablename__ = "sessions"
    digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    token_id: int = Field(foreign_key="tokens.token_id", index=True)
    csrf: str
    expires_us: int = Field(sa_type=BigInteger, index=True)
    seen_us: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class AuditRow(SQLModel, table=True):
    """Who did what, when; never what it said. `chain` is the SHA-256 of the row before it and of this one."""

    __tablename__ = "audit"
    audit_id: int | None = Field(default=None, sa_column=Column(Big, primary_key=True))
    at_us: int = Field(sa_type=BigInteger)
    token_id: int | None = None
    team_id: int | None = None
    action: str
    subject: str
    chain: bytes | None = Field(default=None, sa_type=LargeBinary)
