"""Which permission each address asks for: one line an address, and an address without a line does not start.

Addresses are as the router writes them, without the trailing slash that TAXII's have; a HEAD is a GET. What an address asks for
is checked where it is answered, by `require` or by a query of what is visible; this is the declaration that the matrix of tests
holds against every role.
"""

from collections.abc import Iterable, Mapping

from regcert.policy.permissions import Permission

_COLLECTION = "/{root}/collections/{collection}"
_OBJECT = _COLLECTION + "/objects/{object}"
# With a slash they are another page than without.
_OF_THEIR_OWN = frozenset({"/", "/console/"})

ROUTES: Mapping[tuple[str, str], Permission] = {
    # Nobody is asked who they are.
    ("GET", "/"): Permission.OPEN,
    ("GET", "/console"): Permission.OPEN,
    ("GET", "/healthz"): Permission.OPEN,
    ("GET", "/readyz"): Permission.OPEN,
    ("GET", "/console/static/{name}"): Permission.OPEN,
    ("GET", "/console/sign-in"): Permission.OPEN,
    ("POST", "/console/sign-in"): Permission.OPEN,
    ("POST", "/console/sign-out"): Permission.OPEN,
    ("GET", "/console/openid"): Permission.OPEN,
    ("GET", "/console/openid/return"): Permission.OPEN,
    # TAXII.
    ("GET", "/taxii2"): Permission.SEE_HOST,
    ("GET", "/{root}"): Permission.SEE_HOST,
    ("GET", "/{root}/collections"): Permission.SEE_HOST,
    ("GET", "/{root}/status/{status}"): Permission.SEE_STATUS,
    ("GET", _COLLECTION): Permission.SEE_HOST,
    ("GET", f"{_COLLECTION}/manifest"): Permission.READ_COLLECTION,
    ("GET", f"{_COLLECTION}/objects"): Permission.READ_COLLECTION,
    ("POST", f"{_COLLECTION}/objects"): Permission.PUBLISH_HERE,
    ("GET", _OBJECT): Permission.READ_COLLECTION,
    ("DELETE", _OBJECT): Permission.DELETE_HERE,
    ("GET", f"{_OBJECT}/versions"): Permission.READ_COLLECTION,
    # Our own API.
    ("POST", "/api/v1/sightings"): Permission.REPORT,
    ("GET", "/api/v1/sightings"): Permission.READ,
    ("GET", "/api/v1/sightings/hours"): Permission.READ,
    ("GET", "/api/v1/incidents"): Permission.SEE_INCIDENTS,
    ("GET", "/api/v1/incidents/{incident}"): Permission.SEE_INCIDENTS,
    ("GET", "/api/v1/incidents/{incident}/decisions"): Permission.SEE_INCIDENTS,
    ("POST", "/api/v1/incidents/{incident}/decisions"): Permission.DECIDE,
    ("GET", "/api/v1/held"): Permission.SEE_INCIDENTS,
    ("POST", "/api/v1/held"): Permission.DECIDE,
    ("GET", "/api/v1/teams/{team}/protected"): Permission.SEE_PROTECTED,
    ("PUT", "/api/v1/teams/{team}/protected"): Permission.PROTECT,
    ("GET", "/api/v1/alerts"): Permission.SEE_ALERTS,
    ("POST", "/api/v1/alerts/{alert}/seen"): Permission.MARK_ALERTS,
    ("GET", "/api/v1/tokens"): Permission.MANAGE_TOKENS,
    ("POST", "/api/v1/tokens"): Permission.MANAGE_TOKENS,
    ("DELETE", "/api/v1/tokens/{token}"): Permission.MANAGE_TOKENS,
    ("GET", "/api/v1/teams/{team}/keys"): Permission.SEE_KEYS,
    ("POST", "/api/v1/teams/{team}/keys"): Permission.MANAGE_OWN_KEYS,
    ("POST", "/api/v1/teams/{team}/keys/challenge"): Permission.MANAGE_OWN_KEYS,
    # Which of the two permissions to approve it needs depends on what the proposal is; `policy/second_person.py` asks.
    ("GET", "/api/v1/proposals"): Permission.SEE_PROPOSALS,
    ("GET", "/api/v1/proposals/{proposal}"): Permission.SEE_PROPOSALS,
    ("POST", "/api/v1/proposals/{proposal}/approve"): Permission.APPROVE_POST,
    ("POST", "/api/v1/proposals/{proposal}/refuse"): Permission.APPROVE_POST,
    ("POST", "/api/v1/proposals/{proposal}/withdraw"): Permission.WITHDRAW_PROPOSAL,
    ("GET", "/api/v1/blind-matches"): Permission.SEE_BLIND_MATCHES,
    ("GET", "/api/v1/blind-matches/{match}"): Permission.SEE_BLIND_MATCHES,
    ("POST", "/api/v1/blind-matches/{match}/ask"): Permission.ANSWER_BLIND_MATCH,
    ("POST", "/api/v1/blind-matches/{match}/agree"): Permission.ANSWER_BLIND_MATCH,
    ("POST", "/api/v1/blind-matches/{match}/refuse"): Permission.ANSWER_BLIND_MATCH,
    ("POST", "/api/v1/blind-matches/{match}/forward"): Permission.BROKER_BLIND_MATCH,
    ("POST", "/api/v1/blind-matches/{match}/close"): Permission.BROKER_BLIND_MATCH,
    ("GET", "/api/v1/log"): Permission.READ,
    ("POST", "/api/v1/log/cosignatures"): Permission.READ,
    ("GET", "/api/v1/objects/{object}/{version}/proof"): Permission.READ_COLLECTION,
    ("GET", "/api/v1/collections/{collection}/publications"): Permission.READ_COLLECTION,
    ("GET", "/api/v1/collections/{collection}/head"): Permission.READ,
    # The transparency log; open to anybody where the operator says so.
    ("GET", "/log/checkpoint"): Permission.READ,
    ("GET", "/log/checkpoint/witnessed"): Permission.READ,
    ("GET", "/log/tile/{tile}"): Permission.READ,
    # The console, for people.
    ("GET", "/console/"): Permission.USE_CONSOLE,
    ("GET", "/console/incidents/{incident}"): Permission.USE_CONSOLE,
    ("GET", "/console/incidents/{incident}/data"): Permission.USE_CONSOLE,
    ("POST", "/console/incidents/{incident}/decisions"): Permission.DECIDE,
    ("GET", "/console/held"): Permission.USE_CONSOLE,
    ("POST", "/console/held"): Permission.DECIDE,
    ("GET", "/console/alerts"): Permission.USE_CONSOLE,
    ("POST", "/console/alerts/seen"): Permission.MARK_ALERTS,
    ("GET", "/console/proposals"): Permission.SEE_PROPOSALS,
    ("GET", "/console/proposals/{proposal}"): Permission.SEE_PROPOSALS,
    ("POST", "/console/proposals/{proposal}/approve"): Permission.APPROVE_POST,
    ("POST", "/console/proposals/{proposal}/refuse"): Permission.APPROVE_POST,
    ("POST", "/console/proposals/{proposal}/withdraw"): Permission.WITHDRAW_PROPOSAL,
    ("GET", "/console/blind-matches"): Permission.SEE_BLIND_MATCHES,
    ("GET", "/console/blind-matches/{match}"): Permission.SEE_BLIND_MATCHES,
    ("POST", "/console/blind-matches/{match}/ask"): Permission.ANSWER_BLIND_MATCH,
    ("POST", "/console/blind-matches/{match}/agree"): Permission.ANSWER_BLIND_MATCH,
    ("POST", "/console/blind-matches/{match}/refuse"): Permission.ANSWER_BLIND_MATCH,
    ("POST", "/console/blind-matches/{match}/forward"): Permission.BROKER_BLIND_MATCH,
    ("POST", "/console/blind-matches/{match}/close"): Permission.BROKER_BLIND_MATCH,
}


def find_permission(method: str, path: str) -> Permission | None:
    """Find what an address asks for; None where nobody has said.

    Args:
        method: in capitals.
        path: as the router writes it, with the names of its parts in braces.
    """
    return ROUTES.get(declared(method, path))


def declared(method: str, path: str) -> tuple[str, str]:
    """Write an address as `ROUTES` does."""
    return "GET" if method == "HEAD" else method, path if path in _OF_THEIR_OWN else path.rstrip("/")


def require_declared(routes: Iterable[tuple[str, str]]) -> None:
    """Refuse to start with an address of which nobody has said what it asks for.

    Raises:
        LookupError: naming each of them.
    """
    missing = sorted({f"{method} {path}" for method, path in routes if find_permission(method, path) is None})
    if missing:
        raise LookupError(f"add to policy/routes.py what these addresses ask for: {', '.join(missing)}")
