"""One run from its settings to its report: list, sources, mark, guard, sweep, verify."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

from registry_gc.errors import Refused, RegistryGcError, Stop
from registry_gc.policy.decide import Rules
from registry_gc.registry.listing import Listing, list_versions, select
from registry_gc.registry.version_names import first_match, is_digest
from registry_gc.report.log import Log
from registry_gc.report.report import Problem, Report
from registry_gc.run import check, problems, reporting
from registry_gc.run.guard import guard
from registry_gc.run.mark import mark
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.restore import restore
from registry_gc.run.subjects import with_subjects
from registry_gc.run.sweep import Unfinished, sweep
from registry_gc.run.verify import verify
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.settings.inputs import INPUTS, Settings
from registry_gc.sources import alive, files, repositories
from registry_gc.sources.source import Found, LookedAt, together

DEFAULT_PROTECT = next(i.parse(i.default) for i in INPUTS if i.name == "protect")


def run(
    settings: Settings,
    client: Client,
    now: datetime,
    workspace: Path,
    log: Log,
    stop: Event,
    own_repository: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Does what the settings say, and reports it, also when a step fails.

    `now` is this machine's clock; `stop` is set from outside to interrupt the run;
    `own_repository` is the one of the workflow, "" when there is none; `clock` stands in for time
    in tests.
    """
    reader = Reader(client, log.progress, settings.measure_space, clock)
    found: list[Problem] = []
    plans: list[Plan] = []
    needed: set[str] = set()  # blobs that stay, of the images so far
    looked_at: list[LookedAt] = []

    def show(plan: Plan) -> None:
        needed.update(reporting.needed_blobs(plan, settings))
        log.plan(reporting.image(plan, needed, settings), settings.dry_run)

    try:
        found += check.may_delete(client, settings.dry_run)
        if settings.restore:
            back = restore(client, settings.restore, settings.dry_run)
            return reporting.restored(settings, now, [str(tag) for tag in back], found)
        listings = _list(settings, client)
        now = check.moment(now, listings)
        images = select(listings, settings.package)
        found += _unmatched(settings, images)
        in_use = _ask_sources(settings, client, workspace, log, images)
        found += [Problem(doubt, is_error=False) for doubt in in_use.sentences()]
        living = _alive(settings, client, own_repository, images)
        looked_at += [*in_use.looked_at, *living.looked_at]
        log.looked([str(part) for part in looked_at])
        for image, listing in images.items():
            rules = replace(_rules(settings, in_use, image), alive=living.tags.get(image, {}))
            plans.append(mark(reader, image, _told(listing, living.unknown), rules, now))
            if not plans[-1].subjects:
                show(plans[-1])
        waiting = [place for place, plan in enumerate(plans) if plan.subjects]
        plans = with_subjects(reader, plans, listings, now)
        for place in waiting:
            show(plans[place])
        found += _unused(settings, plans)
        guard(settings.max_delete, plans)
        if not settings.dry_run and any(plan.doomed for plan in plans):
            marked = list(plans)
            _sweep(reader, plans, stop)
            _verify(reader, plans)
            for before, after in zip(marked, plans, strict=True):
                log.spared(after.image, reporting.spared(before, after))
            if settings.reclaim and any(plan.deleted for plan in plans):
                found += _reclaim(client)
    except RegistryGcError as error:
        found.append(Problem(str(error), is_refusal=isinstance(error, Refused)))
    return reporting.report(settings, now, plans, found, looked_at)


def _list(settings: Settings, client: Client) -> list[Listing]:
    """One listing for each name, or one of all the owner's images when there are patterns."""
    names = [name for name in settings.package if not set("*?[") & set(name)]
    queries = dict.fromkeys(names) if len(names) == len(settings.package) else [""]
    return [list_versions(client, query) for query in queries]


def _ask_sources(
    settings: Settings, client: Client, workspace: Path, log: Log, images: Mapping[str, Listing]
) -> Found:
    """What is in use; raises RegistryGcError when one of the sources cannot tell."""
    names, patterns = _names(images), settings.protect_from_repositories
    in_files = files.search(settings.protect_from, workspace, settings.owner, names)
    return together([in_files, repositories.search(client, patterns, names, log.progress)])


def _alive(
    settings: Settings, client: Client, own_repository: str, images: Mapping[str, Listing]
) -> alive.Alive:
    linked = {i: r for listing in images.values() for i, r in listing.repositories.items()}
    by_image = {image: settings.for_image(image) for image in images}
    given = {image: own.repository for image, own in by_image.items()}
    homes = alive.Homes(settings.owner, given, linked, own_repository)
    policies = {image: own.policies for image, own in by_image.items()}
    return alive.look(client, policies, _names(images), homes)


def _names(images: Mapping[str, Listing]) -> dict[str, list[str]]:
    return {image: [v.name for v in listing.versions] for image, listing in images.items()}


def _told(listing: Listing, unknown: Mapping[str, RegistryGcError]) -> Listing:
    """The listing, with the images of which it is not known what is alive."""
    reasons = {image: str(error) for image, error in unknown.items()}
    return replace(listing, unclear={**listing.unclear, **reasons})


def _rules(settings: Settings, in_use: Found, image: str) -> Rules:
    own = settings.for_image(image)
    return Rules(
        own.protect,
        (*own.policies, own.default_policy),
        own.keep_untagged_days,
        in_use.tags.get(image.lower(), {}),
        in_use.digests.get(image.lower(), {}),
        trash_days=settings.trash_days,
        owner=settings.owner,
    )


def _sweep(reader: Reader, plans: list[Plan], stop: Event) -> None:
    """Replaces each plan by the one after its deletions. Raises Unfinished after a stop."""
    for place, plan in enumerate(plans):
        if plan.doomed and not stop.is_set():
            plans[place] = sweep(reader, plan, stop)
    if stop.is_set():
        raise Unfinished(next((p.stopped_by for p in plans if p.stopped_by), ""))


def _verify(reader: Reader, plans: list[Plan]) -> None:
    """Replaces each plan that deleted something by the one held against a new listing.

    Raises Stop, which concerns every image.
    """
    listings: dict[str, tuple[Listing, dict[str, Listing]]] = {}  # as the images were found
    for place, plan in enumerate(plans):
        if plan.deleted or plan.failed:
            try:
                if plan.query not in listings:
                    listing = list_versions(reader.client, plan.query)
                    listings[plan.query] = listing, select([listing], ["*"])
                listing, images = listings[plan.query]
                listing = images.get(plan.image, replace(listing, versions=()))
                plans[place] = verify(reader, plan, listing)
            except Stop:
                raise
            except RegistryGcError as error:
                plans[place] = plan.with_problems(problems.not_verified(plan.image, error))


def _reclaim(client: Client) -> list[Problem]:
    """Asked for, so a refusal, or no answer, is an error; what was deleted stays deleted."""
    try:
        packages.clean_up(client)
    except RegistryGcError as error:
        return [problems.not_reclaimed(error)]
    return []


def _unmatched(settings: Settings, images: Collection[str]) -> Iterable[Problem]:
    """What of `package` names no image."""
    missing = [p for p in settings.package if not any(first_match(i, [p]) for i in images)]
    return [problems.unmatched(settings.owner, pattern) for pattern in missing]


def _unused(settings: Settings, plans: Sequence[Plan]) -> Iterable[Problem]:
    """Patterns of the user's that match nothing: often a typing error."""
    tags: dict[tuple[str, str], bool] = {}  # what says it, and the pattern -> whether a tag fits
    for plan in plans:
        own = settings.for_image(plan.image)
        names = [v.name for v in plan.versions if not is_digest(v.name)]
        said = [("protect", p) for p in own.protect if own.protect != DEFAULT_PROTECT]
        said += [("policies", p) for policy in own.policies for p in policy.tags]
        for setting, pattern in said if names else ():
            fits = tags.get((setting, pattern)) or any(first_match(n, [pattern]) for n in names)
            tags[setting, pattern] = bool(fits)
    found = [problems.unused(*said) for said, fits in tags.items() if not fits]
    if "*" in settings.package:  # else the file may well speak of images of another run
        images = [plan.image for plan in plans]
        patterns = [p for entry in settings.images for p in entry.match]
        unfit = [p for p in patterns if not any(first_match(image, [p]) for image in images)]
        found += [problems.no_image(pattern) for pattern in unfit]
    return found
