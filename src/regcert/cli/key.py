"""The commands of a team's keys. Private keys are made and used here, and never leave the machine."""

# ruff: noqa: PLC0415, PLR0917
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regcert.cli.ceremony import Desk, ask_passphrase, fetch_chain, open_key, remember, send_next, spoken, write_key
from regcert.cli.client import AsJson, Server, Token
from regcert.cli.printing import print_json, print_table, tell
from regcert.clock import DAY_US, SystemClock
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regcert.domain.key_list import KeyList, TeamKey
    from regcert.outbound.keys import Chain, Taken

Team = Annotated[str, typer.Option(metavar="SLUG", help="Your team's short name on the host.")]
Root = Annotated[Path, typer.Option(metavar="FILE", help="The root key that signs the list.")]
KeyId = Annotated[str, typer.Option(metavar="HEX", help="The key's fingerprint, or its first digits, at least eight.")]
Days = Annotated[int, typer.Option(min=1, max=400, help="How long the new list is good for.")]
Seen = Annotated[Path | None, typer.Option(metavar="FILE", help="Remembers the newest list; an older one is refused then.")]
_LOCAL = "http://127.0.0.1:8080"
_USUAL_DAYS = 365
_WARN_US = 30 * DAY_US
_FEWEST_DIGITS = 8


def new(
    team: Team,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new or empty folder.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Protect each file; asked, or REGCERT_KEY_PASSPHRASE.")
    ] = False,
    no_root: Annotated[bool, typer.Option("--no-root", help="A signing key alone, to rotate to.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a root key and a signing key; nothing is sent anywhere."""
    from regcert.signing.private_key import new_private_key

    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{out.name} cannot be made: {error.strerror}; choose another folder") from error
    made = {}
    for name in ("signing",) if no_root else ("root", "signing"):
        secret = ask_passphrase(f"{name}.pem", twice=True) if passphrase else None
        key = new_private_key()
        write_key(out / f"{name}.pem", key, secret)
        made[name] = key.public.key_id
    if as_json:
        print_json({"team": team, **{name: {"key_id": key_id, "file": f"{name}.pem"} for name, key_id in made.items()}})
        return
    print_table(
        ("key", "file", "fingerprint, to be read out"), ((name, f"{name}.pem", spoken(key_id)) for name, key_id in made.items())
    )
    tell(f"Made for {team}; nobody else has them, and nobody can make them again.")
    if not no_root:
        tell("root.pem says which keys the team has: keep it on two sticks in two safes, and on no machine.")


def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A private key.")], as_json: AsJson = False) -> None:
    """Show a key's fingerprint."""
    key_id = open_key(file).public.key_id
    if as_json:
        print_json({"file": file.name, "key_id": key_id, "spoken": spoken(key_id)})
    else:
        print_table(("file", "fingerprint, to be read out"), [(file.name, spoken(key_id))])


def enrol(
    root: Root,
    key: Annotated[Path, typer.Option(metavar="FILE", help="The signing key.")],
    team: Team,
    valid_days: Days = _USUAL_DAYS,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Send the team's first key list: one root key, one signing key."""
    from regcert.domain.key_list import team_key

    desk = Desk(server, token, team, seen)
    rooted, signing = open_key(root), open_key(key)
    chain = fetch_chain(desk, None)
    if chain.newest is not None:
        raise Refusal(Code.ALREADY_EXISTS, "your team has a key list already; 'regcert key rotate' adds a key to it")
    taken = send_next(desk, chain, rooted, lambda _: (team_key(signing.public.raw),), [rooted, signing], valid_days=valid_days)
    _answer(desk, chain.team, taken, as_json)


def rotate(
    root: Root,
    new: Annotated[Path, typer.Option(metavar="FILE", help="The new signing key.")],
    team: Team,
    valid_days: Days = _USUAL_DAYS,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Add a new signing key; the old one stays good until you retire it."""
    from regcert.domain.key_list import team_key

    desk = Desk(server, token, team, seen)
    rooted, signing = open_key(root), open_key(new)
    chain = fetch_chain(desk, rooted)
    newest = _require_list(chain.newest)
    if any(one.public == signing.public.raw for one in newest.keys):
        raise Refusal(Code.ALREADY_EXISTS, "this key is in the list already; make a new one with 'regcert key new'")
    taken = send_next(desk, chain, rooted, lambda keys: (*keys, team_key(signing.public.raw)), [signing], valid_days=valid_days)
    _answer(desk, chain.team, taken, as_json)


def retire(
    root: Root,
    key_id: KeyId,
    team: Team,
    valid_days: Days = _USUAL_DAYS,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """End a key that nobody stole: what it signed stays good, and it signs no more."""
    from regcert.domain.key_list import KeyReason, KeyStatus

    desk = Desk(server, token, team, seen)
    _end_key(desk, root, key_id, {"status": KeyStatus.RETIRED, "reason": KeyReason.SUPERSEDED}, valid_days, as_json)


def revoke(
    root: Root,
    key_id: KeyId,
    team: Team,
    compromised_since: Annotated[
        str | None, typer.Option(metavar="TS", help="When others may first have held it, RFC 3339; left out, nobody knows.")
    ] = None,
    superseded: Annotated[bool, typer.Option("--superseded", help="Nobody else ever held it.")] = False,
    valid_days: Days = _USUAL_DAYS,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """End a key that others hold, or may hold."""
    from regcert.domain.key_list import KeyReason, KeyStatus
    from regcert.stix.timestamps import read_timestamp

    if superseded and compromised_since is not None:
        raise Refusal(Code.MALFORMED_REQUEST, "a key was either superseded or compromised; say one of them")
    since_us = None if compromised_since is None else read_timestamp(compromised_since)
    reason = KeyReason.SUPERSEDED if superseded else KeyReason.COMPROMISED
    desk = Desk(server, token, team, seen)
    change = {"status": KeyStatus.REVOKED, "reason": reason, "compromised_since_us": since_us}
    _end_key(desk, root, key_id, change, valid_days, as_json)


def renew(
    root: Root,
    team: Team,
    valid_days: Days = _USUAL_DAYS,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Sign the list again before it expires; its keys stay as they are."""
    desk = Desk(server, token, team, seen)
    rooted = open_key(root)
    chain = fetch_chain(desk, rooted)
    _require_list(chain.newest)
    _answer(desk, chain.team, send_next(desk, chain, rooted, lambda keys: keys, valid_days=valid_days), as_json)


def change_root(
    root: Root,
    new: Annotated[Path, typer.Option(metavar="FILE", help="The new root key.")],
    team: Team,
    valid_days: Days = _USUAL_DAYS,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Hand the list over to a new root key; both sign, and other teams approve as they did the first list."""
    desk = Desk(server, token, team, seen)
    old, rooted = open_key(root), open_key(new)
    chain = fetch_chain(desk, old)
    _require_list(chain.newest)
    _answer(
        desk,
        chain.team,
        send_next(desk, chain, rooted, lambda keys: keys, [rooted], valid_days=valid_days, old_root=old),
        as_json,
    )


def list_keys(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="The team's short name.")],
    root_id: Annotated[
        str | None, typer.Option("--root-id", metavar="HEX", help="The root's fingerprint, if you know it.")
    ] = None,
    seen: Seen = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Show the keys of a team, as its own root signed them."""
    from regcert.signing.public_key import read_public_key

    desk = Desk(server, token, team, seen)
    chain = fetch_chain(desk, None)
    newest = _require_list(chain.newest)
    signed_by = read_public_key(newest.root).key_id
    if root_id is not None and _digits(root_id) != signed_by:
        raise Refusal(
            Code.KEY_LIST_CONFLICT, "the list is signed by another root than the one you know; call the team before you go on"
        )
    remember(desk)
    _print_chain(chain, newest, signed_by, as_json=as_json)


def _print_chain(chain: "Chain", newest: "KeyList", signed_by: str, *, as_json: bool) -> None:
    from regcert.stix.timestamps import write_timestamp

    rows = _describe(chain)
    expires_at = write_timestamp(newest.expires_us)
    if as_json:
        told = {"team": chain.team, "version": newest.version, "root": signed_by, "expires_at": expires_at}
        print_json(told | {"suspended": chain.suspended, "keys": rows})
        return
    print_table(
        ("key", "status", "reason", ">since version", "compromised since"),
        ([str(cell or "") for cell in row.values()] for row in rows),
    )
    tell(f"Version {newest.version}, good until {expires_at}; root {spoken(signed_by)}")
    if newest.expires_us - SystemClock().now_us() < _WARN_US:
        tell("The list expires in less than 30 days: 'regcert key renew' signs it again")
    if chain.suspended:
        tell("The operator has suspended this team: the host takes no new publications that its keys signed")


def _describe(chain: "Chain") -> list[dict[str, Any]]:
    """Describe each key of the newest list, with the version in which it became what it is."""
    from regcert.stix.timestamps import write_timestamp

    since: dict[tuple[bytes, str], int] = {}
    for one in chain.lists:
        for key in one.key_list.keys:
            since.setdefault((key.public, key.status.value), one.key_list.version)
    return [
        {
            "key_id": key.key_id,
            "status": key.status.value,
            "reason": key.reason.value,
            "since_version": since[key.public, key.status.value],
            "compromised_since": None if key.compromised_since_us is None else write_timestamp(key.compromised_since_us),
        }
        for key in chain.lists[-1].key_list.keys
    ]


def suspend(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="The team's short name.")],
    as_json: AsJson = False,
) -> None:
    """Take no new publications that a team's keys sign. For the host's operator; no verdict changes."""
    _suspend(team, suspended=True, as_json=as_json)


def resume(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="The team's short name.")],
    as_json: AsJson = False,
) -> None:
    """Take a suspended team's publications again. For the host's operator."""
    _suspend(team, suspended=False, as_json=as_json)


def _suspend(team: str, *, suspended: bool, as_json: bool) -> None:
    from regcert.cli.host import _open_host, _run
    from regcert.flows.suspend_team import suspend_team

    async def work() -> None:
        async with _open_host() as database:
            await suspend_team(database, SystemClock(), team, suspended=suspended)

    _run(work())
    if as_json:
        print_json({"team": team, "suspended": suspended})
    else:
        tell(f"{team} is suspended" if suspended else f"{team} may publish again")


def _end_key(desk: Desk, root: Path, key_id: str, change: "Mapping[str, object]", valid_days: int, as_json: bool) -> None:
    """Sign a list in which one key has another status."""
    wanted = _digits(key_id)
    rooted = open_key(root)
    chain = fetch_chain(desk, rooted)
    named = [key for key in _require_list(chain.newest).keys if key.key_id.startswith(wanted)]
    if len(named) != 1:
        raise Refusal(Code.UNKNOWN_KEY, "no one key of the list has this fingerprint; 'regcert key list' shows them")

    def changed(keys: "tuple[TeamKey, ...]") -> "tuple[TeamKey, ...]":
        return tuple(replace(key, **change) if key == named[0] else key for key in keys)  # type: ignore[arg-type]

    _answer(desk, chain.team, send_next(desk, chain, rooted, changed, valid_days=valid_days), as_json)


def _answer(desk: Desk, whose: str, taken: "Taken", as_json: bool) -> None:
    """Say what became of a list, and what happens next."""
    if taken.proposal is None:
        remember(desk)
    if as_json:
        waits = {"state": "waiting", "team": whose, "version": taken.version, "proposal": taken.proposal, "needs": taken.needs}
        in_force = {"state": "in-force", "team": whose, "version": taken.version, "leaf_index": taken.leaf_index}
        print_json(in_force if taken.proposal is None else waits)
    elif taken.proposal is None:
        tell(f"Version {taken.version} of the list is in force, and stands in the log as entry {taken.leaf_index}")
    else:
        tell(f"Version {taken.version} waits for {taken.needs} coordinators, each of another team and none of {desk.team}.")
        tell(f"It says that these are the keys of {whose}; stop here if that is not the identity of your team.")
        tell(f"Call them, read your fingerprints out to them, and have each type: regcert key approve {taken.proposal}")


def _require_list(newest: "KeyList | None") -> "KeyList":
    if newest is None:
        raise Refusal(Code.NOT_FOUND, "the team has no key list in force; 'regcert key enrol' sends the first one")
    return newest


def _digits(key_id: str) -> str:
    """Read a fingerprint as people write it down: in groups, in either case.

    Raises:
        Refusal: UNKNOWN_KEY.
    """
    digits = "".join(key_id.split()).lower()
    if len(digits) < _FEWEST_DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise Refusal(Code.UNKNOWN_KEY, f"a fingerprint is hexadecimal; give at least its first {_FEWEST_DIGITS} digits")
    return digits
