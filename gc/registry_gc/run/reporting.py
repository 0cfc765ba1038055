"""From plans to the report's model: rows with their state, and the space they hold and free."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from registry_gc.registry import builds, space
from registry_gc.registry.builds import builds_of
from registry_gc.registry.manifests import digest_of
from registry_gc.registry.trash_names import is_in_trash
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version, newest_first
from registry_gc.report.report import Build, Image, Problem, Report, Row, State
from registry_gc.report.wording import attached
from registry_gc.run.plan import Plan
from registry_gc.settings.inputs import Settings
from registry_gc.sources.source import LookedAt


def report(
    settings: Settings,
    now: datetime,
    plans: Sequence[Plan],
    problems: Sequence[Problem],
    looked_at: Sequence[LookedAt] = (),
) -> Report:
    """The whole run, as it stands."""
    needed = frozenset[str]().union(*(needed_blobs(plan, settings) for plan in plans))
    return Report(
        server_url=settings.server_url,
        owner=settings.owner,
        settings=settings.public(),
        started=now,
        images=tuple(image(plan, needed, settings) for plan in plans),
        problems=tuple(problems),
        freed=_freed(plans, needed, settings),
        is_dry_run=settings.dry_run,
        looked_at=tuple(map(str, looked_at)),
    )


def restored(
    settings: Settings, now: datetime, back: Sequence[str], problems: Sequence[Problem]
) -> Report:
    """A run that put tags back from the trash, or in a dry run would."""
    return replace(report(settings, now, [], problems), restored=tuple(back))


def needed_blobs(plan: Plan, settings: Settings) -> Iterable[str]:
    """The digests of the blobs that what stays of an image uses: nobody frees them."""
    return space.blobs(plan.graph, plan.graph.keys() - _frees(plan, settings)).keys()


def image(plan: Plan, needed: Container[str], settings: Settings) -> Image:
    """One image; `needed` are the blobs that what stays uses, in any image of the run."""
    versions = newest_first(plan.versions)
    is_measured = settings.measure_space and all(v.id in plan.graph for v in versions)
    rows = {version.id: _row(plan, version) for version in versions}
    builds = _builds(plan, rows, is_measured)
    leftovers = _goes(plan, settings) - {r.version.id for build in builds for r in build.rows}
    others = space.blobs(plan.graph, plan.graph.keys() - leftovers)
    return Image(
        plan.title,
        tuple(rows.values()),
        builds,
        plan.problems,
        _in_trash(plan, rows, is_measured),
        plan.waiting,
        space.size(plan.graph, plan.graph) if is_measured else None,
        _freed([plan], needed, settings),
        space.size(plan.graph, leftovers, others) if is_measured else None,
        plan.prefix.rstrip("/"),
    )


def _builds(plan: Plan, rows: Mapping[int, Row], is_measured: bool) -> tuple[Build, ...]:
    """The builds; a part that stays although what it is part of goes is one of its own."""
    found = builds_of(plan.versions, plan.graph)
    kept = [build for build in found if any(tag.id in plan.kept for tag in build.tags)]
    alone = plan.kept.keys() - {version.id for build in kept for version in build.versions}
    if any(is_plain_tag(rows[i].version.name) for i in alone):
        found = builds_of(plan.versions, plan.graph, alone)
    return _as_reported(found, plan, rows, is_measured)


def _in_trash(plan: Plan, rows: Mapping[int, Row], is_measured: bool) -> tuple[Build, ...]:
    """What the trash still holds, as builds of their own."""
    found = builds_of(plan.versions, plan.graph, is_tag=is_in_trash)
    kept = [build for build in found if build.tags[0].id in plan.kept]
    return _as_reported(kept, plan, rows, is_measured)


def _as_reported(
    found: Sequence[builds.Build], plan: Plan, rows: Mapping[int, Row], is_measured: bool
) -> tuple[Build, ...]:
    ids = [{version.id for version in build.versions} for build in found]
    adds = space.added(plan.graph, ids)
    return tuple(
        Build(
            tuple(rows[tag.id] for tag in build.tags),
            tuple(rows[part.id] for part in build.parts),
            tuple(rows[other.id] for other in (*build.children, *build.attachments)),
            build.platforms,
            attached(build),
            adds[place] if is_measured else None,
            space.size(plan.graph, ids[place]) if is_measured else None,
        )
        for place, build in enumerate(found)
    )


def spared(before: Plan, after: Plan) -> list[Row]:
    """The versions that a plan did not keep, or did not know, and that the later one keeps."""
    return [
        _row(after, v) for v in after.versions if v.id in after.kept and v.id not in before.kept
    ]


def _row(plan: Plan, version: Version) -> Row:
    manifest = plan.graph.get(version.id)
    state = State.DOOMED
    name = plan.trash.get(version.id)
    doomed = plan.doomed.get(version.id, "") + (f", into the trash as {name}" if name else "")
    if version.id in plan.kept:
        state = State.KEPT
    elif version.id in plan.deleted:
        state = State.DELETED
    elif version.id in plan.failed:
        state = State.FAILED
    return Row(
        version,
        state,
        plan.kept.get(version.id) or doomed,
        plan.until.get(version.id) if version.id in plan.kept else None,
        plan.failed.get(version.id, ""),
        digest_of(version, plan.graph),
        sum(size for _, size in manifest.blobs) if manifest else None,
    )


def _freed(plans: Sequence[Plan], needed: Container[str], settings: Settings) -> int | None:
    """Bytes that the deletions in some images free, or would; None when not all was read."""
    gone = {i for plan in plans for i in _frees(plan, settings)}
    graph = {i: manifest for plan in plans for i, manifest in plan.graph.items() if i in gone}
    is_measured = settings.measure_space and gone <= graph.keys()
    return space.size(graph, gone, needed) if is_measured else None


def _frees(plan: Plan, settings: Settings) -> set[int]:
    """What goes and leaves nothing of itself in the trash."""
    return _goes(plan, settings) - plan.trash.keys()


def _goes(plan: Plan, settings: Settings) -> set[int]:
    return set(plan.doomed) if settings.dry_run else set(plan.deleted)
