"""RegCERT: an incident-sharing service for regional CERTs.

Teams publish STIX 2.1 over TAXII 2.1, report sightings, and see which incidents cross borders. The rooms of this house and
the way a posted envelope takes through them are told in ARCHITECTURE.md; each room's own docstring tells its part.
"""

__version__ = "0.1.0"
