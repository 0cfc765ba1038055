"""Leaves for the next run what is due beyond delete-at-most."""

from collections.abc import Sequence
from dataclasses import replace

from registry_gc.policy.drain import Due, waiting
from registry_gc.run.mark import decide_again
from registry_gc.run.plan import Plan


def drain(most: int | None, plans: Sequence[Plan]) -> list[Plan]:
    """The plans of all images of the run, of whose builds the oldest go; None means all."""
    if most is None:
        return list(plans)
    waits = waiting([Due(plan.versions, plan.graph, plan.doomed) for plan in plans], most)
    return [_without(plan, ids) if ids else plan for plan, ids in zip(plans, waits, strict=True)]


def _without(plan: Plan, ids: frozenset[int]) -> Plan:
    """The plan in which these ids, and all that they need, stay."""
    after = decide_again(plan, replace(plan.rules, waiting=ids))
    return replace(after, waiting=frozenset(plan.doomed.keys() - after.doomed.keys()))
