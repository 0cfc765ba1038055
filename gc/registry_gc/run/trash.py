"""The trash: tags are there under their other name before they go, and are put back from it."""

from collections.abc import Iterable
from dataclasses import replace

from registry_gc.errors import Stop
from registry_gc.policy.reasons import IN_TRASH
from registry_gc.policy.trash import gone_on
from registry_gc.registry.versions import Version
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.server import packages, parallel


def fill(reader: Reader, plan: Plan, turns: Iterable[Iterable[Version]]) -> Plan:
    """The plan with each tag that goes in the trash, read back there, before it is deleted.

    They are put there in the order in which they are deleted, so that what was put there can go
    also where the server takes only some. One that could not be put there has failed, and is not
    deleted. Raises Stop, which concerns every image.
    """
    due = [[v for v in turn if v.id in plan.trash and v.id in plan.doomed] for turn in turns]
    failed = dict[int, str]()

    def put(version: Version) -> None:
        digest = plan.graph[version.id].digests[0]
        packages.copy(reader.client, plan.image, digest, plan.trash[version.id])

    with reader.progress(f"into the trash of {plan.image}", sum(map(len, due))) as advance:
        for turn in due:
            stopped: Stop | None = None
            for version, error in parallel.as_done(reader.client.concurrency, put, turn):
                if isinstance(error, Stop):
                    stopped = stopped or error
                elif error is not None:
                    failed[version.id] = f"it could not be put into the trash: {error}"
                advance()
            if stopped:
                raise stopped
    return replace(plan, failed={**plan.failed, **failed})


def with_copies(plan: Plan, fresh: tuple[Version, ...]) -> Plan:
    """The plan that knows which of the new versions are its own copies in the trash.

    They hold what was read of the tags that they stand for.
    """
    originals = {name: i for i, name in plan.trash.items() if i not in plan.failed}
    copies = [v for v in fresh if v.name in originals]
    days = plan.rules.trash_days
    until = {v.id: gone_on(v.created, days) for v in copies}
    return replace(
        plan,
        graph={**plan.graph, **{v.id: plan.graph[originals[v.name]] for v in copies}},
        kept={**plan.kept, **dict.fromkeys(until, IN_TRASH)},
        until={**plan.until, **until},
    )


def copied(plan: Plan) -> set[int]:
    """The ids of the tags that go and whose copies in the trash are there: nothing needs them."""
    names = {v.name for v in plan.versions}
    return {
        i
        for i, name in plan.trash.items()
        if name in names and i in plan.doomed and i not in plan.failed
    }
