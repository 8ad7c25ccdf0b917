"""The command that tests somebody's TAXII 2.1 server; it needs an address, mostly a token, and no host."""

# ruff: noqa: PLC0415, PLR0917
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import base64
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from regcert.cli.client import AsJson, Token
from regcert.cli.printing import print_json, print_line, print_table, tell
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.conformance.asking import Terms
    from regcert.conformance.place import Place
    from regcert.conformance.run import Finding, Findings

_BROKEN = 1


def conformance(
    url: Annotated[str, typer.Argument(metavar="URL", help="Discovery, an API root, or the server's address.")],
    user: Annotated[str, typer.Option(help="For Basic authentication.")] = "",
    password: Annotated[str, typer.Option(envvar="REGCERT_PASSWORD", help="Better in the environment.")] = "",
    token: Token = "",
    collection: Annotated[str | None, typer.Option(metavar="NAME", help="Id, alias or title of the one to test in.")] = None,
    second_token: Annotated[
        str, typer.Option(envvar="REGCERT_SECOND_TOKEN", help="Another principal's token, or user:password.")
    ] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Post and delete nothing.")] = False,
    section: Annotated[str | None, typer.Option(help="Only this section of the standard, such as 5.4 or 3.")] = None,
    large: Annotated[bool, typer.Option("--large", help="Send bodies of whatever size the server allows.")] = False,
    timeout: Annotated[float, typer.Option(min=1, max=600, help="How long an answer may take, in seconds.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Test a TAXII 2.1 server against the standard, section by section."""
    from regcert.conformance.asking import Terms
    from regcert.conformance.catalogue import SECTIONS

    if section is not None and not any(one == section or one.startswith(section + ".") for one in SECTIONS):
        raise Refusal(Code.INVALID_SETTING, f"--section takes one of {', '.join(SECTIONS)}, or the beginning of some")
    terms = Terms(_authorization(user, password, token), _second(second_token), read_only, large)
    findings, place = asyncio.run(_test(url, terms, collection, section, timeout))
    if as_json:
        from regcert.conformance.report import document

        print_json(document(findings, place, url))
    else:
        _print(findings, place)
    if not findings.conforms:
        raise typer.Exit(_BROKEN)


async def _test(
    url: str, terms: "Terms", collection: str | None, section: str | None, timeout_s: float
) -> "tuple[Findings, Place]":
    from regcert.conformance.catalogue import chosen
    from regcert.conformance.peer import Peer
    from regcert.conformance.reach import find_place
    from regcert.conformance.run import run_checks
    from regcert.outbound.wire import open_wire

    async with open_wire(url, timeout_s) as wire:
        place = await find_place(wire, url, terms, collection)
        return await run_checks(Peer(wire, place, terms), chosen(section), _Progress()), place


class _Progress:
    """Says to somebody at a terminal which section is looked at; a slow server takes minutes."""

    def __init__(self) -> None:
        self._section = ""

    def __call__(self, finding: "Finding") -> None:
        if finding.check.section != self._section and sys.stderr.isatty():
            self._section = finding.check.section
            tell(f"section {self._section}")


def _print(findings: "Findings", place: "Place") -> None:
    from regcert.conformance.report import HEADINGS, failure_rows, section_rows, skip_rows
    from regcert.conformance.verdict import Verdict, inert

    print_table(HEADINGS, section_rows(findings))
    for keyword, check_id, rule, seen in failure_rows(findings):
        print_line(f"{check_id}  {keyword}")
        print_line(f"    rule  {rule}")
        print_line(f"    seen  {seen}")
    if findings.count(Verdict.SKIPPED):
        print_table((">skipped", "because"), skip_rows(findings))
    title = inert(str(place.collection.get("title", "none")), 60)
    tell(f"API root {inert(place.root, 80)}, collection {title}")
    if findings.left_behind:
        tell(f"{findings.left_behind} objects of the test are still on the server, which does not let us delete them")


def _authorization(user: str, password: str, token: str) -> str | None:
    """Return the header that says who is asking; None where nothing was given, for a server that is open."""
    from regcert.outbound.answers import require_token

    if token and (user or password):
        raise Refusal(Code.INVALID_SETTING, "give a token, or a user and a password, not both")
    if token:
        return f"Bearer {require_token(token)}"
    return _basic(f"{user}:{password}") if user or password else None


def _second(given: str) -> str | None:
    from regcert.outbound.answers import require_token

    if not given:
        return None
    return _basic(given) if ":" in given else f"Bearer {require_token(given)}"


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()
