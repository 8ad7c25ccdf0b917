"""List what was decided about an incident: its history, for everybody who sees the incident."""

from regcert.domain.decision import Decided
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database
from regcert.store.decisions import list_history, load_members, load_scopes
from regcert.store.incidents import load_incident
from regcert.store.programs import Program


async def list_decisions(database: Database, principal: Principal, incident_id: str) -> list[Decided]:
    """List what was decided about an incident and its values, the newest first, at most 200 decisions.

    Args:
        database: where from.
        principal: on whose behalf.
        incident_id: about which incident.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND where there is none of that id for the principal.
    """
    require(principal, Permission.SEE_INCIDENTS)
    return await database.run(_list(principal, incident_id))


def _list(principal: Principal, incident_id: str) -> Program[list[Decided]]:
    incident = yield from load_incident((yield from load_scopes(principal)), incident_id)
    if incident is None:
        raise Refusal(Code.NOT_FOUND, "there is no such incident")
    keys = yield from load_members(incident.scope, {incident.incident_id})
    return (yield from list_history(incident.scope, incident.incident_id, keys.keys()))
