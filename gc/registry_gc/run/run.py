"""One run from its settings to its report: `run` has a line for each step."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

from registry_gc.errors import Refused, RegistryGcError
from registry_gc.report.log import Log
from registry_gc.report.report import Problem, Report
from registry_gc.run import check, problems, reporting
from registry_gc.run.cache import Cache
from registry_gc.run.delete import delete, left_alone
from registry_gc.run.drain import drain
from registry_gc.run.guard import guard
from registry_gc.run.mark import mark
from registry_gc.run.owners import Owner, find, give_back, list_each, plans_of
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.restore import restore
from registry_gc.run.selection import unmatched, unused
from registry_gc.run.subjects import with_subjects
from registry_gc.run.use import Use, ask_sources
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
    owners: list[Owner] = []
    looked_at: list[LookedAt] = []
    shown: set[str] = set()  # titles of images
    needed: set[str] = set()  # blobs that stay, of these

    def show(plan: Plan) -> None:
        shown.add(plan.title)
        needed.update(reporting.needed_blobs(plan, settings))
        log.plan(reporting.image(plan, needed, settings), settings.dry_run)

    try:
        found += check.may_delete(client.for_owner(settings.owner), settings.dry_run)
        if settings.restore:
            back, not_back = restore(client, settings.restore, settings.dry_run)
            found += not_back
            return reporting.restored(settings, now, [str(tag) for tag in back], found)

        remembered.open(client, log.note)
        reader = Reader(client, log.progress, settings.measure_space or is_drain, clock)
        named, looked_at = find(reader, settings, remembered.memory_of)
        owners, denied = list_each(named, settings.package)
        found += denied
        now = check.moment(now, [listing for owner in owners for listing in owner.listings])
        found += unmatched(settings, [image for owner in owners for image in owner.images])

        use = ask_sources(reader, settings, workspace, own_repository, owners)
        found += [Problem(doubt, is_error=False) for doubt in use.found.sentences()]
        looked_at += use.looked_at
        log.looked([str(part) for part in looked_at])

        for owner in owners:
            _read_and_decide(owner, use, settings, now, show if not is_drain else lambda _: None)
        found += unused(settings, plans_of(owners))
        due = plans_of(owners)
        now_due = drain(settings.delete_at_most, due)
        for plan in now_due:
            if plan.title not in shown:
                show(plan)
        guard(settings.max_delete, due, is_drain)
        give_back(owners, now_due)

        for owner in owners if not settings.dry_run else ():
            marked = list(owner.plans)
            delete(owner, stop)
            for before, after in zip(marked, owner.plans, strict=True):
                log.spared(after.title, reporting.spared(before, after))
        if settings.reclaim and any(plan.deleted for plan in plans_of(owners)):
            found += _reclaim(client)
    except RegistryGcError as error:
        found.append(Problem(str(error), is_refusal=isinstance(error, Refused)))
    found += left_alone(owners)
    found += remembered.write()
    return reporting.report(settings, now, plans_of(owners), found, looked_at)


def _read_and_decide(
    owner: Owner, use: Use, settings: Settings, now: datetime, show: Callable[[Plan], None]
) -> None:
    """Makes the owner's plans; each is shown but those that wait for the others."""
    for image in owner.images:
        rules = use.rules(settings, owner, image)
        plan = mark(owner.reader, image, use.checked(owner, image), rules, now)
        owner.plans.append(replace(plan, prefix=owner.prefix))
        if not plan.subjects:
            show(owner.plans[-1])
    owner.plans[:] = with_subjects(owner.reader, owner.plans, owner.listings)


def _reclaim(client: Client) -> list[Problem]:
    """Asked for, so a refusal, or no answer, is an error; what was deleted stays deleted."""
    try:
        packages.clean_up(client)
    except RegistryGcError as error:
        return [problems.not_reclaimed(error)]
    return []
