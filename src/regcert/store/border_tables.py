"""The tables of what crosses borders beyond the incidents themselves: what people decided, whom to tell, what goes out.

`store/tables.py` says what holds for every table.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from regcert.store.tables import IN_KEY, Big, one_of


class DecisionRow(SQLModel, table=True):
    """What a coordinator decided; `undone_by` is the place of the decision that took it back, 0 while it holds.

    `countries` are those that a dismissed incident had reached, parted by commas.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("deed", "merge", "split", "pin", "unpin", "dismiss", "restore", "count", "noise", "undo"),
        Index("ix_decisions_in_force", "scope", "undone_by", "position"),
    )
    position: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    decision_id: str = Field(unique=True)
    scope: str
    deed: str
    incident_id: str = Field(index=True)
    with_id: str
    countries: str
    reason: str
    team_id: int = Field(foreign_key="teams.team_id")
    token_id: int = Field(foreign_key="tokens.token_id")
    at_us: int = Field(sa_type=BigInteger)
    undone_by: int = Field(sa_type=BigInteger)


class DecisionValueRow(SQLModel, table=True):
    """A value that a decision is about; of a split, `is_other` are those that stayed where they were."""

    __tablename__ = "decision_values"
    __table_args__ = IN_KEY
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False, index=True))
    is_other: bool


class ProtectedListRow(SQLModel, table=True):
    """What one team protects, as a JSON list of networks and domains, and the place of its last change."""

    __tablename__ = "protected_lists"
    team_id: int = Field(primary_key=True, foreign_key="teams.team_id")
    position: int = Field(sa_type=BigInteger)
    entries: bytes = Field(sa_type=LargeBinary)


class JudgedAnewRow(SQLModel, table=True):
    """A value that correlation must judge anew though nobody said anything of it: a decision or a guard list has changed."""

    __tablename__ = "judged_anew"
    __table_args__ = IN_KEY
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    scope: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))


class BlindTryRow(SQLModel, table=True):
    """That a value which a team brought was compared with other circles on a day; `told` if somebody holds it there.

    A team's rows of one day are what it has used of its bound; none is older than 30 days.
    """

    __tablename__ = "blind_tries"
    __table_args__ = (Index("ix_blind_tries_day", "day", "team_id"), IN_KEY)
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    team_id: int = Field(primary_key=True)
    day: int
    told: bool


class BlindMatchRow(SQLModel, table=True):
    """A value that circles hold which do not see each other; `asked_us` and `forwarded_us` are 0 until it is done."""

    __tablename__ = "blind_matches"
    __table_args__ = (one_of("end_reason", "expired", "withdrawn", "closed"),)
    match_id: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary(16), nullable=False, index=True))
    asked_us: int = Field(sa_type=BigInteger, index=True)
    forwarded_us: int = Field(sa_type=BigInteger)
    closes_us: int = Field(sa_type=BigInteger)
    end_reason: str


class BlindSideRow(SQLModel, table=True):
    """One team's side of a blind match, in one circle; `objects` are the ids that it put forward, as JSON."""

    __tablename__ = "blind_sides"
    __table_args__ = (
        one_of("stance", "silent", "asked", "agreed", "refused"),
        Index("ix_blind_sides_told", "team_id", "told_us", "match_id"),
        IN_KEY,
    )
    match_id: str = Field(primary_key=True, foreign_key="blind_matches.match_id")
    team_id: int = Field(primary_key=True, foreign_key="teams.team_id")
    scope: str = Field(primary_key=True)
    told_us: int = Field(sa_type=BigInteger)
    marking: int
    stance: str
    objects: bytes = Field(sa_type=LargeBinary)


class BlindStepRow(SQLModel, table=True):
    """One step of the dialogue about a blind match; rows are only added. The host's own steps name no team."""

    __tablename__ = "blind_steps"
    __table_args__ = (one_of("deed", "tell", "ask", "forward", "agree", "refuse", "close", "withdraw"), IN_KEY)
    match_id: str = Field(primary_key=True, foreign_key="blind_matches.match_id")
    number: int = Field(primary_key=True)
    at_us: int = Field(sa_type=BigInteger)
    team_id: int | None = Field(default=None, foreign_key="teams.team_id")
    token_id: int | None = Field(default=None, foreign_key="tokens.token_id")
    deed: str
    note: str


class ArrivalRow(SQLModel, table=True):
    """When a value that crosses came to a country that has a word of its own for it; `told` if a story tells of it."""

    __tablename__ = "arrivals"
    __table_args__ = (Index("ix_arrivals_moment", "scope", "country", "first_us", "told"), IN_KEY)
    scope: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    country: str = Field(primary_key=True)
    first_us: int = Field(sa_type=BigInteger)
    told: bool


class FormerMemberRow(SQLModel, table=True):
    """Which incident a value belonged to before the ledger was read anew; empty but for that time."""

    __tablename__ = "former_members"
    __table_args__ = IN_KEY
    scope: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    incident_id: str


class AlertRow(SQLModel, table=True):
    """What a team was told; `number` is its place among the team's alerts, and the time in microseconds when it was told.

    `evidence` is what the scope showed then; `seen_us` is NULL until somebody of the team has seen it.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        one_of("kind", "crossing", "sighted", "approaching"),
        Index("ix_alerts_unseen", "team_id", "scope", "number", sqlite_where=text("seen_us IS NULL"),
              postgresql_where=text("seen_us IS NULL")),
        IN_KEY,
    )  # fmt: skip
    team_id: int = Field(primary_key=True, foreign_key="teams.team_id")
    scope: str = Field(primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False, index=True))
    kind: str
    marking: int
    seen_us: int | None = Field(default=None, sa_type=BigInteger)
    evidence: bytes = Field(sa_type=LargeBinary)


class ToldRow(SQLModel, table=True):
    """That a team was told something of a value or an incident, and by which alert; so it is told once.

    `other_id` is the team that saw a value, and 0 for the other kinds.
    """

    __tablename__ = "told"
    __table_args__ = IN_KEY
    subject: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    scope: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    other_id: int = Field(primary_key=True)
    team_id: int = Field(primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))


class OutgoingRow(SQLModel, table=True):
    """An incident of a scope in which the host publishes what it found, and how far that is done.

    `noted` counts the changes that correlation has noted, `due_us` is when to look again, NULL where nothing is left to do.
    `shape` is a digest of what is news in an incident, since `shape_us`; `is_report` tells that it was steady once.
    """

    __tablename__ = "outgoing"
    __table_args__ = (
        Index("ix_outgoing_due", "due_us", sqlite_where=text("due_us IS NOT NULL"), postgresql_where=text("due_us IS NOT NULL")),
    )
    incident_id: str = Field(primary_key=True)
    scope: str
    noted: int = Field(sa_type=BigInteger)
    due_us: int | None = Field(default=None, sa_type=BigInteger)
    looked_us: int = Field(sa_type=BigInteger)
    issued_us: int = Field(sa_type=BigInteger)
    shape: bytes = Field(sa_type=LargeBinary)
    shape_us: int = Field(sa_type=BigInteger)
    is_report: bool


class IssuedRow(SQLModel, table=True):
    """One object that the host published as the centre; `domain/issued.py` says what the columns mean.

    `key` is the value that an indicator is about: who reports that it was seen saw that value.
    """

    __tablename__ = "issued"
    collection_id: int = Field(primary_key=True)
    handle: str = Field(primary_key=True)
    stix_id: str = Field(index=True)
    incident_id: str = Field(index=True)
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    generation: int
    created_us: int = Field(sa_type=BigInteger)
    version_us: int = Field(sa_type=BigInteger)
    digest: bytes = Field(sa_type=LargeBinary)
    marking: int
    revoked: bool


class DerivationRow(SQLModel, table=True):
    """That a value of a scope stands in another one: a URL in its host, a host in its domain, an address in its network."""

    __tablename__ = "derivations"
    __table_args__ = IN_KEY
    scope: str = Field(primary_key=True)
    parent: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    child: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
