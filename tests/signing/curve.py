"""The curve of Ed25519, as RFC 8032 §5.1 has it: slow, plain, and only for making what a library must refuse."""

from collections.abc import Iterator
from functools import cache

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    """Add two points."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def roots(y: int) -> Iterator[int]:
    """Yield every x with this y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in {root, root * pow(2, (P - 1) // 4, P) % P}:
        if x * x % P == square:
            yield from {x, -x % P}


BASE: Point = (min(x for x in roots(4 * pow(5, -1, P) % P) if x % 2 == 0), 4 * pow(5, -1, P) % P)


def encode(point: Point) -> bytes:
    """Write a point in its one encoding."""
    x, y = point
    return (y | (x % 2) << 255).to_bytes(32, "little")


def multiply(number: int, point: Point) -> Point:
    """Add a point to itself so often."""
    total = IDENTITY
    while number:
        if number % 2:
            total = add(total, point)
        point = add(point, point)
        number //= 2
    return total


@cache
def small_order_points() -> set[Point]:
    """Find the points whose order divides 8: what is left of any point when the large order is taken away."""
    order = 2**252 + 27742317777372353535851937790883648493
    found = {IDENTITY}
    y = 2
    while len(found) < 8:
        found |= {multiply(order, (x, y)) for x in roots(y)}
        y += 1
    return found


def small_order_encodings() -> set[bytes]:
    """Write these points in every way that a lenient decoder takes: with either sign bit, and with y plus p where that fits."""
    written = set()
    for _, y in small_order_points():
        for spelled in (y, y + P):
            if spelled < 2**255:
                written |= {(spelled | sign).to_bytes(32, "little") for sign in (0, 2**255)}
    return written
