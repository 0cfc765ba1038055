"""The deletions of one owner, with the last look at what stays; or it is left alone."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event

from registry_gc.errors import Denied
from registry_gc.report.report import Problem
from registry_gc.run import problems
from registry_gc.run.owners import Owner, plans_of
from registry_gc.run.plan import Plan
from registry_gc.run.sweep import Unfinished, sweep
from registry_gc.run.verify import verify

NOT_ALLOWED = "left alone: the server refused the token"


def delete(owner: Owner, stop: Event) -> None:
    """Deletes what its plans say, and replaces them by those after it.

    One of several owners of which the token may not delete anything is left alone, with the
    refusal. Raises Unfinished and other Stops, which end the run.
    """
    if not any(plan.doomed for plan in owner.plans):
        return
    marked = list(owner.plans)
    is_only = not owner.prefix
    try:
        # A refusal stops the sweep of this owner; an interruption reaches its next request anyhow.
        sweep(owner.reader, owner.plans, stop if is_only else Event())
    except Unfinished as error:
        was_any_deleted = any(plan.deleted for plan in owner.plans)
        if is_only or was_any_deleted or not isinstance(error.reason, Denied):
            raise
        owner.plans[:] = [_untouched(plan) for plan in marked]
        owner.refusals.append(error.reason)
        return
    verify(owner.reader, owner.plans, owner.listings)


def _untouched(plan: Plan) -> Plan:
    kept = {**plan.kept, **dict.fromkeys(plan.doomed, NOT_ALLOWED)}
    return replace(plan, kept=kept, doomed={}, trash={}, waiting=frozenset())


def left_alone(owners: Sequence[Owner]) -> list[Problem]:
    """A problem for each owner that was: an error for one that the input names.

    For all of them when nothing was deleted anywhere: it may be the token that lacks the right.
    """
    was_any_deleted = any(plan.deleted for plan in plans_of(owners))
    return [
        problems.left_alone(owner.name, error, owner.is_named or not was_any_deleted)
        for owner in owners
        for error in owner.refusals
    ]
