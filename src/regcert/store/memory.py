"""What a process remembers of what it read: bounded in bytes, and never trusted beyond the number it is stamped with."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

_ENTRY_BYTES = 512


class Memory:
    """The answers used last, each under a stamp; with another stamp it is not known.

    Args:
        most_bytes: of all that is kept together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[int, int, Any]] = OrderedDict()

    def find(self, key: Hashable, stamp: int) -> Any:
        """Return what is kept under a key, or None where nothing is, or where it is of another time.

        Args:
            key: what was asked.
            stamp: the number under which the answer must have been read.
        """
        kept = self._kept.get(key)
        if kept is None or kept[0] != stamp:
            return None
        self._kept.move_to_end(key)
        return kept[2]

    def keep(self, key: Hashable, stamp: int, value: Any, size_bytes: int = 0) -> None:
        """Keep an answer, and forget those used longest ago where there is no room.

        Args:
            key: what was asked.
            stamp: under which number it was read.
            value: the answer, not None.
            size_bytes: about how large it is, beyond a few hundred bytes.
        """
        size = size_bytes + _ENTRY_BYTES
        if size * 8 > self._most_bytes:  # one answer must not drive out all the others
            return
        old = self._kept.pop(key, None)
        self._bytes += size - (old[1] if old else 0)
        self._kept[key] = (stamp, size, value)
        while self._bytes > self._most_bytes:
            _, (_, freed, _) = self._kept.popitem(last=False)
            self._bytes -= freed
