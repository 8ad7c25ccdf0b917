"""`python -m benchmarks.hello PORT`: aiohttp with nothing behind it, the floor under every answer of ours."""

import sys

from aiohttp import web

_EMPTY = b'{"objects":[%s]}'


async def _answer(request: web.Request) -> web.Response:
    filling = int(request.match_info["size"]) - len(_EMPTY % b"")
    return web.Response(body=_EMPTY % (b" " * filling), content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/{size}/", _answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
