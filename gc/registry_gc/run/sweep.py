"""The deletions of one image, each preceded by a second look, and what they must not take along."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event

from registry_gc.errors import Denied, Interrupted, RegistryGcError, Stop
from registry_gc.policy.decide import Decision, reach
from registry_gc.registry.listing import newer
from registry_gc.registry.manifests import Graph
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version
from registry_gc.run.mark import Plan, Reader
from registry_gc.server import packages, parallel
from registry_gc.server.client import Client

BATCH = 1000  # deletions between two looks: some ten seconds in which a push goes unseen


def sweep(reader: Reader, plan: Plan, stop: Event) -> Plan:
    """The plan after its deletions, with what failed and what was spared on the way.

    Nothing is raised: an error ends this image and becomes one of the plan's problems; one that
    concerns every image sets `stop` and is what the plan was stopped by.
    """
    try:
        for tags in (True, False):
            left = 0  # deletions that may follow the last look
            for indexes in (True, False):  # parents first: what fails must not lose its children
                wave = _wave(tags, indexes, plan.graph)
                with reader.progress(f"deleting from {plan.image}", len(wave(plan))) as advance:
                    while due := wave(plan)[: left or BATCH]:
                        if not left:
                            plan, left = look_again(reader, plan), BATCH
                        elif stop.is_set():
                            raise Interrupted
                        else:
                            plan = _delete(reader.client, plan, due, advance, stop)
                            left -= len(due)
                            plan = _spare(reader, plan, {}) if plan.failed else plan
    except Stop as error:
        stop.set()
        plan = replace(plan, stopped_by=plan.stopped_by or str(error))
    except RegistryGcError as error:
        plan = plan.with_problem(f"The deletions in {plan.image} ended early. {error}")
    return plan


def look_again(reader: Reader, plan: Plan) -> Plan:
    """The plan with what was pushed since it was made: each new version a root, no candidate."""
    fresh = newer(reader.client, plan.image, plan.known, plan.at)
    if plan.image in fresh.unclear:
        raise RegistryGcError(fresh.unclear[plan.image])
    return take_in(reader, plan, tuple(v for v in fresh.versions if v.image == plan.image))


def take_in(reader: Reader, plan: Plan, fresh: tuple[Version, ...]) -> Plan:
    """The plan with versions pushed since it was made; they replace the rows of the same name."""
    if not fresh:
        return plan
    names = {v.name for v in fresh}
    replaced = {v.id: v.name for v in plan.versions if v.name in names and v.id not in plan.deleted}
    again = set(replaced.values())
    plan = replace(
        plan,
        known=plan.known | {v.id for v in fresh},
        versions=(*fresh, *(v for v in plan.versions if v.id not in replaced)),
        kept={i: reason for i, reason in plan.kept.items() if i not in replaced},
        doomed={i: reason for i, reason in plan.doomed.items() if i not in replaced},
        failed={i: reason for i, reason in plan.failed.items() if i not in replaced},
    )
    return _spare(
        reader,
        plan,
        {v.id: f"pushed {'again ' if v.name in again else ''}during the run" for v in fresh},
    )


def _spare(reader: Reader, plan: Plan, roots: dict[int, str]) -> Plan:
    """The plan with the new roots kept, and all that they and failed deletions need."""
    standing = tuple(v for v in plan.versions if v.id not in plan.deleted)
    kept = {**plan.kept, **roots}
    holding = {**kept, **dict.fromkeys(plan.failed, "")}

    def settle(graph: Graph) -> Decision:
        return Decision(reach(standing, holding, graph), {})

    graph = reader.complete(standing, plan.graph, plan.rules, settle)
    kept = reach(standing, kept, graph)
    needed = {
        i: f"{reason}, whose deletion failed"
        for i, reason in settle(graph).kept.items()
        if i not in kept and i not in plan.failed
    }
    kept |= needed
    doomed = {i: reason for i, reason in plan.doomed.items() if i not in kept}
    return replace(plan, graph=graph, kept=kept, doomed=doomed, spared=plan.spared | needed.keys())


def _delete(
    client: Client, plan: Plan, due: list[Version], advance: Callable[[], None], stop: Event
) -> Plan:
    """The plan after the deletion of versions that are due."""
    deleted, failed, stopped_by = set(plan.deleted), dict(plan.failed), plan.stopped_by

    def delete(version: Version) -> None:
        packages.delete(client, version.image, version.name, version.id)

    for version, result in parallel.as_done(client.concurrency, delete, due):
        if result is None:
            deleted.add(version.id)
        elif isinstance(result, Stop):
            stop.set()
            stopped_by = stopped_by or str(result)
        if isinstance(result, Denied):
            failed[version.id] = "the server refused it (401 or 403)"
        elif result is not None and not isinstance(result, Stop):
            failed[version.id] = str(result)
        advance()
    return replace(plan, deleted=frozenset(deleted), failed=failed, stopped_by=stopped_by)


def _wave(tags: bool, indexes: bool, graph: Graph) -> Callable[[Plan], list[Version]]:
    """What of a plan is still to be deleted: tags or others, indexes or others."""

    def is_due(version: Version) -> bool:
        is_index = version.id in graph and bool(graph[version.id].refers_to)
        return is_plain_tag(version.name) is tags and is_index is indexes

    def due(plan: Plan) -> list[Version]:
        over = plan.deleted | set(plan.failed)
        return [v for v in plan.versions if v.id in plan.doomed and v.id not in over and is_due(v)]

    return due
