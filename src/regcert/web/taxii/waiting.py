"""Long polling: an answer that waits until there is something to say.

A client that sends `Prefer: wait=30` and would be told that there is nothing new is kept waiting, for at most so many seconds,
until there is. Nobody else ever meets this: the header is the standard way of asking for it, and a server that does not know
it answers at once.

Spec: RFC 7240 §4.3 (wait)
"""

import re

from aiohttp import web

MOST_WAIT_S = 60
# Who waits is asked who they are again after this long: a token that was revoked ends what it waits for within five seconds.
STEP_S = 3.0
_WAIT = re.compile(r'(?:^|,|;)\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?:$|,|;)', re.IGNORECASE)


def read_wait_s(request: web.Request) -> int:
    """Read for how many seconds a client wants to wait, cut to what we give; 0 where it says nothing of it."""
    found = _WAIT.search(",".join(request.headers.getall("Prefer", ()))[:1000])
    return min(int(found[1]), MOST_WAIT_S) if found else 0
