"""Reads and decides one image: what is kept, what is doomed, and what is not understood."""

from dataclasses import replace
from datetime import datetime

from registry_gc.errors import Gone, RegistryGcError, Stop
from registry_gc.policy.decide import Decision, Rules, decide
from registry_gc.registry.listing import TRIES, Listing, list_versions
from registry_gc.registry.manifests import Graph, children_of
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.run import problems
from registry_gc.run.plan import Plan, missing
from registry_gc.run.reader import Reader

NOT_UNDERSTOOD = "left alone: the image could not be understood"


def mark(reader: Reader, image: str, listing: Listing, rules: Rules, now: datetime) -> Plan:
    """The plan for one image. One that cannot be understood keeps all, with the reason as error.

    Raises Stop, which concerns every image.
    """
    plan = _unmarked(image, listing, rules, now)
    for attempt in range(TRIES):
        try:
            if attempt:
                listing = list_versions(reader.client, image)
                plan = _unmarked(image, listing, rules, now)
            listing.check(image)
            return _with_problems(_decided(reader, plan))
        except Stop:
            raise
        except Gone as error:
            # Deleted or pushed again between the listing and the reading: both are done anew.
            problem: RegistryGcError = error
        except RegistryGcError as error:
            problem = error
            break
    untouched = dict.fromkeys((v.id for v in plan.versions), NOT_UNDERSTOOD)
    return replace(plan, kept=untouched).with_problems(problems.not_understood(image, problem))


def _unmarked(image: str, listing: Listing, rules: Rules, now: datetime) -> Plan:
    versions = tuple(v for v in listing.versions if v.image == image)
    ids = listing.ids_for(image)
    return Plan(image, listing.query, listing.since, ids, ids, rules, now, versions)


def _decided(reader: Reader, plan: Plan) -> Plan:
    def decision(graph: Graph) -> Decision:
        return decide(plan.versions, graph, plan.rules, plan.now)

    graph: Graph = {}
    found = decision(graph)
    if found.doomed or found.subjects:
        graph = reader.complete(plan.versions, graph, plan.rules, decision)
    return _with_decision(replace(plan, graph=graph))


def _with_decision(plan: Plan) -> Plan:
    found = decide(plan.versions, plan.graph, plan.rules, plan.now)
    return replace(
        plan,
        kept=found.kept,
        until=found.until,
        doomed=found.doomed,
        trash=found.trash,
        subjects=found.subjects,
    )


def decide_again(plan: Plan, rules: Rules) -> Plan:
    """The plan by other rules, for which nothing more needs to be read."""
    return _with_decision(replace(plan, rules=rules))


def _with_problems(plan: Plan) -> Plan:
    """The plan with what is wrong with the image already."""
    if plan.versions and not any(is_plain_tag(v.name) for v in plan.versions):
        plan = plan.with_problems(problems.without_tag(plan.image))
    broken = missing(plan.versions, plan.graph, plan.graph)
    # What goes is told of no more, and what is older and broken hinders no pull by tag.
    told = [
        (v, child)
        for v, child in broken
        if v.id in plan.kept and child in children_of(v, plan.graph)
    ]
    plan = plan.with_problems(*(problems.broken_before(v, child) for v, child in told))
    return replace(plan, broken_before=frozenset((v.name, child) for v, child in broken))
