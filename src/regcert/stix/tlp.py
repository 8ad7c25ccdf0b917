"""TLP 2.0 as an ordered scale, and the marking-definition ids by which STIX names its steps.

TLP 1.x ids are understood: WHITE is CLEAR. A definition that is not TLP (a copyright statement, say) restricts nothing; one
that we cannot tell is RED, because the host must not guess downwards.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from regcert.errors import Code, Refusal


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

    An object that carries the id of a TLP step is that step, and one that calls itself TLP under another id is RED: names are
    free, ids are not. What carries the id of a step and says something else is refused: whoever reads it here would believe it.

    Args:
        definition: a STIX marking-definition.

    Returns:
        The step it stands for, or None where it is a marking of another kind (a statement), which restricts nothing.

    Raises:
        Refusal: INVALID_STIX.
    """
    known = MARKING_IDS.get(str(definition.get("id")))
    if known is not None:
        if any(step is not known for step in _steps_told(definition)):
            raise Refusal(
                Code.INVALID_STIX,
                "the id is that of a TLP marking and the content is not; leave it out, everybody has that marking",
            )
        return known
    if definition.get("definition_type") == "statement":
        return None
    return Tlp.RED


def _steps_told(definition: Mapping[str, Any]) -> list[Tlp | None]:
    """List what a definition says that it is, in each place where one can say so; None for what is no step."""
    told: list[Tlp | None] = []
    kind, content, name = (definition.get(key) for key in ("definition_type", "definition", "name"))
    if kind is not None or content is not None:
        is_tlp = isinstance(kind, str) and kind.lower() == "tlp"
        told.append(read_tlp(str(content.get("tlp"))) if is_tlp and isinstance(content, Mapping) else None)
    extensions = definition.get("extensions")
    parts = extensions.values() if isinstance(extensions, Mapping) else ()
    told += [read_tlp(str(part["tlp_2_0"])) for part in parts if isinstance(part, Mapping) and "tlp_2_0" in part]
    if isinstance(name, str) and (step := read_tlp(name)) is not None:
        told.append(step)
    return told or [None]
