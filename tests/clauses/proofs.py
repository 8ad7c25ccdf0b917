"""Which tests say that they prove which statement, found in their source without running anything."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """One test.

    Args:
        path: of its module, below the folder of tests.
        name: of the function.
        fails: whether it is marked as one that fails, or is skipped, and so proves nothing yet.
    """

    path: str
    name: str
    fails: bool = False


class MarkerError(Exception):
    """A marker says something that no table could be made of."""


def read_proofs(folder: Path = TESTS) -> Mapping[str, tuple[Proof, ...]]:
    """Read the markers of all tests.

    Returns:
        For each id that is named anywhere, the tests that name it, by path and then in their order.

    Raises:
        MarkerError: naming the place.
    """
    found: defaultdict[str, list[Proof]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if "mark.clause" not in text:
            continue
        name = path.relative_to(folder).as_posix()
        for clause_id, proof in _read_markers(name, ast.parse(text)):
            found[clause_id].append(proof)
    return {clause_id: tuple(proofs) for clause_id, proofs in found.items()}


def _read_markers(path: str, module: ast.Module) -> Iterator[tuple[str, Proof]]:
    seen = 0
    for function in module.body:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named: list[str] = []
        for decorator in function.decorator_list:
            if not _is_marker(decorator):
                continue
            seen += 1
            named += _read_ids(f"{path}::{function.name}", decorator)
        if named and not function.name.startswith("test_"):
            raise MarkerError(f"{path}::{function.name} is no test")
        if len(named) != len(set(named)):
            raise MarkerError(f"{path}::{function.name} names a statement twice")
        proof = Proof(path, function.name, any(map(_is_doubt, function.decorator_list)))
        yield from ((clause_id, proof) for clause_id in named)
    # On a class, a parameter or a whole module a marker would count for pytest and be missing here.
    if seen != sum(_is_marker(node) for node in ast.walk(module)):
        raise MarkerError(f"{path}: the marker stands on functions of the module, and nowhere else")


def _is_marker(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.clause"


def _is_doubt(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).startswith(("pytest.mark.xfail", "pytest.mark.skip"))


def _read_ids(place: str, decorator: ast.expr) -> list[str]:
    assert isinstance(decorator, ast.Call)
    ids = [one.value for one in decorator.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if not ids or len(ids) != len(decorator.args) or decorator.keywords:
        raise MarkerError(f"{place}: the marker takes ids, written out")
    return ids
