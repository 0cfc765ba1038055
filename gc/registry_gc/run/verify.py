"""After the sweep: does every image that stays still have all its parts?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from registry_gc.errors import RegistryGcError, Stop
from registry_gc.registry.listing import Listing, list_versions, select
from registry_gc.registry.version_names import is_digest, is_plain_tag
from registry_gc.registry.versions import Version
from registry_gc.run import problems
from registry_gc.run.look import take_in
from registry_gc.run.plan import Plan, missing
from registry_gc.run.proof import proved
from registry_gc.run.reader import Reader

UNDONE = "the server said that it was deleted, and still lists it"


def verify(reader: Reader, plans: list[Plan], listings: Iterable[Listing]) -> None:
    """Replaces each plan that deleted something by the one held against what is there now.

    `listings` are those that the plans were made from. What is there is found out once for all
    images of the same one. Raises Stop, which concerns every image.
    """
    before = {listing.query: listing for listing in listings}
    images: dict[str, Mapping[str, Listing]] = {}
    for place, plan in enumerate(plans):
        if plan.deleted or plan.failed:
            try:
                if plan.query not in images:
                    found = _listing(reader, plan.query, before, plans)
                    nothing = {p.image: replace(found, versions=()) for p in plans}
                    images[plan.query] = {**nothing, **select([found], ["*"])}
                plans[place] = verify_image(reader, plan, images[plan.query][plan.image])
            except Stop:
                raise
            except RegistryGcError as error:
                plans[place] = plan.with_problems(problems.not_verified(plan.image, error))


def _listing(
    reader: Reader, query: str, before: Mapping[str, Listing], plans: Sequence[Plan]
) -> Listing:
    """What is there now, of the images that were swept at least."""
    is_proved = proved(reader.client, before[query], plans) if query in before else None
    return is_proved or list_versions(reader.client, query)


def verify_image(reader: Reader, plan: Plan, listing: Listing) -> Plan:
    """The plan held against a listing of this image made after its deletions.

    Raises RegistryGcError when a version that was pushed meanwhile cannot be read.
    """
    listing.check(plan.image)
    now_there = {v.id: v for v in listing.versions}
    fresh = tuple(v for v in now_there.values() if v.id not in plan.known)
    plan = _corrected(take_in(reader, plan, fresh), now_there)
    lost = [
        problems.lost(parent, child)
        for parent, child in missing(listing.versions, plan.graph, plan.kept)
        if (parent.name, child) not in plan.broken_before
    ]
    gone = [
        problems.gone(v)
        for v in plan.versions
        if v.id in plan.kept and v.id not in now_there and v.id not in plan.deleted
    ]
    return _with_strays(plan.with_problems(*lost, *gone), fresh)


def _corrected(plan: Plan, now_there: Mapping[int, Version]) -> Plan:
    """What the listing proves: a deletion without an answer that was done, and the opposite."""
    done = {i for i in plan.failed if i not in now_there}
    undone = {i for i in plan.deleted if i in now_there}
    failed = {i: why for i, why in plan.failed.items() if i not in done}
    if done and plan.spared:
        found = problems.deleted_after_all(v for v in plan.versions if v.id in done)
        plan = plan.with_problems(found)
    return replace(
        plan,
        deleted=(plan.deleted | done) - undone,
        failed={**failed, **dict.fromkeys(undone, UNDONE)},
    )


def _with_strays(plan: Plan, fresh: tuple[Version, ...]) -> Plan:
    """A warning when parts were pushed whose tag is not there: it may have gone with the sweep."""
    listed = {c.digest for manifest in plan.graph.values() for c in manifest.refers_to}
    strays = [v for v in fresh if is_digest(v.name) and v.name not in listed]
    tags_went = any(v.id in plan.deleted and is_plain_tag(v.name) for v in plan.versions)
    return plan.with_problems(problems.strays(strays)) if strays and tags_went else plan
