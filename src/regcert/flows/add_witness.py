"""Take the cosignatures of a witness from now on."""

from regcert.clock import Clock
from regcert.domain.verifier_key import NoteKeyKind, read_verifier_key
from regcert.errors import Code, Refusal
from regcert.signing.public_key import read_public_key
from regcert.store.audit import add_audit
from regcert.store.checkpoints import add_witness as add
from regcert.store.database import Database, Tx
from regcert.store.teams import find_team


async def add_witness(database: Database, clock: Clock, name: str, verifier: str, team: str | None) -> None:
    """Enter a witness.

    Args:
        database: where.
        clock: for the audit trail.
        name: of the witness, which its key must name, too.
        verifier: its public key, in the form of signed notes.
        team: slug of the team that runs it; None for somebody who is no team here.

    Raises:
        Refusal: INVALID_SETTING for another key than an Ed25519 cosigner's; UNSAFE_KEY; NOT_FOUND; ALREADY_EXISTS.
    """
    key = read_verifier_key(verifier)
    if key.kind is not NoteKeyKind.COSIGNATURE or key.name != name:
        raise Refusal(Code.INVALID_SETTING, "the key must be a witness's, of type 4, and name the witness; copy both again")
    read_public_key(key.public)
    await database.write(lambda tx: _add(tx, clock.now_us(), name, key.text, team))


async def _add(tx: Tx, at_us: int, name: str, verifier: str, slug: str | None) -> None:
    team = await find_team(tx.connection, slug) if slug else None
    if slug and team is None:
        raise Refusal(Code.NOT_FOUND, "there is no team of that name; 'regcert team list' shows them")
    await tx.run(add(name, verifier, team.team_id if team else None))
    await add_audit(tx, None, at_us, "add-witness", verifier)
