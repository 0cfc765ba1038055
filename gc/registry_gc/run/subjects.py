"""Looks in the owner's other images for the subjects of attachments that are not in their own."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from registry_gc.errors import RegistryGcError, Stop
from registry_gc.policy.reasons import SUBJECT_UNKNOWN
from registry_gc.registry.listing import Listing, list_versions
from registry_gc.registry.manifests import Graph, digests_of
from registry_gc.registry.reading import digests
from registry_gc.registry.version_names import is_digest
from registry_gc.registry.versions import Version
from registry_gc.run import problems
from registry_gc.run.mark import decide_again
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader


def with_subjects(reader: Reader, plans: Sequence[Plan], listings: Iterable[Listing]) -> list[Plan]:
    """The plans, decided anew where they depend on what other images hold.

    Where that cannot be found out, what depends on it stays, with a warning. Costs a listing of
    the owner, if there is none yet, and at most a request for each tag that the run did not read;
    nothing when no plan asks. Raises Stop, which concerns every image.
    """
    subjects = frozenset[str]().union(*(plan.subjects for plan in plans))
    if not subjects:
        return list(plans)
    try:
        elsewhere = _holders(reader, subjects, plans, listings)
    except Stop:
        raise
    except RegistryGcError as error:
        return [_in_doubt(plan, error) for plan in plans]
    # Less is kept than before.
    return [
        decide_again(plan, replace(plan.rules, elsewhere=elsewhere)) if plan.subjects else plan
        for plan in plans
    ]


def _in_doubt(plan: Plan, error: RegistryGcError) -> Plan:
    if not plan.subjects:
        return plan
    count = sum(reason == SUBJECT_UNKNOWN for reason in plan.kept.values())
    return plan.with_problems(problems.subjects_unknown(plan.image, count, error))


def _holders(
    reader: Reader, subjects: Collection[str], plans: Sequence[Plan], listings: Iterable[Listing]
) -> dict[str, str]:
    """An image for each of the subjects that any image of the owner holds.

    Raises RegistryGcError when one of the images cannot be understood.
    """
    everything = next((found for found in listings if found.query == ""), None)
    listing = everything or list_versions(reader.client, "")
    reader.memory.see([listing])
    graph: Graph = {i: manifest for plan in plans for i, manifest in plan.graph.items()}
    holders: dict[str, str] = {}
    unread: dict[str, list[Version]] = {}
    for version in listing.versions:
        for digest in digests_of(version, graph):
            if digest in subjects:
                holders.setdefault(digest, version.image)
        if version.id not in graph and not is_digest(version.name):
            unread.setdefault(version.image, []).append(version)
    for image, versions in unread.items():
        if len(holders) < len(subjects):
            with reader.progress(f"reading {image}", len(versions)) as advance:
                found = digests(reader.client, versions, reader.memory, advance)
            holders |= {digest: image for digest in found & frozenset(subjects) - holders.keys()}
    if len(holders) < len(subjects):
        for image in listing.unclear:
            listing.check(image)
    return holders
