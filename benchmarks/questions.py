"""What pollers ask, again and again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.loads import Scene
from benchmarks.marks import BY_ID, EMPTY, GROWTH_ONLY, Mark, incremental
from benchmarks.scale import Scale

CONDITION = b"If-None-Match"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that clients ask again and again.

    Args:
        kind: of the works that can be chosen.
        work: what the table calls it.
        clients: who ask at once.
        mark: what it ought to reach.
        requests: writes what is asked of one server.
        objects: how many each answer holds.
    """

    kind: str
    work: str
    clients: int
    mark: Mark
    requests: Callable[[Scene, Scale], Sequence[bytes]]
    objects: int


def list_questions(scale: Scale) -> Iterator[Question]:
    """List all questions, in the order in which they are asked."""
    last, page = scale.last, scale.page
    for readers in (1, 8, 32):
        mark, who = incremental(readers), count(readers, "reader")
        yield Question("incremental", f"last {last}, {who}", readers, mark, _ask_last, last)
        yield Question("incremental", f"{last} from many places, {who}", readers, mark, _ask_anywhere, last)
    yield Question("page", f"page of {page} from the middle, 1 reader", 1, GROWTH_ONLY, _ask_middle, page)
    yield Question("empty", "empty poll, 8 readers", 8, EMPTY, _ask_nothing, 0)
    yield Question("etag", f"last {last} again by ETag, 8 readers", 8, EMPTY, _ask_by_tag, last)
    yield Question("object", "object by id, 8 readers", 8, BY_ID, _ask_object, 1)
    yield Question("match", "match[id], 8 readers", 8, BY_ID, _ask_match_id, 1)
    yield Question("match", f"match[type], {last}, 8 readers", 8, BY_ID, _ask_match_type, last)


def count(number: int, noun: str) -> str:
    """Write a number of something."""
    return f"{number} {noun}{'s' * (number > 1)}"


def _after(place: str, limit: int) -> str:
    return f"added_after={place}&limit={limit}"


def _ask_last(scene: Scene, scale: Scale) -> list[bytes]:
    """Everybody from the same place, behind which exactly so many objects stand."""
    return [scene.target.speech.get(_after(scene.places[-scale.last - 1], scale.page))]


def _ask_anywhere(scene: Scene, scale: Scale) -> list[bytes]:
    """Each from a place of its own among the last few hundred, so that no answer serves twice."""
    return [scene.target.speech.get(_after(one, scale.last)) for one in scene.pick(scene.places[: -scale.last])]


def _ask_middle(scene: Scene, scale: Scale) -> list[bytes]:
    return [scene.target.speech.get(_after(scene.middle, scale.page))]


def _ask_nothing(scene: Scene, scale: Scale) -> list[bytes]:
    return [scene.target.speech.get(_after(scene.places[-1], scale.last))]


def _ask_by_tag(scene: Scene, scale: Scale) -> list[bytes]:
    """Ask on the condition that the answer has changed, if the server tells by what to know it; else without it."""
    [request] = _ask_last(scene, scale)
    tag = scene.target.fetch(request).header(b"etag")
    return [request.replace(b"\r\n\r\n", f"\r\n{CONDITION.decode()}: {tag}\r\n\r\n".encode())] if tag else [request]


def _ask_object(scene: Scene, _scale: Scale) -> list[bytes]:
    return [scene.target.speech.get("", f"objects/{one}/") for one in scene.pick(scene.corpus.ids)]


def _ask_match_id(scene: Scene, _scale: Scale) -> list[bytes]:
    return [scene.target.speech.get(f"match[id]={one}") for one in scene.pick(scene.corpus.ids)]


def _ask_match_type(scene: Scene, scale: Scale) -> list[bytes]:
    return [scene.target.speech.get(f"match[type]=sighting&limit={scale.last}")]
