"""STIX identifiers."""

import re

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def is_stix_id(text: str) -> bool:
    """Tell whether a text has the shape of a STIX id.

    Spec: STIX 2.1 §2.9
    """
    return len(text) <= 300 and _ID.fullmatch(text) is not None
