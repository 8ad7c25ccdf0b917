"""Verify files, or a mirror, without a network: one verdict for each object, and one answer for all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regcert.errors import Code, Refusal
from regcert.signing.verdict import Verdict, worst
from regcert.verification.alarms import Alarm, Alert, is_forked, is_old
from regcert.verification.answers_kept import is_stale, read_kept
from regcert.verification.completeness import find_set_alerts
from regcert.verification.judging import Gathered, Judged, View, gather, judge_all
from regcert.verification.mirror import Mirror
from regcert.verification.mirrored import Mirrored, read_mirror
from regcert.verification.reading import read_files
from regcert.verification.roots import Trust

MOST_FILES = 100_000
MOST_ALERTS = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """What came out.

    Args:
        judged: each object, manifests first.
        alerts: what else was found, the worst first, at most a thousand.
        stale: the view is old.
    """

    judged: Sequence[Judged]
    alerts: Sequence[Alert]
    stale: bool

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many objects have which verdict."""
        return Counter(one.finding.verdict for one in self.judged)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict, which is that of the whole set; without any object, that of the view."""
        of_view = [Verdict.FORK] if is_forked(self.alerts) else [Verdict.STALE] if self.stale else []
        return worst([*self.counts, *of_view])


def verify(paths: Sequence[Path], trust: Trust, now_us: int, proofs: Path | None = None) -> Report:
    """Verify files and folders.

    A single mirror is verified as a whole, with what must be in it. Of everything else, each object is judged by itself.

    Args:
        paths: bundles, envelopes, folders of them; or one mirror.
        trust: what the reader believes.
        now_us: the present, by his clock.
        proofs: a mirror, or a folder with answers of the proof API; by it the files are judged.

    Raises:
        Refusal: what cannot be read at all has no verdict.
    """
    if proofs is None and len(paths) == 1 and Mirror(paths[0]).exists:
        mirror = Mirror(paths[0])
        return verify_mirror(read_mirror(mirror, trust, mirror.read_state()), gather(read_files(mirror.bundles())), now_us)
    mirrors = [path for path in paths if Mirror(path).exists]
    known = proofs or (mirrors[0] if len(mirrors) == 1 else None)
    gathered = gather(read_files(list_files(paths)))
    if known is not None and Mirror(known).exists:
        return verify_by_mirror(gathered, read_mirror(Mirror(known), trust, Mirror(known).read_state()), now_us)
    if known is None:
        folders = [path for path in paths if path.is_dir()]
        known = folders[0] / "proofs" if len(folders) == 1 and (folders[0] / "proofs").is_dir() else None
    return _verify_by_answers(gathered, known, trust, now_us)


def verify_mirror(mirrored: Mirrored, gathered: Gathered, now_us: int, before: Sequence[Alert] = ()) -> Report:
    """Verify a mirror as a whole.

    Args:
        mirrored: what it says.
        gathered: the objects that it has.
        now_us: the present, by the reader's clock.
        before: what its reading has found just now.
    """
    statements = list(gathered.statements.values())
    of_log = [*before, *mirrored.find_log_alerts(now_us)]
    view = _view(mirrored, gathered, now_us, of_log)
    alerts = [*of_log, *mirrored.find_order_alerts(statements), *find_set_alerts(gathered, view)]
    view = _view(mirrored, gathered, now_us, of_log, stale=is_old(alerts))
    return Report(list(judge_all(gathered, view)), _in_order(alerts), view.stale)


def verify_by_mirror(gathered: Gathered, mirrored: Mirrored, now_us: int) -> Report:
    """Verify objects from anywhere by what a mirror knows; whether all are there is not asked."""
    alerts = list(mirrored.find_log_alerts(now_us))
    view = _view(mirrored, gathered, now_us, alerts, stale=is_old(alerts))
    return Report(list(judge_all(gathered, view)), _in_order(alerts), view.stale)


def list_files(paths: Iterable[Path]) -> list[Path]:
    """List the files to read: those that are named, and of a folder every `*.json` but a mirror's own notes.

    Raises:
        Refusal: MALFORMED_REQUEST where one is not there; TOO_LARGE for more than 100,000.
    """
    found: list[Path] = []
    for path in paths:
        if Mirror(path).exists:
            found += Mirror(path).bundles()
        elif path.is_dir():
            inside = sorted(one for one in path.rglob("*.json") if "proofs" not in one.relative_to(path).parts[:-1])
            found += [one for one in inside if one.is_file()]
        elif path.exists():
            found.append(path)
        else:
            raise Refusal(Code.MALFORMED_REQUEST, f"there is no {path.name}")
        if len(found) > MOST_FILES:
            raise Refusal(Code.TOO_LARGE, f"these are more than {MOST_FILES} files; verify them in parts")
    return found


def _view(mirrored: Mirrored, gathered: Gathered, now_us: int, of_log: Iterable[Alert], *, stale: bool = False) -> View:
    return View(
        trust=mirrored.trust,
        histories=mirrored.histories,
        placed=mirrored.place_all(gathered.statements.values()),
        now_us=now_us,
        host=mirrored.state.host,
        collection=mirrored.state.collection,
        stale=stale,
        forked=is_forked(of_log),
    )


def _verify_by_answers(gathered: Gathered, folder: Path | None, trust: Trust, now_us: int) -> Report:
    if folder is None:
        view = View(trust, {}, {}, now_us)
        return Report(list(judge_all(gathered, view)), (), stale=False)
    kept = read_kept(folder, trust, gathered.statements.values())
    alerts = []
    if kept.is_forked:
        alerts.append(Alert(Alarm.EQUIVOCATION, "two checkpoints of one log contradict each other; show both to the others"))
    if is_stale(kept.fresh_s, trust, now_us):
        alerts.append(Alert(Alarm.FREEZE, "the proofs are older than your limit; fetch them again"))
    view = View(trust, kept.histories, kept.placed, now_us, stale=is_old(alerts), forked=kept.is_forked)
    return Report(list(judge_all(gathered, view)), _in_order(alerts), view.stale)


def _in_order(alerts: Iterable[Alert]) -> list[Alert]:
    order = list(Alarm)
    return sorted(dict.fromkeys(alerts), key=lambda alert: order.index(alert.alarm))[:MOST_ALERTS]
