"""An envelope on its way from one process to another, and the times that it may tell."""

import pickle
import uuid

from regcert.clock import DAY_US
from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.principal import Principal, Role
from regcert.domain.submission import Parsed, Received, parse
from regcert.domain.team import Team, TeamKind
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp
from tests.made import CREATED, envelope, indicator, sdo
from tests.stix.examples import RICH

TEAM = Team(1, "alcirt", "AL-CSIRT", "AL", TeamKind.NATIONAL, f"identity--{uuid.uuid4()}")
COLLECTION = Collection(1, str(uuid.uuid4()), "some", "root", "Some", "Some", Tlp.RED, SignatureRule.ACCEPTED, "all")
AT_US = read_timestamp(CREATED)


def parsed(schemas, *objects) -> Parsed:
    """Read objects as they are when they have just come."""
    return parse(Received(Principal(TEAM, Role.ANALYST, 1, None), COLLECTION, envelope(*objects), AT_US), schemas)


def test_parsed_envelope_is_the_same_when_it_has_crossed_to_another_process(schemas):
    """Objects of every type, their observables and claims, and the refusals with code and sentence."""
    found = parsed(schemas, *RICH.values(), indicator("[a:b"), {"type": "indicator"}, 5)
    crossed = pickle.loads(pickle.dumps(found, protocol=5))
    assert crossed.received == found.received
    assert crossed.objects == found.objects
    assert [type(one) for one in crossed.objects] == [type(one) for one in found.objects]
    assert any(one.claim for one in crossed.objects)
    assert any(one.observables for one in crossed.objects)
    reasons = [(one.stix_id, one.version, one.refusal.code, one.refusal.message, str(one.refusal)) for one in found.refused]
    assert len(reasons) == 3
    assert reasons == [
        (one.stix_id, one.version, one.refusal.code, one.refusal.message, str(one.refusal)) for one in crossed.refused
    ]


def test_time_is_cut_when_it_lies_ahead_of_the_clock(schemas):
    """A year 9999 pushes nothing out of anybody's window; the object itself stays as it was written."""
    [near, far] = parsed(schemas, indicator(), indicator(valid_from="9999-12-31T23:59:59Z")).objects
    assert (near.first_us, near.last_us) == (AT_US, AT_US)
    assert (far.first_us, far.last_us) == (AT_US + DAY_US, AT_US + DAY_US)
    assert b"9999" in far.body


def test_observable_is_as_old_as_the_observation_beside_it(schemas):
    """A cyber-observable tells no time: it takes the widest span of what observed it, and none where nothing did."""
    address = {"type": "ipv4-addr", "id": f"ipv4-addr--{uuid.uuid4()}", "value": "198.51.100.7"}
    early, late = "2026-10-01T00:00:00Z", "2026-10-09T00:00:00Z"
    spans = [(early, early), (late, late)]
    observations = [
        sdo("observed-data", number_observed=1, object_refs=[address["id"]], first_observed=first, last_observed=last)
        for first, last in spans
    ]
    [seen, *_] = parsed(schemas, address, *observations).objects
    assert (seen.first_us, seen.last_us) == (read_timestamp(early), read_timestamp(late))
    [alone] = parsed(schemas, address).objects
    assert (alone.first_us, alone.last_us) == (None, None)
