"""The tables of incidents: what correlation made of the ledger, which it could make again.

`store/tables.py` says what holds for every table.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, false, text
from sqlmodel import Field, SQLModel

from regcert.store.tables import IN_KEY


class ActivityRow(SQLModel, table=True):
    """How much a team told within a scope about one day, by event time."""

    __tablename__ = "activity"
    scope: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    team_id: int = Field(primary_key=True)
    published: int
    sighted: int


class IncidentRow(SQLModel, table=True):
    """An incident as last assessed; `rank` orders pages and does not change as time passes.

    `standing` is 1 for one that is pinned and stands before all others, -1 for one that is dismissed and listed apart.
    """

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_page", "scope", "standing", "rank", "incident_id"),)
    incident_id: str = Field(primary_key=True)
    scope: str
    rank: float
    summary: bytes = Field(sa_type=LargeBinary)
    standing: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class MemberRow(SQLModel, table=True):
    """Which incident a value belongs to, within a scope."""

    __tablename__ = "incident_members"
    __table_args__ = IN_KEY
    scope: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    incident_id: str = Field(foreign_key="incidents.incident_id", index=True)


class AbsorbedRow(SQLModel, table=True):
    """Where an incident went that was merged into another; its address still answers."""

    __tablename__ = "absorbed_incidents"
    incident_id: str = Field(primary_key=True)
    scope: str
    into_id: str


class HeldBackRow(SQLModel, table=True):
    """A value that several countries hold and that makes no incident, and why: a word, and the sentence for people.

    `wide` is one that most teams of the scope hold.
    """

    __tablename__ = "held_back"
    __table_args__ = (Index("ix_held_back_page", "scope", "held", "kind", "key"),)
    scope: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    countries: str
    reason: str
    held: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    kind: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    wide: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class CorrelatedRow(SQLModel, table=True):
    """One row: the position up to which correlation has read the ledger."""

    __tablename__ = "correlated"
    mark_id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
