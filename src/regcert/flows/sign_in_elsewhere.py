"""Let somebody in whom an OpenID provider knows: sent there with a question, and believed only with the answer to that question.

The question is kept by the browser itself, in a sealed cookie: its state, so that nobody can be made to end a sign-in that they
did not begin; its nonce, so that the token is of this sign-in; its verifier, so that a code that leaks is worth nothing. Each
question is answered once.

Spec: OpenID Connect Core 1.0 §3.1, RFC 7636 (S256), RFC 9207
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from regcert.clock import SECOND_US, Clock
from regcert.domain.whence import Whence
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import find_principal
from regcert.flows.sign_in import open_session
from regcert.identity.id_tokens import account, read_id_token, read_keys
from regcert.identity.sealing import seal, unseal
from regcert.outbound.openid import Provider
from regcert.policy.permissions import Permission, may
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.people import find_person_of

QUESTION_S = 600
MOST_SPENT = 20_000
_PURPOSE = "openid question"
_MOST_CHARACTERS = 4096


class _Question(msgspec.Struct, frozen=True):
    """What was asked."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    ends_us: int


@dataclass(frozen=True, slots=True)
class SideDoor:
    """The way in through a provider.

    Args:
        provider: whom we ask.
        key: seals questions, 32 bytes.
        label: what people call the provider.
        spent: the states that were answered, and until when they would have been good.
    """

    provider: Provider
    key: bytes
    label: str
    spent: OrderedDict[str, int] = field(default_factory=OrderedDict)


@dataclass(frozen=True, slots=True)
class Brought:
    """What the browser brings back.

    Args:
        cookie: the sealed question.
        state: that the provider hands back.
        code: that stands for somebody.
        issuer: which provider says so, where it says.
    """

    cookie: str
    state: str
    code: str
    issuer: str | None


async def ask_elsewhere(clock: Clock, door: SideDoor, redirect_uri: str) -> tuple[str, str]:
    """Make a question.

    Returns:
        Where to send the browser, and the cookie that it shall keep.

    Raises:
        Refusal: BUSY where the provider does not answer.
    """
    address = await door.provider.find_endpoint("authorization_endpoint")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    question = _Question(state, nonce, verifier, redirect_uri, clock.now_us() + QUESTION_S * SECOND_US)
    digest = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "scope": "openid",
        "client_id": door.provider.ours.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "nonce": nonce,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    sealed = seal(door.key, _PURPOSE, msgspec.json.encode(question))
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", urlsafe_b64encode(sealed).decode()


async def sign_in_elsewhere(
    database: Database, clock: Clock, door: SideDoor, brought: Brought, whence: Whence, before: str | None = None
) -> str:
    """Open a session for somebody whom the provider knows and whom the operator linked to a login here.

    Args:
        database: where.
        clock: what time it is.
        door: the way in.
        brought: what the browser brings back.
        whence: where from.
        before: the secret of the session that the browser has already, which ends; None where it has none.

    Returns:
        The session's secret, for the cookie.

    Raises:
        Refusal: UNAUTHENTICATED, with one sentence for every reason; BUSY where the provider does not answer.
    """
    now_us = clock.now_us()
    question = _open_question(door, brought, now_us)
    ours = door.provider.ours
    token = await door.provider.redeem(brought.code, question.verifier, question.redirect_uri)
    subject = await _read_subject(door, token, question.nonce, now_us)

    async def work(tx: Tx) -> str | None:
        found = await tx.run(find_person_of(account(ours.issuer, subject)))
        principal = find_principal(found[1], now_us, whence) if found else None
        if principal is not None and may(principal, Permission.USE_CONSOLE):
            return await open_session(tx, now_us, principal, before)
        await add_audit(tx, None, now_us, "sign-in-refused", f"{found[0].token_id if found else 'nobody'} from {whence.address}")
        return None

    secret = await database.write(work)
    if secret is None:
        raise _refused()
    return secret


async def _read_subject(door: SideDoor, token: str, nonce: str, now_us: int) -> str:
    """Read a token; where no key fits, the provider may have new ones."""
    ours = door.provider.ours
    for fresh in (False, True):
        document = await door.provider.get_keys(fresh=fresh)
        try:
            keys = read_keys(document)
            return read_id_token(token, keys, issuer=ours.issuer, client_id=ours.client_id, nonce=nonce, now_us=now_us)
        except Refusal:
            if fresh:
                raise
    raise _refused()


def _open_question(door: SideDoor, brought: Brought, now_us: int) -> _Question:
    """Open the question that an answer belongs to, once."""
    if max(map(len, (brought.cookie, brought.state, brought.code))) > _MOST_CHARACTERS or not brought.code:
        raise _refused()
    try:
        opened = unseal(door.key, _PURPOSE, urlsafe_b64decode(brought.cookie.encode("ascii", "replace")))
    except ValueError as error:
        raise _refused() from error
    if opened is None or brought.issuer not in {None, door.provider.ours.issuer}:
        raise _refused()
    question = msgspec.json.decode(opened, type=_Question)
    if question.ends_us <= now_us or not hmac.compare_digest(question.state.encode(), brought.state.encode("utf-8", "replace")):
        raise _refused()
    if question.state in door.spent:
        raise _refused()
    door.spent[question.state] = question.ends_us
    while len(door.spent) > MOST_SPENT:  # the provider itself takes each code once, too
        door.spent.popitem(last=False)
    return question


def _refused() -> Refusal:
    return Refusal(Code.UNAUTHENTICATED, "this sign-in holds no more, or opens nothing here; begin it again")
