"""One run from its settings to its report: `run` has a line for each step."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event

from registry_gc.errors import Refused, RegistryGcError
from registry_gc.registry.listing import select
from registry_gc.report.log import Log
from registry_gc.report.report import Problem, Report
from registry_gc.run import check, problems, reporting
from registry_gc.run.cache import Cache
from registry_gc.run.drain import drain
from registry_gc.run.guard import guard
from registry_gc.run.mark import mark
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.restore import restore
from registry_gc.run.selection import list_images, unmatched, unused
from registry_gc.run.subjects import with_subjects
from registry_gc.run.sweep import sweep
from registry_gc.run.use import ask_sources
from registry_gc.run.verify import verify
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.settings.inputs import Settings
from registry_gc.sources.source import LookedAt


def run(
    settings: Settings,
    client: Client,
    now: datetime,
    workspace: Path,
    log: Log,
    stop: Event,
    own_repository: str = "",
    clock: Callable[[], float] = time.monotonic,
    cache: Path | None = None,
) -> Report:
    """Does what the settings say, and reports it, also when a step fails.

    `now` is this machine's clock; `stop` is set from outside to interrupt the run;
    `own_repository` is the one of the workflow, "" when there is none; `clock` stands in for time
    in tests; `cache` is where the file of what is remembered lies.
    """
    remembered = Cache(cache, settings)
    is_drain = settings.delete_at_most is not None  # what is a build is known from what it holds
    found: list[Problem] = []
    plans: list[Plan] = []
    looked_at: list[LookedAt] = []
    needed: set[str] = set()  # blobs that stay, of the images so far

    def show(plan: Plan) -> None:
        needed.update(reporting.needed_blobs(plan, settings))
        log.plan(reporting.image(plan, needed, settings), settings.dry_run)

    try:
        found += check.may_delete(client, settings.dry_run)
        if settings.restore:
            back = restore(client, settings.restore, settings.dry_run)
            return reporting.restored(settings, now, [str(tag) for tag in back], found)

        remembered.open(client, log.note)
        memory = remembered.of(settings.owner)
        reader = Reader(client, log.progress, settings.measure_space or is_drain, clock, memory)
        listings = list_images(client, settings.package)
        memory.see(listings)
        now = check.moment(now, listings)
        images = select(listings, settings.package)
        found += unmatched(settings, images)

        use = ask_sources(reader, settings, workspace, own_repository, images)
        found += [Problem(doubt, is_error=False) for doubt in use.found.sentences()]
        looked_at += use.looked_at
        log.looked([str(part) for part in looked_at])

        for image, listing in images.items():  # read and decide
            rules = use.rules(settings, image)
            plans.append(mark(reader, image, use.checked(listing), rules, now))
            if not plans[-1].subjects and not is_drain:
                show(plans[-1])
        waiting = [place for place, plan in enumerate(plans) if plan.subjects or is_drain]
        plans = with_subjects(reader, plans, listings, now)
        found += unused(settings, plans)
        guard(settings.max_delete, plans, is_drain)
        plans = drain(settings.delete_at_most, plans, now)
        for place in waiting:
            show(plans[place])

        if not settings.dry_run and any(plan.doomed for plan in plans):
            marked = list(plans)
            sweep(reader, plans, stop)
            verify(reader, plans)
            for before, after in zip(marked, plans, strict=True):
                log.spared(after.image, reporting.spared(before, after))
            if settings.reclaim and any(plan.deleted for plan in plans):
                found += _reclaim(client)
    except RegistryGcError as error:
        found.append(Problem(str(error), is_refusal=isinstance(error, Refused)))
    found += remembered.write()
    return reporting.report(settings, now, plans, found, looked_at)


def _reclaim(client: Client) -> list[Problem]:
    """Asked for, so a refusal, or no answer, is an error; what was deleted stays deleted."""
    try:
        packages.clean_up(client)
    except RegistryGcError as error:
        return [problems.not_reclaimed(error)]
    return []
