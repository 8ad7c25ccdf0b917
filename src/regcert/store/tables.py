"""The tables, as SQLModel classes; their rows are read and written through SQLAlchemy Core on every hot path.

Conventions: times are microseconds since the epoch (`_us`), UTC. Words are strings with a CHECK rather than enum types, which
PostgreSQL cannot migrate in both directions. No contrib extension is needed. Bytes that came in are stored as bytes: JSONB
reorders, and refuses what JSON allows.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
METADATA: MetaData = SQLModel.metadata

STIX_MEDIA_TYPE = "application/stix+json;version=2.1"
LARGE_OBJECT_BYTES = 32 * 1024
LARGE = f"length(body) > {LARGE_OBJECT_BYTES}"
PUBLISHED = "said = 'published'"
# AMBER+STRICT and RED: who reads such an object is written down.
STRICT = "marking >= 3"

# What sightings name besides values, and those that no mention stands for.
NAMED = "indicator_id IS NOT NULL"
EXPIRED = "kind = 'expired' AND key IS NOT NULL"

# SQLite keeps a table in the order of an INTEGER key and of no other type.
Big = BigInteger().with_variant(Integer, "sqlite")

# The rows stand in the order of the primary key, which is then no second tree beside the table: half the pages to write.
IN_KEY = {"sqlite_with_rowid": False}


def one_of(column: str, *words: str) -> CheckConstraint:
    """Constrain a string column to a closed list of words."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in words)})", name=column)


class HostFact(SQLModel, table=True):
    """What this host knows about itself: its region, footnotes, the sightings collection. A short JSON text a name."""

    __tablename__ = "host_facts"
    name: str = Field(primary_key=True)
    value: str


class HostOrder(SQLModel, table=True):
    """One row: the last position given away. Locking it is the host's order lock.

    `rights` counts the changes of teams, collections, API roots and tokens: what a process remembers of these holds as long as
    the number stands. `alerts` is the last number that an alert was given.
    """

    __tablename__ = "host_order"
    order_id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    rights: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    alerts: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class TeamRow(SQLModel, table=True):
    """A team."""

    __tablename__ = "teams"
    __table_args__ = (one_of("kind", "national", "government", "academic", "sectoral", "coordination", "constituent"),)
    team_id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    country: str
    kind: str
    identity_id: str = Field(unique=True)
    website: str


class ApiRootRow(SQLModel, table=True):
    """An API root of this host; `place` 1 is the default of discovery."""

    __tablename__ = "api_roots"
    slug: str = Field(primary_key=True)
    place: int = Field(unique=True)
    title: str
    description: str


class CollectionRow(SQLModel, table=True):
    """A collection; `read_all` and `write_all` include teams that join later.

    `changed` is the place of the last addition or deletion in it: as long as it stands, every answer about it stands.
    `media_types` are parted by commas. `blind` is known to its readers, and tags its publications in the log.
    By `centre_token`, which nobody holds, the host publishes what crosses borders there; NULL where it does not.
    """

    __tablename__ = "collections"
    __table_args__ = (one_of("signature", "accepted", "required"),)
    collection_id: int | None = Field(default=None, primary_key=True)
    uuid: str = Field(unique=True)
    slug: str = Field(unique=True)
    api_root: str
    title: str
    description: str
    ceiling: int
    signature: str
    scope: str
    read_all: bool
    write_all: bool
    changed: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    media_types: str = Field(default=STIX_MEDIA_TYPE, sa_column_kwargs={"server_default": STIX_MEDIA_TYPE})
    blind: bytes | None = Field(default=None, sa_type=LargeBinary)
    centre_token: int | None = None
    blind_matching: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class AccessRow(SQLModel, table=True):
    """What one team may do in one collection that is not open to all."""

    __tablename__ = "collection_access"
    collection_id: int = Field(primary_key=True, foreign_key="collections.collection_id")
    team_id: int = Field(primary_key=True, foreign_key="teams.team_id", index=True)
    can_read: bool
    can_write: bool


class TokenRow(SQLModel, table=True):
    """A token, as its SHA-256; the token itself was shown once and is nowhere.

    `client` names its profile, `networks` are those that it is good from, parted by commas, and `certificate`
    is the SHA-256 of the client certificate that it must come with, in hexadecimal. A person is a token that nobody holds.
    `made_by` is the token of the operator's making that this one goes back to, NULL for one that the operator made.
    """

    __tablename__ = "tokens"
    __table_args__ = (one_of("role", "analyst", "consumer", "coordinator", "admin"),)
    token_id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="teams.team_id")
    role: str
    name: str
    digest: bytes = Field(sa_column=Column(LargeBinary(32), unique=True, nullable=False))
    created_us: int = Field(sa_type=BigInteger)
    expires_us: int | None = Field(default=None, sa_type=BigInteger)
    revoked_us: int | None = Field(default=None, sa_type=BigInteger)
    client: str | None = None
    networks: str | None = None
    certificate: str | None = None
    used_us: int | None = Field(default=None, sa_type=BigInteger)
    made_by: int | None = None


class TokenCollectionRow(SQLModel, table=True):
    """The collections a token is narrowed to; none means all of its team's."""

    __tablename__ = "token_collections"
    token_id: int = Field(primary_key=True, foreign_key="tokens.token_id")
    collection_id: int = Field(primary_key=True, foreign_key="collections.collection_id")


class SubmissionRow(SQLModel, table=True):
    """One accepted POST and its TAXII status, rendered once."""

    __tablename__ = "submissions"
    submission_id: int | None = Field(default=None, sa_column=Column(Big, primary_key=True))
    status_uuid: str = Field(unique=True)
    api_root: str
    collection_id: int = Field(foreign_key="collections.collection_id")
    token_id: int = Field(foreign_key="tokens.token_id")
    received_us: int = Field(sa_type=BigInteger, index=True)
    status: bytes = Field(sa_type=LargeBinary)


class SpoolRow(SQLModel, table=True):
    """Some objects of a large body: `piece` is an envelope of them until somebody looks, and then what became of each."""

    __tablename__ = "spool"
    submission_id: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    number: int = Field(primary_key=True)
    objects: int
    refused: int
    done: bool
    piece: bytes = Field(sa_type=LargeBinary)


class ObjectRow(SQLModel, table=True):
    """One version of one object in one collection.

    `position` is both its place in the host's order and its TAXII `date_added`. `superseded_by` is the largest position among
    newer versions, 0 where there is none: a poller who starts after A is shown the row exactly if `superseded_by <= A`. Rows
    with `superseded_by >= position` are hidden from every such poller, and from the index that pages are read from. An object
    without a version has `version_us` 0, so that it can stand here only once. The index of large objects says where a page
    may become too large to be joined unseen.
    """

    __tablename__ = "objects"
    __table_args__ = (
        UniqueConstraint("collection_id", "stix_id", "version_us"),
        Index("ix_objects_page", "collection_id", "position", sqlite_where=text("superseded_by < position"),
              postgresql_where=text("superseded_by < position")),
        Index("ix_objects_page_of_type", "collection_id", "type", "position"),
        Index("ix_objects_all_versions", "collection_id", "position"),
        Index("ix_objects_withdrawn", "collection_id", "position", sqlite_where=text("revoked"),
              postgresql_where=text("revoked")),
        Index("ix_objects_strict", "collection_id", "position", sqlite_where=text(STRICT), postgresql_where=text(STRICT)),
        Index("ix_objects_large", "collection_id", "position", sqlite_where=text(LARGE), postgresql_where=text(LARGE)),
    )  # fmt: skip
    position: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    collection_id: int
    stix_id: str
    type: str
    version: str
    version_us: int = Field(sa_type=BigInteger)
    superseded_by: int = Field(sa_type=BigInteger)
    team_id: int
    author: str
    vouched: str
    marking: int
    revoked: bool
    submission_id: int = Field(sa_type=BigInteger)
    digest: bytes = Field(sa_type=LargeBinary)
    body: bytes = Field(sa_type=LargeBinary)


class MarkingRow(SQLModel, table=True):
    """A marking definition somebody published: which step it stands for, or -1 for a statement that restricts nothing."""

    __tablename__ = "markings"
    collection_id: int = Field(primary_key=True)
    stix_id: str = Field(primary_key=True)
    tlp: int


class TombstoneRow(SQLModel, table=True):
    """A version that its owner deleted, and the place where it `was`; correlation forgets what it held.

    `undone` is one that the same token had posted within the hour: that is a correction, and no withdrawal.
    """

    __tablename__ = "tombstones"
    position: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    collection_id: int
    stix_id: str
    version: str
    team_id: int
    was: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    undone: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class ObservableRow(SQLModel, table=True):
    """A value, once; `key` is the first 16 bytes of the SHA-256 of its kind and text."""

    __tablename__ = "observables"
    __table_args__ = IN_KEY
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    kind: str
    value: str


class MentionRow(SQLModel, table=True):
    """That an object names a value; for sightings, that one names it directly or through an indicator.

    `first_us` is NULL where nothing tells when: such a mention can be found, but correlates with nothing. The index finds a
    value's newest mentions by each team, so that a team that floods hides nobody else's.
    """

    __tablename__ = "mentions"
    __table_args__ = (
        one_of("said", "published", "positive", "negative", "false-positive"),
        Index("ix_mentions_key", "key", "collection_id", "team_id", "position"),
        # What names a value is asked for at every look, and most mentions of a value only say that it was seen.
        Index("ix_mentions_published", "key", "collection_id", sqlite_where=text(PUBLISHED), postgresql_where=text(PUBLISHED)),
        IN_KEY,
    )
    position: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    collection_id: int
    stix_id: str
    team_id: int
    origin: str
    said: str
    count: int = Field(sa_type=BigInteger)
    first_us: int | None = Field(sa_type=BigInteger)
    last_us: int | None = Field(sa_type=BigInteger)
    marking: int


class TieRow(SQLModel, table=True):
    """That an object in a collection says a member belongs to a context (a report, a campaign), as long as it is in force.

    `position` is the object's place: a mention and a tie go with the version that made them.
    """

    __tablename__ = "ties"
    __table_args__ = IN_KEY
    member_id: str = Field(primary_key=True)
    context_id: str = Field(primary_key=True, index=True)
    collection_id: int = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False, index=True))


class SightingRow(SQLModel, table=True):
    """One report in the ledger of sightings: append-only, once for each team and report id.

    `key` is the value that it names. Else `indicator_id` is what it names: the STIX id of an indicator or of anything else, or an
    ATT&CK technique. `origin` is whose word it is, NULL for the team's own. Few name no value: their indexes are partial.
    """

    __tablename__ = "sightings"
    __table_args__ = (
        UniqueConstraint("team_id", "report_id"),
        one_of("kind", "positive", "negative", "false-positive", "expired"),
        Index("ix_sightings_named", "indicator_id", "collection_id", "team_id", "position",
              sqlite_where=text(NAMED), postgresql_where=text(NAMED)),
        Index("ix_sightings_expired", "key", "collection_id", "team_id", "position",
              sqlite_where=text(EXPIRED), postgresql_where=text(EXPIRED)),
    )  # fmt: skip
    position: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    collection_id: int
    team_id: int
    report_id: str
    kind: str
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    indicator_id: str | None = None
    count: int = Field(sa_type=BigInteger)
    first_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    sector: str | None = None
    marking: int
    origin: str | None = None


class HoldingRow(SQLModel, table=True):
    """What one team says about one value, through one origin, within one scope, summed; `signed` if it signed for an object."""

    __tablename__ = "holdings"
    __table_args__ = IN_KEY
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    scope: str = Field(primary_key=True)
    team_id: int = Field(primary_key=True)
    origin: str = Field(primary_key=True)
    first_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    published: bool
    positives: int = Field(sa_type=BigInteger)
    negatives: int = Field(sa_type=BigInteger)
    false_positive: bool
    marking: int
    signed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


def table(row: type[SQLModel]) -> Table:
    """Return the Core table behind a SQLModel class."""
    return METADATA.tables[str(row.__tablename__)]
