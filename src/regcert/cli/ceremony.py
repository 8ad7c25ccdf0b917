"""What the key commands share: files of private keys, and the next key list, made from the newest and signed by the root."""

# ruff: noqa: PLC0415
# Imports inside keep `--help` fast.

import asyncio
import json
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from regcert.cli.printing import tell
from regcert.clock import DAY_US, SystemClock
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.domain.key_list import KeyList, TeamKey
    from regcert.outbound.keys import Chain, Taken
    from regcert.signing.private_key import PrivateKey

PASSPHRASE = "REGCERT_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
_MOST_FILE_BYTES = 64 * 1024
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a team sits: the host it speaks to, as whom, and what it remembers of that host.

    Args:
        server: the host's address.
        token: of the team's coordinator or admin.
        team: its short name.
        seen: remembers the newest list that was seen, or None.
    """

    server: str
    token: str
    team: str
    seen: Path | None = None


def write_key(path: Path, key: "PrivateKey", passphrase: str | None) -> None:
    """Write a private key into a new file that only its owner can read.

    Raises:
        Refusal: ALREADY_EXISTS: a key that is overwritten is gone for ever; INVALID_SETTING.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.write(passphrase))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise Refusal(
            Code.ALREADY_EXISTS, f"{path.name} is there already, and no key is overwritten; choose a new folder"
        ) from error
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be written: {error.strerror}; choose another folder") from error


def open_key(path: Path) -> "PrivateKey":
    """Read a private key from its file, and ask for its passphrase where it has one.

    Raises:
        Refusal: INVALID_SETTING.
    """
    from regcert.signing.private_key import read_private_key

    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                # Told and not refused: a memory stick knows no owners.
                tell(f"regcert: others on this machine can read {path.name}; chmod 600 it, or unplug its stick soon")
            pem = file.read(_MOST_FILE_BYTES)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"the key file {path.name} cannot be read: {error.strerror}") from error
    return read_private_key(pem, ask_passphrase(path.name) if pem.lstrip().startswith(_ENCRYPTED) else None)


def ask_passphrase(name: str, *, twice: bool = False) -> str:
    """Take a passphrase from the environment, else ask for it without showing it."""
    said = os.environ.get(PASSPHRASE)
    if said:
        return said
    asked: str = typer.prompt(f"Passphrase of {name}", hide_input=True, confirmation_prompt=twice, err=True)
    return asked


def spoken(key_id: str) -> str:
    """Write a fingerprint in groups of four, as it is read out on the telephone."""
    return " ".join(key_id[start : start + 4] for start in range(0, len(key_id), 4))


def fetch_chain(desk: Desk, root: "PrivateKey | None") -> "Chain":
    """Fetch the team's lists, and hold them against the root that the team has in its hand and the list it saw last.

    Args:
        desk: whose.
        root: the root key that must have signed the newest list; None where somebody only looks.

    Raises:
        Refusal: KEY_LIST_CONFLICT where the host shows another root, or an older or another list than before.
    """
    from regcert.outbound.keys import fetch_key_lists

    chain = asyncio.run(fetch_key_lists(desk.server, desk.token, desk.team))
    if root is not None and chain.newest is not None and chain.newest.root != root.public.raw:
        raise Refusal(
            Code.KEY_LIST_CONFLICT,
            "the newest list on the host is signed by another root than yours; change nothing, and call the operator",
        )
    if desk.seen is not None and desk.seen.exists():
        _require_seen(chain, desk.seen, desk.team)
    return chain


def send_next(
    desk: Desk,
    chain: "Chain",
    root: "PrivateKey",
    change: "Callable[[tuple[TeamKey, ...]], tuple[TeamKey, ...]]",
    brought: "Sequence[PrivateKey]" = (),
    *,
    valid_days: int,
    old_root: "PrivateKey | None" = None,
) -> "Taken":
    """Make the successor of the newest list, sign it, prove what it brings, and send it.

    Args:
        desk: where to.
        chain: what `fetch_chain` returned.
        root: signs the list.
        change: makes the new keys of the old.
        brought: the private keys that the list names for the first time, roots among them.
        valid_days: how long it is good for, 1 to 400.
        old_root: the root before, where that is another.
    """
    from regcert.outbound.keys import fetch_challenge, post_key_list
    from regcert.signing.key_list import seal_key_list
    from regcert.signing.possession import prove

    newest, now_us = chain.newest, SystemClock().now_us()
    envelope = seal_key_list(
        team=chain.team,
        version=newest.version + 1 if newest else 1,
        prev=newest.digest if newest else None,
        issued_us=now_us,
        expires_us=now_us + valid_days * DAY_US,
        keys=change(newest.keys if newest else ()),
        root=root,
        old_root=old_root,
    )

    async def send() -> "Taken":
        challenge = await fetch_challenge(desk.server, desk.token, desk.team) if brought else None
        proofs = [prove(chain.host, chain.team, challenge, key) for key in brought] if challenge else []
        return await post_key_list(desk.server, desk.token, desk.team, envelope, challenge, proofs)

    return asyncio.run(send())


def remember(desk: Desk) -> None:
    """Note the newest list, where the team wants to be told if the host ever shows an older one."""
    if desk.seen is None:
        return
    from regcert.durable import replacing

    newest = fetch_chain(desk, None).newest
    if newest is not None:
        noted = {"team": desk.team, "version": newest.version, "digest": newest.digest.hex()}
        with replacing(desk.seen) as file:
            file.write(json.dumps(noted).encode())


def _require_seen(chain: "Chain", path: Path, team: str) -> None:
    try:
        noted = json.loads(path.read_bytes()[:_MOST_FILE_BYTES])
        version, digest, whose = int(noted["version"]), str(noted["digest"]), noted["team"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} is no note of a key list; remove it if you are sure") from error
    if whose != team:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} remembers another team; give each a file of its own")
    shown: KeyList | None = next((one.key_list for one in chain.lists if one.key_list.version == version), None)
    if shown is None or shown.digest.hex() != digest:
        raise Refusal(
            Code.KEY_LIST_CONFLICT,
            f"the host no longer shows version {version} of the key list as you saw it; change nothing, and call the operator",
        )
