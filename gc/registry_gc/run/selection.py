"""Which images a run is about, and which of the user's patterns are about nothing."""

from collections.abc import Collection, Sequence

from registry_gc.registry.listing import Listing, list_versions
from registry_gc.registry.version_names import first_match, is_digest
from registry_gc.report.report import Problem
from registry_gc.run import problems
from registry_gc.run.plan import Plan
from registry_gc.server.client import Client
from registry_gc.settings.inputs import INPUTS, Settings
from registry_gc.settings.parse import is_pattern

DEFAULT_PROTECT = next(i.parse(i.default) for i in INPUTS if i.name == "protect")


def list_images(client: Client, patterns: Collection[str]) -> list[Listing]:
    """One listing for each name, or one of all the owner's images when there are patterns."""
    names = [name for name in patterns if not is_pattern(name)]
    queries = dict.fromkeys(names) if len(names) == len(patterns) else [""]
    return [list_versions(client, query) for query in queries]


def unmatched(settings: Settings, images: Collection[str]) -> list[Problem]:
    """What of `package` names no image, of no owner."""
    missing = [p for p in settings.package if not any(first_match(i, [p]) for i in images)]
    if settings.only_owner:
        return [problems.unmatched(f"{settings.only_owner}/{pattern}") for pattern in missing]
    return [problems.unmatched(f"{pattern} of {settings.owner}") for pattern in missing]


def unused(settings: Settings, plans: Sequence[Plan]) -> list[Problem]:
    """Patterns of the user's that match nothing: often a typing error."""
    fits: dict[tuple[str, str], bool] = {}  # where it is, and the pattern -> whether a tag fits
    for plan in plans:
        own = settings.for_image(plan.image)
        names = [v.name for v in plan.versions if not is_digest(v.name)]
        patterns = [("protect", p) for p in own.protect if own.protect != DEFAULT_PROTECT]
        patterns += [("policies", p) for policy in own.policies for p in policy.tags]
        for setting, pattern in patterns if names else ():
            is_new = not fits.get((setting, pattern))
            fits[setting, pattern] = not is_new or any(first_match(n, [pattern]) for n in names)
    found = [problems.unused(*pattern) for pattern, does_fit in fits.items() if not does_fit]
    if "*" in settings.package:  # else the file may well speak of images of another run
        images = [plan.image for plan in plans]
        entries = [p for entry in settings.images for p in entry.match]
        unfit = [p for p in entries if not any(first_match(image, [p]) for image in images)]
        found += [problems.no_image(pattern) for pattern in unfit]
    return found
