"""One image, listed, read and decided: what is kept, what is doomed, and what is not understood."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from registry_gc.errors import Gone, RegistryGcError, Stop
from registry_gc.policy.decide import Decision, Reasons, Rules, decide, unread
from registry_gc.registry.listing import TRIES, Listing, list_versions
from registry_gc.registry.manifests import Child, Graph, children_of, digests_of
from registry_gc.registry.reading import Indexes, read
from registry_gc.registry.version_names import is_plain_tag, short
from registry_gc.registry.versions import Version
from registry_gc.report.report import Problem
from registry_gc.server.client import Client


class Progress(Protocol):
    """Shows that something long goes on: progress("reading app", 500) as advance: advance()."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """A label and how many steps come; what is yielded is called after each of them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading manifests takes."""

    client: Client
    progress: Progress
    measure_space: bool
    indexes: Indexes = field(default_factory=dict)  # filled while reading: each is fetched once

    def complete(
        self,
        versions: tuple[Version, ...],
        graph: Graph,
        rules: Rules,
        settle: Callable[[Graph], Decision],
    ) -> Graph:
        """The graph, with all that `settle`, which says what is kept, needs to come out right."""
        while todo := unread(versions, settle(graph), graph, rules, self.measure_space):
            with self.progress(f"reading {todo[0].image}", len(todo)) as advance:
                graph = {**graph, **read(self.client, todo, self.indexes, advance)}
        return graph


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known and decided of one image, and what was done so far."""

    image: str
    query: str  # of the listing it was found in
    at: datetime  # the server's clock when that listing began
    known: frozenset[int]  # the ids of that listing, and of what was seen since
    rules: Rules
    versions: tuple[Version, ...] = ()
    graph: Graph = field(default_factory=dict)
    kept: Reasons = field(default_factory=dict)
    until: Mapping[int, datetime] = field(default_factory=dict)  # of what only its age keeps
    doomed: Reasons = field(default_factory=dict)
    deleted: frozenset[int] = frozenset()
    failed: Mapping[int, str] = field(default_factory=dict)  # a doomed version's id -> why
    spared: frozenset[int] = frozenset()  # kept for no other reason than that a deletion failed
    broken_before: frozenset[tuple[str, Child]] = frozenset()  # children missing before the run
    problems: tuple[Problem, ...] = ()
    stopped_by: str = ""  # what ended the whole run while this image was swept

    def with_problem(self, text: str, is_error: bool = True) -> "Plan":
        """The plan with a sentence more to report."""
        return replace(self, problems=(*self.problems, Problem(text, is_error)))


def mark(reader: Reader, image: str, listing: Listing, rules: Rules, now: datetime) -> Plan:
    """The plan for one image. One that cannot be understood keeps all, with the reason as error.

    Raises Stop, which concerns every image.
    """
    plan = _unmarked(image, listing, rules)
    for attempt in range(TRIES):
        try:
            if attempt:
                listing = list_versions(reader.client, image)
                plan = _unmarked(image, listing, rules)
            if image in listing.unclear:
                raise RegistryGcError(listing.unclear[image])
            return _decided(reader, plan, now)
        except Stop:
            raise
        except Gone as error:
            # Deleted or pushed again between the listing and the reading: both are done anew.
            problem: RegistryGcError = error
        except RegistryGcError as error:
            problem = error
            break
    untouched = {v.id: "left alone: the image could not be understood" for v in plan.versions}
    text = f"Nothing of {image} was deleted, for it could not be understood. {problem}"
    return replace(plan, kept=untouched).with_problem(text)


def _unmarked(image: str, listing: Listing, rules: Rules) -> Plan:
    versions = tuple(v for v in listing.versions if v.image == image)
    return Plan(image, listing.query, listing.at, listing.ids, rules, versions)


def _decided(reader: Reader, plan: Plan, now: datetime) -> Plan:
    def decision(graph: Graph) -> Decision:
        return decide(plan.versions, graph, plan.rules, now)

    graph: Graph = {}
    if decision(graph).doomed:
        graph = reader.complete(plan.versions, graph, plan.rules, decision)
    found = decision(graph)
    kept, doomed = found.kept, found.doomed
    plan = replace(plan, graph=graph, kept=kept, until=found.until, doomed=doomed)
    if plan.versions and not any(is_plain_tag(v.name) for v in plan.versions):
        plan = plan.with_problem(f"{plan.image} has no tag at all and was left alone.", False)
    broken = missing(plan.versions, graph, kept)
    for version, child in broken:
        if child in children_of(version, graph):  # what is older and broken hinders no pull by tag
            plan = plan.with_problem(
                f"{described(version.name, child)} was missing before this run, so it cannot be "
                "pulled whole. Push it again, or delete it.",
                False,
            )
    return replace(plan, broken_before=frozenset((v.name, child) for v, child in broken))


def missing(
    versions: tuple[Version, ...], graph: Graph, kept: Reasons
) -> list[tuple[Version, Child]]:
    """The children that kept indexes name and no version holds, each with its parent."""
    present = {digest for v in versions for digest in digests_of(v, graph)}
    return [
        (v, child)
        for v in versions
        if v.id in kept and v.id in graph
        for child in graph[v.id].refers_to
        if child.digest not in present
    ]


def described(name: str, child: Child) -> str:
    """A missing child as people know it: `v1.2.0: linux/arm64 (sha256:12ab…)`."""
    return f"{short(name)}: {child.platform or 'a part'} ({short(child.digest)})"
