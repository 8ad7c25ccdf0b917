"""TLP 2.0 as an ordered scale, and the marking-definition ids by which STIX names its steps.

TLP 1.x ids are understood: WHITE is CLEAR. A definition that is not TLP (a copyright statement, say) restricts nothing; one
that we cannot tell is RED, because the host must not guess downwards.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Tlp(IntEnum):
    """One step of the Traffic Light Protocol 2.0; a larger value is stricter."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    @property
    def label(self) -> str:
        """The label as FIRST writes it, for example `TLP:AMBER+STRICT`."""
        return "TLP:" + self.name.replace("_", "+")


# STIX 2.1 §7.2.1.4 (TLP 1.x) and the OASIS TLP 2.0 extension definition for STIX 2.1.
MARKING_IDS: Mapping[str, Tlp] = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": Tlp.CLEAR,
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": Tlp.GREEN,
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": Tlp.AMBER,
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": Tlp.AMBER_STRICT,
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": Tlp.RED,
}


def read_tlp(text: str) -> Tlp | None:
    """Read a label as people write it: `amber`, `TLP:AMBER+STRICT`, `AMBER_STRICT`, `white`.

    Returns:
        The step, or None where the text names none.
    """
    name = text.strip().upper().removeprefix("TLP:").replace("+", "_").replace("-", "_").replace(" ", "_")
    return Tlp.CLEAR if name == "WHITE" else Tlp.__members__.get(name)


def definition_tlp(definition: Mapping[str, Any]) -> Tlp | None:
    """Tell what a marking-definition object restricts.

    An object that carries the id of a TLP step is that step whatever else it says, and one that calls itself TLP under
    another id is RED: names are free, ids are not.

    Args:
        definition: a STIX marking-definition.

    Returns:
        The step it stands for, or None where it is a marking of another kind (a statement), which restricts nothing.
    """
    known = MARKING_IDS.get(str(definition.get("id")))
    if known is not None:
        return known
    if definition.get("definition_type") == "statement":
        return None
    return Tlp.RED
