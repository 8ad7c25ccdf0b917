"""Gather all that some values hang together with, as far as the answer may depend on it."""

import logging
from collections.abc import Collection as Values
from dataclasses import dataclass, field

from regcert.flows.derive import load_named
from regcert.flows.hear_decisions import Bench
from regcert.store.derived import Families, find_above
from regcert.store.groups import Contexts, load_memberships, load_ties
from regcert.store.programs import Program

# How many values a chain of contexts is followed to. A region's stories hang together by hosting and digests; beyond this many
# to look further costs posts their turn, and what is told anew there says little of here.
MOST_TOLD_ANEW = 4_000

_LOG = logging.getLogger("regcert.correlation")


@dataclass(slots=True)
class Around:
    """Values with all that they hang together with, as far as it was loaded; `bench` knows what coordinators decided."""

    bench: Bench
    contexts: Contexts = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    previous: dict[bytes, str] = field(default_factory=dict)
    claimed: set[bytes] = field(default_factory=set)
    families: Families = field(default_factory=dict)

    def load_chain(self, scope: str, keys: set[bytes], lost: set[str]) -> Program[set[bytes]]:
        """Load values and whatever a chain of contexts leads to. Return all of them.

        What belongs together is decided over all of it at once: so it is the same whatever came first. Beyond MOST_TOLD_ANEW
        values the chain is cut: what is nearest is told anew, whole incidents only, and what lies farther stays as it was told.
        """
        fresh, asked = set(keys), set(lost)
        if lost:
            asked |= yield from load_ties(scope, lost)
        done: set[bytes] = set()
        while fresh:
            done |= fresh
            yield from self._load_contexts(scope, fresh)
            asked = asked.union(*(self.contexts[key] for key in fresh))
            memberships, claimed = yield from load_memberships(scope, fresh, asked)
            self.previous |= memberships
            self.claimed |= claimed
            decided = yield from self.bench.hear(fresh | memberships.keys())
            kin = (yield from find_above(scope, fresh)).union(*(self.families.get(key, ()) for key in fresh))
            fresh, asked = (memberships.keys() | claimed | decided | kin) - done, set()
            if len(done) + len(fresh) > MOST_TOLD_ANEW:
                _LOG.warning("stories hang together too widely: %d values are told anew, others stay as they are", len(done))
                # An incident is told anew as a whole or not at all: the rest of those that were begun comes along.
                begun = {self.previous[key] for key in done if key in self.previous}
                self.previous = {key: one for key, one in self.previous.items() if one in begun}
                done |= self.previous.keys()
                yield from self._load_contexts(scope, done)
                break
        return done

    def load_incidents(self, scope: str, keys: set[bytes]) -> Program[set[bytes]]:
        """Load values and those in the same incidents. Return all of them."""
        if not keys:
            return set()
        memberships, _ = yield from load_memberships(scope, keys, ())
        self.previous |= memberships
        yield from self._load_contexts(scope, keys | memberships.keys())
        return keys | memberships.keys()

    def _load_contexts(self, scope: str, keys: Values[bytes]) -> Program[None]:
        named = yield from load_named(scope, keys - self.contexts.keys())
        self.contexts |= named.contexts
        self.families |= named.families
        for context, author in named.authors.items():
            self.authors[context] = min(author, self.authors.get(context, author))
