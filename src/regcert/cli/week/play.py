"""The play: every scene through the interfaces that anybody has, TAXII and the API."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from regcert.cli.week.scenes import SHARED, Poll, Publication, Scene, Sighted
from regcert.cli.week.stage import Passes
from regcert.client import Client
from regcert.clock import SystemClock
from regcert.errors import Code, Refusal
from regcert.outbound.api import report_sightings
from regcert.outbound.taxii import TaxiiHost
from regcert.stix.timestamps import write_timestamp


@dataclass(slots=True)
class Tally:
    """What was played: objects published, objects that sensors fetched, reports of sightings."""

    published: int = 0
    fetched: int = 0
    reports: int = 0


def play(scenes: Sequence[Scene], server: str, passes: Passes, told: Callable[[Scene, Tally], None]) -> Tally:
    """Play scenes one after the other.

    Args:
        scenes: in order.
        server: the address of the host.
        passes: everybody's tokens.
        told: called before each scene with all that was played so far.

    Raises:
        Refusal: REFUSED_BY_SERVER where the host does not take what is in the script; UNREACHABLE.
    """
    with ExitStack() as open_hosts:
        actors = _Actors(server, passes, open_hosts)
        for scene in scenes:
            told(scene, actors.tally)
            actors.act(scene)
        return actors.tally


class _Actors:
    """The teams, each with connections of its own; a sensor remembers when it polled last."""

    def __init__(self, server: str, passes: Passes, open_hosts: ExitStack) -> None:
        self.tally = Tally()
        self._server = server
        self._passes = passes
        self._publishers = {team: open_hosts.enter_context(TaxiiHost(server, token)) for team, token in passes.analysts.items()}
        self._sensors = {team: open_hosts.enter_context(Client(server, token)) for team, token in passes.sensors.items()}
        self._polled: dict[str, str] = {}

    def act(self, scene: Scene) -> None:
        match scene:
            case Publication():
                self._publish(scene)
            case Poll():
                self._poll(scene)
            case Sighted():
                self._report(scene)

    def _publish(self, scene: Publication) -> None:
        answer = self._publishers[scene.team].publish(scene.collection, scene.objects)
        if answer.failures:
            raise _refused(scene.team, answer.failures[0].message)
        self.tally.published += answer.accepted

    def _poll(self, scene: Poll) -> None:
        # From before the last poll on: what came in while that poll was read is read again rather than missed.
        since, self._polled[scene.team] = self._polled.get(scene.team), write_timestamp(SystemClock().now_us())
        self.tally.fetched += sum(1 for _ in self._sensors[scene.team].objects(SHARED, added_after=since, unique=True))

    def _report(self, scene: Sighted) -> None:
        answer = asyncio.run(report_sightings(self._server, self._passes.sensors[scene.team], scene.reports))
        if answer.refused:
            raise _refused(scene.team, answer.refused[0].message)
        self.tally.reports += answer.accepted


def _refused(team: str, message: str) -> Refusal:
    return Refusal(Code.REFUSED_BY_SERVER, f"the host did not take what {team} sends in the script: {message}")
