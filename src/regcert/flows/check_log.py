"""Compute the whole transparency log again, from its entries to what was signed, and name the first thing that is not as it was.

A changed entry and a changed tile look alike at first: their hashes differ. Which of the two was changed is told by the next
checkpoint, whose signature nobody else can make.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from regcert.domain.verifier_key import VerifierKey, read_verifier_key
from regcert.errors import Code, Refusal
from regcert.flows.sign_log import HostLog
from regcert.signing.note import list_cosignatures, read_note
from regcert.store.checkpoints import Cosigned, Published, find_newest, list_checkpoints, list_lines, list_witnesses
from regcert.store.database import Database
from regcert.store.log import count_hashed, count_leaves, list_leaves, read_tiles
from regcert.store.programs import Program
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.frontier import Frontier
from regcert.translog.tiles import TILE_HEIGHT, TILE_WIDTH, Place
from regcert.translog.tree import HASH_BYTES, leaf_hash, tree_hash


@dataclass(slots=True)
class Checked:
    """What was computed and found as it was.

    Args:
        entries: of the log.
        tiles: of all levels.
        checkpoints: that are kept.
        cosignatures: of witnesses that are registered now.
    """

    entries: int = 0
    tiles: int = 0
    checkpoints: int = 0
    cosignatures: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """A tile's worth of the log.

    Args:
        first: the index of its first entry.
        entries: one tile of them, fewer at the end.
        tiles: that must be complete with these entries, or never will be.
        signed: the checkpoints that end within it by their sizes, each with its cosignatures.
    """

    first: int
    entries: Sequence[bytes]
    tiles: Mapping[Place, bytes]
    signed: Mapping[int, tuple[Published, Sequence[Cosigned]]]


async def check_log(database: Database, log: HostLog) -> Checked:
    """Check entries, tiles, checkpoints, cosignatures and the lock; the host may be at work meanwhile.

    1. The lock: signed by this host, no older than what was published, no newer than what was entered.
    2. Entry by entry: its place, and its hash in its tile; tile by tile: its hash in the one above.
    3. At each checkpoint: its signature, its root, and the cosignatures under it.

    Args:
        database: where the log is.
        log: its key and its lock.

    Raises:
        Refusal: LOG_FORK, naming the first thing that is not as it was.
        OSError: the lock cannot be read.
    """
    newest = await database.run(find_newest())
    held = await log.read_lock()  # 1; behind the newest, which it may be ahead of and never behind
    if held is None:
        raise _bad("the lock file is missing")
    leaves, hashed = await database.run(count_leaves()), await database.run(count_hashed())
    if not (newest.size if newest else 0) <= held[1].size <= min(leaves, hashed):
        raise _bad(f"the lock file is of {held[1].size} entries and the database is not: one of them is an old copy")
    witnesses = {one.name: read_verifier_key(one.verifier) for one in await database.run(list_witnesses())}
    walk = _Walk(log, held[1], hashed, witnesses)
    while walk.frontier.size < hashed or not hashed:
        walk.take(await database.run(_read(walk.frontier.size, hashed)))  # 2, 3
        if not hashed:
            break
    if walk.difference >= 0:
        raise _bad(f"entry {walk.difference} or its tile is not what it was")
    return walk.checked


def _read(first: int, hashed: int) -> Program[_Part]:
    entries = yield from list_leaves(first, min(TILE_WIDTH, hashed - first))
    end = first + len(entries)
    tiles = yield from read_tiles(_due(end, hashed))
    checkpoints = yield from list_checkpoints(first + 1 if first else 0, TILE_WIDTH + 1)
    signed: dict[int, tuple[Published, Sequence[Cosigned]]] = {}
    for one in checkpoints:
        if one.size <= end:
            signed[one.size] = one, (yield from list_lines(one.size))
    return _Part(first, entries, tiles, signed)


def _due(end: int, hashed: int) -> list[Place]:
    """Name the tiles that have got their last hash with the entry before `end`."""
    due: list[Place] = []
    level = 0
    while count := end >> TILE_HEIGHT * level:
        if end == hashed or (count % TILE_WIDTH == 0 and end % (1 << TILE_HEIGHT * level) == 0):
            due.append((level, (count - 1) // TILE_WIDTH))
        level += 1
    return due


@dataclass(slots=True)
class _Walk:
    """The tree as far as it was computed.

    Args:
        log: whose checkpoints these are.
        lock: what was signed last.
        hashed: how many entries the tiles cover.
        witnesses: the keys of those that are registered, by name.
        frontier: the tree of the entries.
        tiles: the last tile of each level, as it ought to be.
        difference: the first entry whose hash its tile does not have; -1 as long as there is none.
        told: the tree of what the tiles tell, from that entry on.
        checked: what was found as it was.
    """

    log: HostLog
    lock: Checkpoint
    hashed: int
    witnesses: Mapping[str, VerifierKey]
    frontier: Frontier = field(default_factory=Frontier)
    tiles: list[list[bytes]] = field(default_factory=lambda: [[]])
    difference: int = -1
    told: Frontier = field(default_factory=Frontier)
    checked: Checked = field(default_factory=Checked)

    def take(self, part: _Part) -> None:
        """Go on by a tile."""
        if len(part.entries) < min(TILE_WIDTH, self.hashed - part.first):
            raise _bad(f"entry {part.first + len(part.entries)} is missing")
        place = (0, part.first // TILE_WIDTH)
        tile = part.tiles.get(place, b"")
        if not part.first:
            self._check_signed(part.signed)
        for number, entry in enumerate(part.entries):
            hashed = leaf_hash(entry)
            stored = tile[number * HASH_BYTES : (number + 1) * HASH_BYTES]
            if stored != hashed and self.difference < 0:
                self.difference, self.told = self.frontier.size, deepcopy(self.frontier)
            self.frontier.push(hashed)
            self.tiles[0].append(hashed)
            if self.difference >= 0:
                self.told.push(stored)
            self._check_signed(part.signed)
        self.checked.entries += len(part.entries)
        self._check_tiles(part.tiles)

    def _check_signed(self, signed: Mapping[int, tuple[Published, Sequence[Cosigned]]]) -> None:
        size = self.frontier.size
        if size in signed:
            self._check_checkpoint(*signed[size])
        if size == self.lock.size:
            self._check_root(self.lock.root, "the lock file")

    def _check_checkpoint(self, published: Published, lines: Sequence[Cosigned]) -> None:
        what = f"the checkpoint of size {published.size}"
        try:
            checkpoint = self.log.read(published.note)
        except Refusal as refusal:
            raise _bad(f"{what} is not as it was signed") from refusal
        if checkpoint.size != published.size:
            raise _bad(f"{what} is of another size")
        self._check_root(checkpoint.root, what)
        text = read_note(published.note).text
        for cosigned in lines:
            if cosigned.name in self.witnesses:
                self._check_lines(text, cosigned, f"a cosignature under {what}")
        self.checked.checkpoints += 1

    def _check_lines(self, text: str, cosigned: Cosigned, what: str) -> None:
        note = b"\n".join([text.encode(), *dict.fromkeys([cosigned.first, cosigned.last]), b""])
        try:
            self.checked.cosignatures += len(list_cosignatures(read_note(note), self.witnesses[cosigned.name]))
        except Refusal as refusal:
            raise _bad(f"{what} is not as it was given") from refusal

    def _check_root(self, root: bytes, what: str) -> None:
        """Compare a signed root with the entries; where a tile differs from its entry, it tells which of them was changed."""
        entries = self.frontier.root() == root
        if self.difference < 0:
            if not entries:
                raise _bad(f"{what} is not of these entries")
        elif entries:
            raise _bad(f"tile 0/{self.difference // TILE_WIDTH} is not what it was, at entry {self.difference}")
        elif self.told.root() == root:
            raise _bad(f"entry {self.difference} is not what it was")
        else:
            raise _bad(f"entry {self.difference} and its tile are not what they were")

    def _check_tiles(self, stored: Mapping[Place, bytes]) -> None:
        """Compare the tiles that are complete by now, and hash full ones into the level above."""
        level = 0
        while level < len(self.tiles):
            hashes, number = self.tiles[level], ((self.frontier.size >> TILE_HEIGHT * level) - 1) // TILE_WIDTH
            if hashes and (level, number) in _due(self.frontier.size, self.hashed) and self.difference < 0:
                if stored.get((level, number)) != b"".join(hashes):
                    raise _bad(f"tile {level}/{number} is not what it was")
                self.checked.tiles += 1
            level += 1
            if len(hashes) == TILE_WIDTH:
                self.tiles += [[]] if level == len(self.tiles) else []
                self.tiles[level].append(tree_hash(hashes))
                hashes.clear()


def _bad(what: str) -> Refusal:
    return Refusal(Code.LOG_FORK, f"{what}; keep everything as it is, and go on as docs/operating-trust.md says")
