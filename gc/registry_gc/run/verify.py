"""After the sweep: does every image that stays still have all its parts?"""

from collections.abc import Mapping
from dataclasses import replace

from registry_gc.errors import RegistryGcError
from registry_gc.registry.listing import Listing
from registry_gc.registry.version_names import is_digest, is_plain_tag, short
from registry_gc.registry.versions import Version
from registry_gc.run.mark import Plan, Reader, described, missing
from registry_gc.run.sweep import take_in


def verify(reader: Reader, plan: Plan, listing: Listing) -> Plan:
    """The plan held against a listing made after its deletions.

    Raises RegistryGcError when a version that was pushed meanwhile cannot be read.
    """
    if plan.image in listing.unclear:
        raise RegistryGcError(listing.unclear[plan.image])
    now_there = {v.id: v for v in listing.versions if v.image == plan.image}
    fresh = tuple(v for v in now_there.values() if v.id not in plan.known)
    plan = _corrected(take_in(reader, plan, fresh), now_there)
    for parent, child in missing(tuple(now_there.values()), plan.graph, plan.kept):
        if (parent.name, child) not in plan.broken_before:
            name = short(parent.name)
            plan = plan.with_problem(
                f"{described(name, child)} was lost during this run: {name} was pushed in the "
                f"instant in which its part was deleted, or someone else deleted it. Push {name} "
                "again."
            )
    for version in plan.versions:
        if version.id in plan.kept and version.id not in now_there | dict.fromkeys(plan.deleted):
            plan = plan.with_problem(
                f"{short(version.name)} was kept and is gone: someone else deleted it meanwhile.",
                False,
            )
    return _with_strays(plan, fresh)


def _corrected(plan: Plan, now_there: Mapping[int, Version]) -> Plan:
    """What the listing proves: a deletion without an answer that was done, and the opposite."""
    done = {i for i in plan.failed if i not in now_there}
    undone = {i for i in plan.deleted if i in now_there}
    failed = {i: why for i, why in plan.failed.items() if i not in done}
    if done and plan.spared:
        names = ", ".join(short(v.name) for v in plan.versions if v.id in done)
        plan = plan.with_problem(
            f"{names}: deleted after all, though the server did not say so. What was spared for it "
            "goes with the next run."
        )
    said = "the server said that it was deleted, and still lists it"
    return replace(
        plan,
        deleted=(plan.deleted | done) - undone,
        failed={**failed, **dict.fromkeys(undone, said)},
    )


def _with_strays(plan: Plan, fresh: tuple[Version, ...]) -> Plan:
    """A warning when parts were pushed whose tag is not there: it may have gone with the sweep."""
    children = {c.digest for manifest in plan.graph.values() for c in manifest.refers_to}
    strays = [short(v.name) for v in fresh if is_digest(v.name) and v.name not in children]
    tags_went = any(v.id in plan.deleted and is_plain_tag(v.name) for v in plan.versions)
    if not (strays and tags_went):
        return plan
    return plan.with_problem(
        f"Pushed during the run, and no tag refers to it: {', '.join(strays)}. Either that push "
        "is not finished, or it was to a tag that was deleted in the same instant: look whether "
        "your newest push is there.",
        False,
    )
