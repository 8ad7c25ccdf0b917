"""The commands of whoever believes no host: verify files and mirrors, read a collection into a mirror, pin root keys."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regcert.cli.printing import print_json, print_line, tell
from regcert.errors import Code, Refusal
from regcert.outbound.answers import inert

if TYPE_CHECKING:
    from regcert.verification.key_histories import History
    from regcert.verification.offline import Report
    from regcert.verification.roots import Trust

_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)", re.ASCII)
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_FILE_BYTES = 1024 * 1024

PolicyFile = Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="Which log and witnesses you believe.")]
RootsFile = Annotated[Path | None, typer.Option("--roots", metavar="FILE", help="The root keys that you have pinned.")]


def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", help="Bundles, envelopes, folders of them; or a mirror.")],
    policy: PolicyFile = None,
    roots: RootsFile = None,
    proofs: Annotated[Path | None, typer.Option(metavar="DIR", help="A mirror, or saved answers of the proof API.")] = None,
    fresh: Annotated[str, typer.Option(metavar="TIME", help="How old your view may be, as in 10m, 1d; or 'off'.")] = "1d",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say of each object who signed it and what that is worth, without a network; the exit code is the worst verdict's."""
    from regcert.clock import SystemClock
    from regcert.verification.offline import verify as verify_paths

    report = verify_paths(paths, read_trust(policy, roots, fresh), SystemClock().now_us(), proofs)
    _tell(report, report.verdict.exit_code, as_json=as_json)


def pull_into_mirror(
    collection: str, mirror: Path, trust: "Trust", server: str, token: str, out: Path | None, *, as_json: bool
) -> None:
    """Read what is new in a collection into a mirror, verify all of it, and write what is good into one bundle.

    Args:
        collection: the collection's slug or id.
        mirror: the folder.
        trust: what is believed.
        server: the host's address.
        token: for it.
        out: where the bundle of good objects goes, if anywhere.
        as_json: print JSON.
    """
    from regcert.client.options import Options
    from regcert.client.verifying import pull_verified
    from regcert.verification.alarms import find_exit_code

    options = Options(proxies_from_environment=True)
    report = asyncio.run(pull_verified(server, token, collection, mirror, trust, options=options))
    if out is not None:
        _write_good(report, mirror, out)
    _tell(report, find_exit_code(report.alerts, [report.verdict]), as_json=as_json)


def pin(
    mirror: Annotated[Path, typer.Option(metavar="DIR", help="A mirror that was pulled; its log has the key lists.")],
    roots: Annotated[Path, typer.Option(metavar="FILE", help="Where pinned roots are kept; made where it is not there.")],
    policy: PolicyFile = None,
    team: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this team's; else every team of the log.")] = None,
    replace: Annotated[bool, typer.Option(help="Also put another root in the place of a pinned one.")] = False,
) -> None:
    """Pin the root keys that a witnessed log has for the teams; compare each fingerprint by telephone before you rely on it."""
    from regcert.durable import replacing
    from regcert.verification.mirror import Mirror
    from regcert.verification.mirrored import read_mirror
    from regcert.verification.roots import write_roots

    trust = read_trust(policy, roots if roots.exists() else None, "off")
    mirrored = read_mirror(Mirror(mirror), trust, Mirror(mirror).read_state())
    mirrored.require_witnessed()
    pinned = dict(trust.roots)
    differs = 0
    for name, history in sorted(mirrored.histories.items()):
        if history.lists and (not team or name in team):
            differs += _pin(pinned, name, history, replace=replace)
    changed = sum(pinned[name] != trust.roots.get(name) for name in pinned)
    if differs:
        raise Refusal(Code.KEY_LIST_CONFLICT, "a team's root is not the one that you pinned; ask the team, then use --replace")
    if changed:
        with replacing(roots) as file:
            file.write(write_roots(pinned))
        tell(f"{changed} roots are new in {roots.name}: compare each fingerprint with its team by telephone")


def _pin(pinned: dict[str, bytes], name: str, history: "History", *, replace: bool) -> bool:
    """Pin the root of one team, and say what is new; tell whether it is another one than was pinned."""
    from regcert.verification.roots import fingerprint

    known, newest = pinned.get(name), history.lists[-1].key_list.root
    if known is not None and history.has_root(known):
        print_line(f"pinned   {name} {fingerprint(known)}")
        return False
    if known is not None and not replace:
        print_line(f"differs  {name} {fingerprint(newest)} is not {fingerprint(known)}")
        return True
    pinned[name] = newest
    print_line(f"new      {name} {fingerprint(newest)}" + (f" instead of {fingerprint(known)}" if known else ""))
    return False


def read_trust(policy: Path | None, roots: Path | None, fresh: str) -> "Trust":
    """Read what a reader believes from his files.

    Raises:
        Refusal: INVALID_POLICY, INVALID_SETTING.
    """
    from regcert.translog.policy import read_policy
    from regcert.verification.roots import Trust, read_roots

    if policy is None:
        raise Refusal(Code.INVALID_POLICY, "name your policy file with --policy; docs/verifying.md shows how it is written")
    pinned: Mapping[str, bytes] = read_roots(_read(roots)) if roots is not None else {}
    return Trust(read_policy(_read(policy)), pinned, _seconds(fresh))


def _write_good(report: "Report", mirror: Path, out: Path) -> None:
    from regcert.durable import replacing
    from regcert.stix.reader import ReadObject
    from regcert.verification.judging import list_read
    from regcert.verification.mirror import Mirror
    from regcert.verification.reading import read_files

    good = {(one.stix_id, one.version, one.digest) for one in report.judged if one.is_good}
    with replacing(out) as file:
        count = 0
        file.write(b'{"type":"bundle","id":"bundle--%b"' % str(uuid.uuid4()).encode())
        for read in read_files(Mirror(mirror).bundles()):
            if isinstance(read, ReadObject):
                listed = list_read(read)
                if (listed.stix_id, listed.version, listed.digest) in good:
                    good.remove((listed.stix_id, listed.version, listed.digest))
                    file.write(b',"objects":[' if count == 0 else b",")
                    file.write(read.body)
                    count += 1
        file.write(b"]}\n" if count else b"}\n")


def _tell(report: "Report", exit_code: int, *, as_json: bool) -> None:
    """Print counts, alarms, and each object that is not VALID with the reason; end with the exit code."""
    doubtful = [one for one in report.judged if one.finding.verdict != "VALID"]
    if as_json:
        print_json(
            {
                "verdict": report.verdict.value,
                "exit_code": exit_code,
                "counts": {verdict.value: count for verdict, count in sorted(report.counts.items())},
                "alarms": [{"alarm": alert.alarm.title, "message": alert.sentence} for alert in report.alerts],
                "not_valid": [
                    {
                        "id": inert(one.stix_id, 300),
                        "version": one.version and inert(one.version, 65),
                        "verdict": one.finding.verdict.value,
                        "row": one.finding.row,
                        "reason": one.why or one.finding.reason,
                        "team": one.team or None,
                        "key": one.key_id or None,
                    }
                    for one in doubtful
                ],
            }
        )
    else:
        for verdict, count in sorted(report.counts.items()):
            print_line(f"{verdict.value:14}{count:>9}")
        for alert in report.alerts:
            print_line(f"ALARM {alert.alarm.title}: {inert(alert.sentence, 400)}")
        for one in doubtful:
            name = inert(one.stix_id, 300) or "unreadable"
            print_line(f"{one.finding.verdict.value:14}{name} {inert(one.version or '-', 65)} {one.why or one.finding.reason}")
    if exit_code:
        raise typer.Exit(exit_code)


def _seconds(text: str) -> float | None:
    found = _DURATION.fullmatch(text)
    if text != "off" and found is None:
        raise Refusal(Code.INVALID_SETTING, "--fresh takes a number and a unit, as in 10m, 2h or 1d; or 'off'")
    return None if found is None else float(int(found[1]) * _UNIT_S[found[2]])


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_FILE_BYTES + 1)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be read: {error.strerror}") from error
