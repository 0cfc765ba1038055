"""The deletions, image by image, in waves, each shortly after a look for new pushes."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from registry_gc.errors import Denied, Interrupted, RegistryGcError, Stop
from registry_gc.registry.listing import TRIES
from registry_gc.registry.manifests import Graph, build_of, digests_of
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version, newest_first
from registry_gc.run import problems
from registry_gc.run.look import look_again, with_needed
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.stretch import FRESH, Stretch
from registry_gc.run.trash import fill
from registry_gc.server import packages, parallel

ROUNDS = 5  # looks after which a deletion that is refused each time has failed
NOT_ALLOWED = "the server refused it (401 or 403)"  # the run's own error says more


@dataclass(frozen=True, slots=True)
class Wave:
    """Some of what goes, all of it before the next wave begins."""

    is_tag: bool
    """Whether it is the tags that people push to."""
    is_index: bool
    """Whether it is only what refers to other versions."""
    looks_first: bool
    """Whether what was seen before it does not count."""

    def takes(self, version: Version, graph: Graph) -> bool:
        """Whether a version that goes, and is there still, belongs to this wave.

        To one that is not of indexes alone also those that were read after their own wave began.
        """
        manifest = graph.get(version.id)
        is_index = manifest is not None and bool(manifest.refers_to)
        return is_plain_tag(version.name) is self.is_tag and (is_index or not self.is_index)


WAVES = (
    Wave(is_tag=True, is_index=True, looks_first=True),  # indexes with a tag
    Wave(is_tag=True, is_index=False, looks_first=False),  # all other tags
    Wave(is_tag=False, is_index=True, looks_first=True),  # untagged indexes, those of attachments
    Wave(is_tag=False, is_index=False, looks_first=False),  # all other versions
)
"""Tags before the rest, so that a run that ends early leaves no tag without a part; indexes before
what they refer to, so that one whose deletion fails keeps its own."""


def turns(due: Iterable[Version], graph: Graph) -> list[deque[Version]]:
    """What is due, each turn to be over before the next; in a turn the newest comes first.

    Of the names of a build one a turn, the newest last: so one that went only in part is as young
    as it was, and takes no place of one of an older day or month. An index comes before those of
    them that it lists, so that one whose deletion fails keeps its own.
    """
    ordered = newest_first(due)
    depths = _depths(ordered, graph)
    newer = Counter[str]()  # build -> its names so far
    found: dict[tuple[int, int], deque[Version]] = {}
    for version in ordered:
        build = build_of(version, graph)
        found.setdefault((depths[build], -newer[build]), deque()).append(version)
        newer[build] += 1
    return [found[turn] for turn in sorted(found)]


def _depths(due: Sequence[Version], graph: Graph) -> Counter[str]:
    """How many of what is due, one in the other, each build lies in; 0 as a rule."""
    builds = {digest: build_of(v, graph) for v in due for digest in digests_of(v, graph)}
    entries = (
        (build_of(v, graph), builds[child.digest])
        for v in due
        if v.id in graph
        for child in graph[v.id].refers_to
        if child.digest in builds
    )
    lists = [(index, part) for index, part in entries if index != part]
    depths = Counter[str]()
    for _ in lists:  # as a rule once: an index is newer than what it lists
        before = dict(depths)
        for index, part in lists:
            depths[part] = max(depths[part], depths[index] + 1)
        if depths == before:
            break
    return depths


class Unfinished(RegistryGcError):
    """The deletions did not come to their end."""

    def __init__(self, reason: Stop) -> None:
        self.reason = reason
        super().__init__(
            f"{reason} The run ended there, without a last look at what stays: "
            "what is called deleted was deleted, all else was left alone. The next run does the "
            "rest."
        )


class TooLate(RegistryGcError):
    """The look before a deletion is too old: it was not sent, or not sent again."""

    def __str__(self) -> str:
        causes = getattr(self, "__notes__", ())[-1:]
        within = f"it did not come about within {FRESH:.0f} s of a look, {ROUNDS} times"
        return ": ".join((within, *causes))


class SlowLooks(RegistryGcError):
    """No look comes back in time for a deletion to follow it."""

    def __init__(self, took: float) -> None:
        super().__init__(
            f"Looking for new pushes took {took:.0f} s, and more than {FRESH:.0f} s {TRIES} times "
            "in a row: what was pushed meanwhile could have been lost. Run again when the server "
            "is less busy."
        )


def sweep(reader: Reader, plans: list[Plan], stop: Event) -> None:
    """Replaces each plan by the one after its deletions. Raises Unfinished after a stop."""
    gone = frozenset[int]()  # the search for one image's name may show rows of others
    for place, plan in enumerate(plans):
        if plan.doomed and not stop.is_set():
            there = replace(plan, there=plan.there - gone)
            plans[place] = sweep_image(reader, there, stop)
            gone |= plans[place].deleted
    if stop.is_set():
        raise Unfinished(next((p.stopped_by for p in plans if p.stopped_by), Interrupted()))


def sweep_image(reader: Reader, plan: Plan, stop: Event) -> Plan:
    """The plan after its deletions, with what failed and what was spared on the way.

    Nothing is raised: an error ends this image and becomes one of the plan's problems; one that
    concerns every image sets `stop` and is what the plan was stopped by.
    """
    sweeping = _Sweep(reader, plan, stop)
    try:
        sweeping.fill_trash()
        for wave in WAVES:
            sweeping.delete(wave)
    except Stop as error:
        sweeping.end_run(error)
    except RegistryGcError as error:
        return sweeping.plan.with_problems(problems.ended_early(plan.image, error))
    return sweeping.plan


class _Sweep:
    """The deletions of one image while they go on: `plan` is true at any moment."""

    def __init__(self, reader: Reader, plan: Plan, stop: Event) -> None:
        self.plan = plan
        self._reader, self._stop = reader, stop
        self._stretch = Stretch(reader, plan)  # of deletions, since the last look
        self._idle = 0  # looks in a row after which nothing was sent
        self._was_sent = False  # any deletion, since it was last looked at
        self._given_up = Counter[int]()  # how often a version's deletion was, for a look

    def fill_trash(self) -> None:
        """Has each tag that goes into the trash there, before any is deleted. Raises Stop."""
        if self.plan.trash:
            due = [v for v in self.plan.versions if v.id in self.plan.trash]
            self.plan = fill(self._reader, self.plan, turns(due, self.plan.graph))
        if self.plan.failed:
            self.plan = with_needed(self._reader, self.plan)

    def delete(self, wave: Wave) -> None:
        """Deletes what of the plan goes in this wave. Raises RegistryGcError."""
        plan = self.plan
        over = plan.deleted | plan.failed.keys()
        due = [
            v
            for v in plan.versions
            if v.id in plan.doomed and v.id not in over and wave.takes(v, plan.graph)
        ]
        if wave.looks_first:
            self._stretch.end()
        with self._reader.progress(f"deleting from {plan.image}", len(due)) as advance:
            for turn in turns(due, plan.graph):
                while turn:
                    if self._stop.is_set():
                        raise Interrupted
                    if self._stretch.is_full:
                        self._look()
                    else:
                        self._delete_next(turn, advance)

    def _look(self) -> None:
        """Looks again. Raises SlowLooks when several times no deletion came after it in time."""
        self._idle = 0 if self._was_sent else self._idle + 1
        if self._idle > TRIES:
            raise SlowLooks(self._reader.clock() - self.plan.looked)
        self._was_sent = False
        self.plan = look_again(self._reader, self.plan)
        self._stretch = Stretch(self._reader, self.plan)

    def end_run(self, error: Stop) -> None:
        """No other image is begun, for the reason of the first such error."""
        self._stop.set()
        self.plan = replace(self.plan, stopped_by=self.plan.stopped_by or error)

    def _delete_next(self, due: deque[Version], advance: Callable[[], None]) -> None:
        """Deletes what is due until the next look, and keeps what those that failed need."""
        failed = len(self.plan.failed)
        workers = min(self._reader.client.concurrency, len(due) + 1)  # and one that looks
        steps = self._stretch.steps(due, self.plan.doomed)
        due.extendleft(reversed(self._delete_all(workers, steps, advance)))
        if len(self.plan.failed) > failed:
            self.plan = with_needed(self._reader, self.plan)

    def _delete_all(
        self, workers: int, steps: Iterator[Version | None], advance: Callable[[], None]
    ) -> list[Version]:
        """Deletes several at once, notes what became of each, and gives back what was not sent."""
        plan = self.plan
        deleted, failed, late = set[int](), dict[int, str](), list[Version]()
        try:
            for version, error in parallel.as_done(workers, self._do, steps):
                if version is None:
                    continue
                if isinstance(error, TooLate) and self._given_up[version.id] < ROUNDS:
                    late.append(version)
                    continue
                if error is None:
                    deleted.add(version.id)
                elif isinstance(error, Denied):
                    failed[version.id] = NOT_ALLOWED
                elif not isinstance(error, Stop):
                    failed[version.id] = str(error)
                if isinstance(error, Stop):
                    self.end_run(error)
                advance()
        finally:
            self.plan = replace(
                self.plan,
                there=plan.there - deleted,
                deleted=plan.deleted | deleted,
                failed={**plan.failed, **failed},
            )
        return late

    def _do(self, version: Version | None) -> None:
        """A step of a stretch."""
        if version is None:
            self._stretch.look()
            return
        try:
            self._delete(version)
            self._stretch.answered.append(version.id)
        except Stop:  # no other is begun, until that is seen where the results are
            self._stretch.end()
            raise

    def _delete(self, version: Version) -> None:
        """Deletes one version. Raises TooLate rather than send it long after a look."""
        was_sent = False

        def check() -> None:
            nonlocal was_sent
            if self._stretch.is_over:
                self._given_up[version.id] += was_sent
                raise TooLate
            was_sent = self._was_sent = True

        if self._stretch.is_over:  # without waiting for its turn
            raise TooLate
        packages.delete(self._reader.client, version.image, version.name, version.id, check)
