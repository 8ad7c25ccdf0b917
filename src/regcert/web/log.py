"""The transparency log as other programs read it: checkpoints, tiles, and bundles of entries.

Whoever may read anything here may read the log, and where the operator says so, everybody: what it tells of publications is
blinded.

Spec: C2SP tlog-tiles
"""

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows import read_log
from regcert.policy.permissions import Permission, require
from regcert.translog.tiles import read_tile_name
from regcert.web.asking import principal_of, services_of

_PREFIX = "/log/"
_MOST_QUORUM = 31
_NOTE = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter every address of the log; each answers HEAD, too."""
    router.add_get("/log/checkpoint", get_checkpoint)
    router.add_get("/log/checkpoint/witnessed", get_witnessed)
    router.add_get("/log/tile/{tile:.+}", get_tile)


async def get_checkpoint(request: web.Request) -> web.Response:
    """Answer the newest checkpoint, with the cosignatures that it has by now."""
    await _require_reader(request)
    return web.Response(body=await read_log.get_checkpoint(services_of(request).database), headers=_NOTE)


async def get_witnessed(request: web.Request) -> web.Response:
    """Answer the newest checkpoint that enough witnesses cosigned."""
    await _require_reader(request)
    quorum = _read_quorum(request.query.get("quorum"))
    return web.Response(body=await read_log.get_witnessed(services_of(request).database, quorum), headers=_NOTE)


async def get_tile(request: web.Request) -> web.Response:
    """Answer a tile, or a bundle of entries, as wide as its address says."""
    await _require_reader(request)
    services = services_of(request)
    # As it stands in the request line: an address that is written otherwise is another one.
    content = await read_log.get_tile(services.database, read_tile_name(request.rel_url.raw_path.removeprefix(_PREFIX)))
    # What stands under an address never changes, whether it is a full tile or the beginning of one.
    kept = f"{'public' if services.log_public else 'private'}, max-age=31536000, immutable"
    return web.Response(body=content, headers={"Content-Type": "application/octet-stream", "Cache-Control": kept})


async def _require_reader(request: web.Request) -> None:
    if not services_of(request).log_public:
        require(await principal_of(request), Permission.READ)


def _read_quorum(text: str | None) -> int:
    if text is None:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= _MOST_QUORUM:
        return int(text)
    raise Refusal(Code.MALFORMED_REQUEST, f"'quorum' must be a number of witnesses, 1 to {_MOST_QUORUM}")
