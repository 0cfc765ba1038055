"""From plans to the report's model: rows with their state, and the space they hold and free."""

from collections.abc import Sequence
from datetime import datetime

from registry_gc.registry import space
from registry_gc.registry.manifests import digests_of
from registry_gc.registry.versions import Version
from registry_gc.report.report import Image, Problem, Report, Row, State
from registry_gc.run.mark import Plan
from registry_gc.settings.inputs import Settings


def report(
    settings: Settings, now: datetime, plans: Sequence[Plan], problems: Sequence[Problem]
) -> Report:
    """The whole run, as it stands."""
    return Report(
        server_url=settings.server_url,
        owner=settings.owner,
        settings=settings.public(),
        started=now,
        images=tuple(image(plan, plans, settings) for plan in plans),
        problems=tuple(problems),
        freed=_freed(plans, plans, settings),
        is_dry_run=settings.dry_run,
    )


def image(plan: Plan, plans: Sequence[Plan], settings: Settings) -> Image:
    """One image; `plans` are all of the run, whose kept versions may share its blobs."""
    versions = sorted(plan.versions, key=lambda v: (v.created, v.id), reverse=True)
    is_measured = settings.measure_space and all(v.id in plan.graph for v in versions)
    return Image(
        plan.image,
        tuple(_row(plan, version) for version in versions),
        plan.problems,
        space.size(plan.graph, plan.graph) if is_measured else None,
        _freed([plan], plans, settings),
    )


def spared(before: Plan, after: Plan) -> list[Row]:
    """The versions that a plan did not keep, or did not know, and that the later one keeps."""
    return [
        _row(after, v) for v in after.versions if v.id in after.kept and v.id not in before.kept
    ]


def _row(plan: Plan, version: Version) -> Row:
    manifest = plan.graph.get(version.id)
    state = State.DOOMED
    if version.id in plan.kept:
        state = State.KEPT
    elif version.id in plan.deleted:
        state = State.DELETED
    elif version.id in plan.failed:
        state = State.FAILED
    return Row(
        version,
        state,
        plan.kept.get(version.id) or plan.doomed[version.id],
        plan.failed.get(version.id, ""),
        next(iter(digests_of(version, plan.graph)), ""),
        sum(size for _, size in manifest.blobs) if manifest else None,
    )


def _freed(of: Sequence[Plan], plans: Sequence[Plan], settings: Settings) -> int | None:
    """Bytes that the deletions in `of` free, or would; None when not all was read."""
    gone = [i for plan in of for i in _goes(plan, settings)]
    graph = {i: manifest for plan in plans for i, manifest in plan.graph.items()}
    if not settings.measure_space or not all(i in graph for i in gone):
        return None
    return space.size(graph, gone, graph.keys() - {i for p in plans for i in _goes(p, settings)})


def _goes(plan: Plan, settings: Settings) -> set[int]:
    return set(plan.doomed) if settings.dry_run else set(plan.deleted)
