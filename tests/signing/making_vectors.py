"""Write the test vectors: `python -m tests.signing.making_vectors`. The same bytes each time, and on each machine."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.signing.scene import KNOWN, Json
from tests.signing.vectors_of_keys import (
    canonical_vectors,
    key_list_vectors,
    key_vectors,
    leaf_vectors,
    possession_vectors,
    signature_vectors,
)
from tests.signing.vectors_of_publications import vectors as publication_vectors
from tests.signing.vectors_of_verdicts import proof_vectors, verdict_vectors

FOLDER = Path(__file__).parent / "vectors"
FILES: dict[str, Callable[[], Iterator[Json]]] = {
    "canonical": canonical_vectors,
    "public-keys": key_vectors,
    "signatures": signature_vectors,
    "publications": publication_vectors,
    "key-lists": key_list_vectors,
    "possessions": possession_vectors,
    "leaves": leaf_vectors,
    "verdicts": verdict_vectors,
    "proofs": proof_vectors,
}


def written(stem: str) -> str:
    """Write one file: what is known to every publication, then a vector a line."""
    lines = [{"known": KNOWN}, *FILES[stem]()] if stem == "publications" else [*FILES[stem]()]
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_vectors(stem: str) -> list[Json]:
    """Read the vectors of a file as it lies there."""
    lines = [json.loads(line) for line in (FOLDER / f"{stem}.jsonl").read_text("ascii").splitlines()]
    return [line for line in lines if "known" not in line]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in FILES:
        (FOLDER / f"{name}.jsonl").write_text(written(name), "ascii")
