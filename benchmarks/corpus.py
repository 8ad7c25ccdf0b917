"""The objects: about 775 bytes each, the same in every run, mostly distinct values.

Of twenty, fourteen are indicators, two observed-data with a cyber-observable each, two sightings. One indicator in 25 names a
value that another team names too, so that correlation has incidents to find.
"""

import uuid
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson

BLOCK = 20
_VENDOR = "identity--7d4f6c1e-5f0b-4f5e-9d58-0a7c6f3f2b11"
_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
_SHARED_EVERY = 25
_NOTE = (
    "Seen in a campaign against banks and payment providers of the region; delivered by mail with an archived loader. "
    "Block at the gateway, search the proxy logs of the last thirty days and report what you find through the usual channel. "
    "Confidence rests on two independent sandbox runs and on the certificate that the server showed at the time of the analysis, "
    "nine days after it was issued."
)


class Corpus:
    """An endless supply of objects.

    Args:
        seed: the same seed gives the same objects.
    """

    def __init__(self, seed: int = 2026) -> None:
        self.ids: list[str] = []  # of one object in each BLOCK, of every type in turn
        self._random = Random(seed)
        self._made = 0

    def envelopes(self, objects: int, size: int) -> list[bytes]:
        """Make envelopes of `size` objects, a multiple of BLOCK, that hold `objects` together."""
        return [orjson.dumps({"objects": self._take(size)}) for _ in range(objects // size)]

    def _take(self, size: int) -> list[dict[str, Any]]:
        blocks = [list(self._block()) for _ in range(size // BLOCK)]
        self.ids += [block[number % BLOCK]["id"] for number, block in enumerate(blocks, len(self.ids))]
        return [one for block in blocks for one in block]

    def _block(self) -> Iterator[dict[str, Any]]:
        indicators = [self._indicator() for _ in range(14)]
        yield from indicators
        for _ in range(2):
            seen = self._cyber_observable()
            yield seen
            yield self._object("observed-data", number_observed=1, object_refs=[seen["id"]]) | self._span("observed")
        for named in indicators[:2]:
            yield self._object("sighting", sighting_of_ref=named["id"], count=self._random.randrange(1, 90)) | self._span("seen")

    def _indicator(self) -> dict[str, Any]:
        self._made += 1
        number = self._made
        if number % _SHARED_EVERY == 0:
            # The value that came two such indicators ago, by the other team if envelopes alternate.
            pattern = f"[domain-name:value = 'shared-{number // (_SHARED_EVERY * 80)}-{number % 40}.example.net']"
        else:
            pattern = self._pattern(number)
        valid_from = self._moment()
        return self._object(
            "indicator",
            name=f"Indicator {number}",
            description=_NOTE,
            indicator_types=["malicious-activity"],
            pattern=pattern,
            pattern_type="stix",
            valid_from=valid_from,
        )

    def _pattern(self, number: int) -> str:
        random = self._random
        match number % 10:
            case 0 | 1 | 2:
                return f"[domain-name:value = 'c{number}.{random.randrange(1 << 32):x}.example']"
            case 3 | 4:
                return f"[url:value = 'https://h{number}.example/{random.randrange(1 << 48):x}/gate.php']"
            case 5 | 6:
                return f"[ipv4-addr:value = '{self._address()}']"
            case 7 | 8:
                return f"[file:hashes.'SHA-256' = '{random.randbytes(32).hex()}']"
            case _:
                name, md5 = f"invoice-{number}.exe", random.randbytes(16).hex()
                return f"[file:name = '{name}' AND file:hashes.MD5 = '{md5}']"

    def _cyber_observable(self) -> dict[str, Any]:
        return {"type": "ipv4-addr", "spec_version": "2.1", "id": self._id("ipv4-addr"), "value": self._address()}

    def _object(self, kind: str, **properties: Any) -> dict[str, Any]:
        created = self._moment()
        common = {"type": kind, "spec_version": "2.1", "id": self._id(kind), "created_by_ref": _VENDOR, "created": created}
        marked = {"modified": created, "object_marking_refs": [_GREEN]}
        return common | marked | properties

    def _span(self, verb: str) -> dict[str, str]:
        first = self._moment()
        return {f"first_{verb}": first, f"last_{verb}": first}

    def _id(self, kind: str) -> str:
        return f"{kind}--{uuid.UUID(int=self._random.getrandbits(128), version=4)}"

    def _address(self) -> str:
        return ".".join(str(part) for part in (self._random.randrange(11, 126), *self._random.randbytes(3)))

    def _moment(self) -> str:
        month, day = self._random.randrange(1, 10), self._random.randrange(1, 28)
        return f"2026-{month:02}-{day:02}T{self._random.randrange(24):02}:{self._random.randrange(60):02}:00.000Z"
