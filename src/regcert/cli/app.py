"""The commands' names, and what becomes of a refusal or a fault: one line and an exit code."""

import sys
from collections.abc import Mapping
from types import TracebackType

import typer

from regcert import __version__
from regcert.cli import (
    alerts,
    audit,
    blind,
    client,
    conformance,
    history,
    host,
    key,
    log,
    people,
    proposals,
    protect,
    tokens,
    verify,
    witness,
)
from regcert.errors import Code, Refusal
from regcert.outbound.answers import inert

REFUSED = 1
UNREACHABLE = 3
NOT_SIGNED_IN = 4
FAULT = 5
FORK = 16
EXIT_CODES: Mapping[Code, int] = {
    Code.UNREACHABLE: UNREACHABLE,
    Code.BUSY: UNREACHABLE,
    Code.UNAUTHENTICATED: NOT_SIGNED_IN,
    Code.LOG_FORK: FORK,
}
_MOST_CHARACTERS = 400

_EPILOG = (
    "Exit codes: 0 done; 1 refused, or partly refused; 2 wrong usage; 3 the server cannot be reached or is busy; "
    "4 not signed in; 5 a fault of ours; 16 a log has told two stories; 10 to 25 what verifying has found, see docs/verifying.md."
)


def _group(story: str, epilog: str | None = None) -> typer.Typer:
    # Plain text instead of boxes: it can be piped and read aloud, and costs no import.
    return typer.Typer(
        help=story,
        epilog=epilog,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


app = _group("RegCERT: incident sharing for regional CERTs.", _EPILOG)
team = _group("Teams of this host.")
collection = _group("Collections of this host.")
token = _group("Tokens of this host.")
person = _group("People who sign in to the console of this host.")
root = _group("API roots of this host.")
keys = _group("The keys of a team: made and used here, entered on a host; docs/keys.md says how.")
clients = _group("Client profiles: what is done beyond the standard for the software that shows a token.")

witnesses = _group("A witness of a host's log, which a member team runs.")
audits = _group("Who did what on this host, and whether anybody changed that.")
protecting = _group("What your team protects: its own networks and domains, which make no incident.")
blinds = _group("Blind matches: what others hold, too, where you do not see it; docs/blind-matches.md.")
waiting = _group("What waits for a second person; docs/second-person.md says what does.")
checkpoints = _group("Checkpoints of a host's log, as they come by telephone or mail.")
histories = _group("The history of what correlation has read; docs/history.md says what it is for.")

logs = _group("The transparency log of this host; docs/operating-trust.md says how to keep it.")
log_witnesses = _group("Who watches this host's log.")

app.command()(host.init)
app.command()(host.serve)
app.command(hidden=True)(host.intake)
app.add_typer(team, name="team")
team.command("add")(host.add_team)
team.command("list")(host.list_teams)
app.add_typer(collection, name="collection")
collection.command("add")(host.add_collection)
collection.command("list")(host.list_collections)
collection.command("blind-matching")(host.set_blind_matching)
app.add_typer(token, name="token")
token.command("create")(tokens.create_token)
token.command("list")(tokens.list_tokens)
token.command("revoke")(tokens.revoke_token)
app.add_typer(person, name="person")
person.command("add")(people.add_person)
person.command("list")(people.list_people)
person.command("reset")(people.reset_person)
person.command("link")(people.link_person)
person.command("remove")(people.remove_person)
app.add_typer(root, name="root")
root.command("add")(host.add_api_root)
root.command("list")(host.list_api_roots)
app.add_typer(keys, name="key")
keys.command("new")(key.new)
keys.command("show")(key.show)
keys.command("enrol")(key.enrol)
keys.command("rotate")(key.rotate)
keys.command("retire")(key.retire)
keys.command("revoke")(key.revoke)
keys.command("renew")(key.renew)
keys.command("change-root")(key.change_root)
keys.command("approve")(proposals.approve_proposal)
keys.command("list")(key.list_keys)
keys.command("pin")(verify.pin)
keys.command("suspend")(key.suspend)
keys.command("resume")(key.resume)
app.add_typer(clients, name="client")
clients.command("list")(host.list_clients)
app.command()(client.publish)
app.command()(client.pull)
app.command()(verify.verify)
app.command()(client.sight)
app.command()(client.incidents)
app.command("alerts")(alerts.list_alerts)
app.command()(conformance.conformance)
app.add_typer(witnesses, name="witness")
witnesses.command("new")(witness.new)
witnesses.command("run")(witness.run)
app.add_typer(audits, name="audit")
audits.command("verify")(audit.verify_audit)
audits.command("list")(audit.list_audit)
app.add_typer(waiting, name="proposal")
waiting.command("list")(proposals.list_proposals)
waiting.command("show")(proposals.show_proposal)
waiting.command("approve")(proposals.approve_proposal)
waiting.command("refuse")(proposals.refuse_proposal)
waiting.command("withdraw")(proposals.withdraw_proposal)
app.add_typer(protecting, name="protect")
protecting.command("list")(protect.list_protected)
protecting.command("set")(protect.set_protected)
app.add_typer(blinds, name="blind")
blinds.command("list")(blind.list_matches)
blinds.command("show")(blind.show_match)
blinds.command("ask")(blind.ask)
blinds.command("agree")(blind.agree)
blinds.command("refuse")(blind.refuse)
blinds.command("forward")(blind.forward)
blinds.command("close")(blind.close)
app.add_typer(checkpoints, name="checkpoint")
checkpoints.command("compare")(witness.compare)
app.add_typer(logs, name="log")
logs.command("show")(log.show)
logs.command("verify")(log.verify)
logs.add_typer(log_witnesses, name="witness")
log_witnesses.command("add")(log.add_witness)
log_witnesses.command("list")(log.list_witnesses)
log_witnesses.command("remove")(log.remove_witness)
app.add_typer(histories, name="history")
histories.command("export")(history.export)
app.command()(history.correlate)
app.command()(host.demo)


@app.callback(invoke_without_command=True)
def _options(context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        print(__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())


class Answering:
    """Ends a command: with its own exit code, or with one line on standard error and the code that belongs to it.

    A context manager and no `except`, because what ends a command may be anything: nobody at a prompt is helped by a traceback,
    and a script must be able to tell our fault from a refusal.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, Refusal):
            _end(error.message, error.code, EXIT_CODES.get(error.code, REFUSED))
        if isinstance(error, typer.TyperException):
            _end(error.format_message(), "usage", error.exit_code)
        if isinstance(error, typer.Abort):
            _end("stopped", "stopped", REFUSED)
        if isinstance(error, Exception):
            _end(f"a fault of ours: {type(error).__name__}: {error}", "fault", FAULT)


def run(arguments: list[str] | None = None) -> None:
    """Run one command and end the process.

    Args:
        arguments: what stands behind `regcert`, or None for the process's own.
    """
    with Answering():
        code = app(arguments, prog_name="regcert", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)


def _end(sentence: str, code: str, exit_code: int) -> None:
    print(f"regcert: {inert(sentence, _MOST_CHARACTERS)} [{code}]", file=sys.stderr)
    sys.exit(exit_code)
