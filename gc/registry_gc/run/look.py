"""Looks for what was pushed since an image was listed, and takes it into its plan."""

from collections.abc import Iterable
from dataclasses import replace

from registry_gc.policy.decide import Decision, decide, reach
from registry_gc.registry.listing import list_versions, newer
from registry_gc.registry.manifests import Graph, digests_of
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.trash import copied, with_copies


def look_again(reader: Reader, plan: Plan) -> Plan:
    """The plan with what was pushed since it was made: each new version a root, no candidate.

    Where the total says that the newest rows did not show all that came or went, the image is
    listed as a whole. No deletion may be in flight. Raises RegistryGcError when that cannot be
    understood.
    """
    moments: list[float] = []

    def note() -> None:
        moments.append(reader.clock())

    found = newer(reader.client, plan.image, plan.known, plan.since, note)
    there = (plan.there - replaced_by(found.versions, plan)) | found.ids
    if found.total != len(there):
        note()
        found = list_versions(reader.client, plan.image)
        there = found.ids
    found.check(plan.image)
    fresh = tuple(v for v in found.versions if v.image == plan.image and v.id not in plan.known)
    known, looked = plan.known | found.ids, moments[-1]
    plan = replace(plan, known=known, there=there, since=found.since, looked=looked)
    return take_in(reader, plan, fresh)


def replaced_by(fresh: Iterable[Version], plan: Plan) -> frozenset[int]:
    """The ids of the rows that went when these were pushed: an image has each name once."""
    names = {v.name for v in fresh if v.image == plan.image}
    return frozenset(v.id for v in plan.versions if v.name in names) if names else frozenset()


def take_in(reader: Reader, plan: Plan, fresh: tuple[Version, ...]) -> Plan:
    """The plan with versions pushed since it was made; they replace the rows of the same name."""
    if not fresh:
        return plan
    names = {v.name for v in fresh}
    replaced = {v.id: v.name for v in plan.versions if v.name in names and v.id not in plan.deleted}
    again = set(replaced.values())
    plan = replace(
        plan,
        versions=(*fresh, *(v for v in plan.versions if v.id not in replaced)),
        kept={i: reason for i, reason in plan.kept.items() if i not in replaced},
        doomed={i: reason for i, reason in plan.doomed.items() if i not in replaced},
        failed={i: reason for i, reason in plan.failed.items() if i not in replaced},
    )
    reasons = {v.id: _pushed(is_again=v.name in again) for v in fresh}
    plan = with_copies(replace(plan, kept={**plan.kept, **reasons}), fresh)
    return with_needed(reader, _without_what_stays_now(reader, plan) if again else plan)


def _without_what_stays_now(reader: Reader, plan: Plan) -> Plan:
    """The plan without what would stay by the rules for what is there now.

    A tag that was pushed again after it was listed and before it was read had the date of one push
    and the content of the other: what was decided by that may be due at neither moment.
    """
    there = tuple(v for v in plan.versions if v.id not in plan.deleted)

    def decision(graph: Graph) -> Decision:
        return decide(there, graph, plan.rules, plan.now)

    graph = reader.complete(there, plan.graph, plan.rules, decision)
    found = decision(graph).kept
    stays = {i: found[i] for i in plan.doomed if i in found}
    doomed = {i: reason for i, reason in plan.doomed.items() if i not in stays}
    return replace(plan, graph=graph, kept={**plan.kept, **stays}, doomed=doomed)


def with_needed(reader: Reader, plan: Plan) -> Plan:
    """The plan with all kept that what it keeps and failed deletions need, newer names too."""
    gone = plan.deleted | copied(plan)
    there = tuple(v for v in plan.versions if v.id not in gone)
    parents = {**plan.kept, **dict.fromkeys(plan.failed, "")}

    def decision(graph: Graph) -> Decision:
        return Decision(reach(there, parents, graph), {})

    graph = reader.complete(there, plan.graph, plan.rules, decision)
    kept = reach(there, plan.kept, graph)
    spared = {
        i: _for_failed(reason)
        for i, reason in decision(graph).kept.items()
        if i not in kept and i not in plan.failed
    }
    spared |= _newer_names(plan, graph)
    kept |= spared
    doomed = {i: reason for i, reason in plan.doomed.items() if i not in kept}
    return replace(plan, graph=graph, kept=kept, doomed=doomed, spared=plan.spared | spared.keys())


def _newer_names(plan: Plan, graph: Graph) -> dict[int, str]:
    """Why what is due of builds stays of which an older name could not be deleted, by id.

    Without them such a build would be older than it is, and count otherwise in the next run.
    """
    found: dict[int, str] = {}
    failed: dict[str, str] = {}  # digest -> the name that holds it and stays
    there = (v for v in plan.versions if v.id not in plan.deleted)
    for version in sorted(there, key=lambda version: version.pushed):
        held = [digest for digest in digests_of(version, graph) if is_plain_tag(version.name)]
        if version.id in plan.failed:
            failed |= dict.fromkeys(held, version.name)
        elif version.id in plan.doomed and (names := [failed[d] for d in held if d in failed]):
            found[version.id] = _for_failed(f"the same build as {names[0]}")
    return found


def _for_failed(reason: str) -> str:
    return f"{reason}, whose deletion failed"


def _pushed(is_again: bool) -> str:
    return "pushed again during the run" if is_again else "pushed during the run"
