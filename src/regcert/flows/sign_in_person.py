"""Let a person in: name, password and the code from their telephone, all three or nothing.

Whoever is not let in learns nothing from it: one sentence whatever was wrong, one duration whether or not the name is known, and
the same wait for a name that nobody has.
"""

from dataclasses import dataclass, field

from regcert.clock import SECOND_US, Clock
from regcert.domain.principal import Principal
from regcert.domain.whence import Whence
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import find_principal
from regcert.flows.hash_password import Hashing
from regcert.flows.sign_in import open_session
from regcert.identity.attempts import FREE_BY_ADDRESS, FREE_BY_NAME, Attempts, Failures
from regcert.identity.networks import holder_of
from regcert.identity.one_time_codes import find_step
from regcert.identity.passwords import is_outdated
from regcert.identity.sealing import unseal
from regcert.policy.permissions import Permission, may
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.people import Person, find_person, keep_password, note_failure, use_code
from regcert.store.tokens import Known

_MOST_LOGIN = 64
_NO_SECRET = bytes(20)


@dataclass(frozen=True, slots=True)
class Door:
    """What stands at a host's door.

    Args:
        totp_key: opens the secrets of people's codes, 32 bytes.
        attempts: who failed how often.
        hashing: room for it.
    """

    totp_key: bytes
    attempts: Attempts = field(default_factory=Attempts)
    hashing: Hashing = field(default_factory=Hashing)


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody typed.

    Args:
        login: their name.
        password: their password.
        code: six digits.
    """

    login: str
    password: str
    code: str


class TooManyAttempts(Refusal):
    """Nothing that is tried now is looked at.

    Args:
        wait_s: for how long.
    """

    def __init__(self, wait_s: int) -> None:
        super().__init__(Code.TOO_MANY_ATTEMPTS, "too many attempts to sign in; wait a while before the next one")
        self.wait_s = wait_s


async def sign_in_person(
    database: Database, clock: Clock, door: Door, shown: Shown, whence: Whence, before: str | None = None
) -> str:
    """Open a session for a person.

    1. Whoever has failed too often waits: nothing is looked at. The attempt counts before it is judged, so that many at the
       same moment are many.
    2. The password is compared, with nobody's where the name is unknown; so is the code.
    3. In one transaction, the code is used up and the session opened, or the failure counted.

    Args:
        database: where.
        clock: what time it is.
        door: of this host.
        shown: what was typed.
        whence: where from.
        before: the secret of the session that the browser has already, which ends; None where it has none.

    Returns:
        The session's secret, for the cookie.

    Raises:
        Refusal: UNAUTHENTICATED, TOO_MANY_ATTEMPTS, BUSY.
    """
    login, now_us = spell_login(shown.login), clock.now_us()
    found = await database.run(find_person(login))
    _charge(door.attempts, found[0] if found else None, login, whence, now_us)  # 1
    person, known = found or (Person(0, login, "", b"", 0, Failures()), None)
    try:
        is_right = await door.hashing.is_password(person.password, shown.password)  # 2
    except Refusal:
        _pardon(door.attempts, login, whence, now_us)
        raise
    step = _find_step(door, person, shown.code, now_us)
    principal = _find_principal(known, now_us, whence)

    async def work(tx: Tx) -> str | None:  # 3
        if is_right and step is not None and principal is not None and await tx.run(use_code(person.token_id, step)):
            return await open_session(tx, now_us, principal, before)
        await tx.run(note_failure(login, now_us, FREE_BY_NAME))
        await add_audit(tx, None, now_us, "sign-in-refused", f"{person.token_id or 'nobody'} from {whence.address}")
        return None

    secret = await database.write(work)
    if secret is None:
        raise refused()
    door.attempts.forget(_name(login))
    door.attempts.forgive(_address(whence), now_us)
    if is_outdated(person.password):
        kept = await door.hashing.hash_password(shown.password)
        await database.apply(lambda _: keep_password(person.token_id, kept))
    return secret


def refused() -> Refusal:
    """Say no, in the one sentence that there is for it."""
    return Refusal(Code.UNAUTHENTICATED, "name, password or code is wrong, or nobody is let in by them any more")


def spell_login(login: str) -> str:
    """Spell a login in one way."""
    return login[:_MOST_LOGIN].strip().lower().replace("\0", "").encode("utf-8", "replace").decode()


def _charge(attempts: Attempts, person: Person | None, login: str, whence: Whence, now_us: int) -> None:
    waits_us = (
        attempts.left_us(_name(login), now_us),
        attempts.left_us(_address(whence), now_us),
        person.failures.left_us(now_us) if person else 0,
    )
    if any(waits_us):
        raise TooManyAttempts(-(-max(waits_us) // SECOND_US))
    attempts.fail(_name(login), now_us, FREE_BY_NAME)
    attempts.fail(_address(whence), now_us, FREE_BY_ADDRESS)


def _pardon(attempts: Attempts, login: str, whence: Whence, now_us: int) -> None:
    attempts.forgive(_name(login), now_us)
    attempts.forgive(_address(whence), now_us)


def _find_step(door: Door, person: Person, code: str, now_us: int) -> int | None:
    secret = unseal(door.totp_key, totp_purpose(person.token_id), person.totp)
    step = find_step(secret or _NO_SECRET, code, now_us, person.totp_step)
    return None if secret is None else step


def _find_principal(known: Known | None, now_us: int, whence: Whence) -> Principal | None:
    principal = find_principal(known, now_us, whence)
    return principal if principal is not None and may(principal, Permission.USE_CONSOLE) else None


def totp_purpose(token_id: int) -> str:
    """Name what a sealed secret is for: it cannot be moved to somebody else's row."""
    return f"totp {token_id}"


def _name(login: str) -> str:
    return f"name {login}"


def _address(whence: Whence) -> str:
    return f"address {holder_of(whence.address)}"
