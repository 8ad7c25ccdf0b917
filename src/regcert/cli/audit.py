"""The commands of the audit trail: who did what, and whether the trail is whole. They need the host's own database."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

from typing import TYPE_CHECKING, Annotated

import typer

from regcert.cli.host import AsJson, _open_host, _run
from regcert.cli.printing import print_json, print_table, tell

if TYPE_CHECKING:
    from regcert.flows.verify_audit import Checked
    from regcert.store.audit import Entry


def verify_audit(as_json: AsJson = False) -> None:
    """Verify that no row of the audit trail was changed, moved or taken out; names the first one that was."""
    from regcert.flows import verify_audit as flow

    async def work() -> "Checked":
        async with _open_host() as database:
            return await flow.verify_audit(database)

    checked = _run(work())
    if as_json:
        print_json({"rows": checked.rows, "linked": checked.linked, "heads": checked.heads, "last": checked.last})
        return
    tell(f"The audit trail is whole: {checked.rows} rows, {checked.linked} of them linked; the log knows {checked.heads} heads.")


def list_audit(
    since: Annotated[str | None, typer.Option(metavar="TS", help="None older than this, RFC 3339.")] = None,
    team: Annotated[str | None, typer.Option(metavar="SLUG", help="Only what this team did.")] = None,
    action: Annotated[str | None, typer.Option(metavar="WORD", help="Only this deed, for example 'read'.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List who did what, the newest last."""
    from regcert.stix.timestamps import read_timestamp, write_timestamp
    from regcert.store.audit import Wanted, search_rows

    wanted = Wanted(limit, 0 if since is None else read_timestamp(since), team, action)

    async def work() -> "list[tuple[Entry, str | None, str | None]]":
        async with _open_host() as database:
            return await database.run(search_rows(wanted))

    rows = list(reversed(_run(work())))
    if as_json:
        print_json([_describe(row, slug, token, write_timestamp(row.at_us)) for row, slug, token in rows])
        return
    shown = (
        (str(row.audit_id), write_timestamp(row.at_us)[:19], slug or "the operator", token or "", row.action, row.subject)
        for row, slug, token in rows
    )
    print_table((">row", "when", "team", "by", "deed", "of what"), shown)


def _describe(row: "Entry", team: str | None, token: str | None, at: str) -> dict[str, object]:
    return {
        "row": row.audit_id,
        "at": at,
        "team": team,
        "token_id": row.token_id,
        "token": token,
        "action": row.action,
        "subject": row.subject,
        "link": None if row.chain is None else row.chain.hex(),
    }
