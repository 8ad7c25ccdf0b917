"""The addresses of our own API."""

from aiohttp import web

from regcert.web.api import alerts, blind_matches, decisions, incidents, keys, log, proposals, sightings, tokens


def add_routes(router: web.UrlDispatcher) -> None:
    """Add all of them."""
    router.add_post("/api/v1/sightings", sightings.post_sightings)
    router.add_get("/api/v1/sightings", sightings.get_sightings)
    router.add_get("/api/v1/sightings/hours", sightings.get_hours)
    router.add_get("/api/v1/incidents", incidents.get_incidents)
    router.add_get("/api/v1/incidents/{incident}", incidents.get_one)
    router.add_get("/api/v1/incidents/{incident}/decisions", decisions.get_decisions)
    router.add_post("/api/v1/incidents/{incident}/decisions", decisions.post_decision)
    router.add_get("/api/v1/held", decisions.get_held)
    router.add_post("/api/v1/held", decisions.post_held)
    router.add_get("/api/v1/teams/{team}/protected", decisions.get_protected)
    router.add_put("/api/v1/teams/{team}/protected", decisions.put_protected)
    router.add_get("/api/v1/alerts", alerts.get_alerts)
    router.add_post("/api/v1/alerts/{alert}/seen", alerts.post_seen)
    router.add_get("/api/v1/tokens", tokens.get_tokens)
    router.add_post("/api/v1/tokens", tokens.post_token)
    router.add_delete("/api/v1/tokens/{token}", tokens.delete_token)
    router.add_post("/api/v1/teams/{team}/keys/challenge", keys.post_challenge)
    router.add_post("/api/v1/teams/{team}/keys", keys.post_keys)
    router.add_get("/api/v1/teams/{team}/keys", keys.get_keys)
    router.add_get("/api/v1/proposals", proposals.get_proposals)
    router.add_get("/api/v1/proposals/{proposal}", proposals.get_one)
    router.add_post("/api/v1/proposals/{proposal}/approve", proposals.post_approve)
    router.add_post("/api/v1/proposals/{proposal}/refuse", proposals.post_refuse)
    router.add_post("/api/v1/proposals/{proposal}/withdraw", proposals.post_withdraw)
    router.add_get("/api/v1/blind-matches", blind_matches.get_matches)
    router.add_get("/api/v1/blind-matches/{match}", blind_matches.get_one)
    for deed in blind_matches.DEEDS:
        router.add_post(f"/api/v1/blind-matches/{{match}}/{deed}", blind_matches.post_deed)
    router.add_get("/api/v1/log", log.get_log)
    router.add_post("/api/v1/log/cosignatures", log.post_cosignature)
    router.add_get("/api/v1/objects/{object}/{version}/proof", log.get_proof)
    router.add_get("/api/v1/collections/{collection}/publications", log.get_publications)
    router.add_get("/api/v1/collections/{collection}/head", log.get_publication_head)
