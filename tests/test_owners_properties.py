"""Two owners in one run come out as two runs of one."""

from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.report.report import State
from tests import worlds
from tests.harness import Outcome, contents, run_gc
from tests.sandbox import Box, Pusher
from tests.test_properties import STOP_AT, TROUBLE, registry
from tests.worlds import Trouble, World

pytestmark = pytest.mark.property


def verdicts(outcome: Outcome, owner: str = "") -> dict[tuple[str, int], tuple[State, str]]:
    """Image and id of each version with its verdict; with an owner, of that one's images."""
    prefix = f"{owner}/" if owner else ""
    return {
        (image.name.removeprefix(prefix), row.version.id): (row.state, row.reason)
        for image, row in outcome.report.rows()
        if image.name.startswith(prefix)
    }


@settings(max_examples=settings().max_examples // 3)
@given(worlds.worlds(("1.22", "1.25")), worlds.worlds(("1.25",)), worlds.CHOICES)
def test_two_owners_in_one_run_come_out_as_two_runs_of_one(
    world: World, other: World, choices: dict[str, Any]
) -> None:
    choices = {**choices, "max_delete": None}  # a count of it is for the whole run
    with registry(world) as box:
        box.store.add_owner("beta", ["acme"])
        beta = Box(box.url, box.store, box.faults, "beta", box.token)
        for step in other.built:
            step(beta)
        alone = {it.owner: run_gc(it, dry_run=True, **choices) for it in (box, beta)}
        dry = run_gc(box, dry_run=True, owner="acme, beta", **choices)
        for owner, single in alone.items():
            assert verdicts(dry, owner) == verdicts(single), dry.text
        before = {it.owner: contents(it) for it in (box, beta)}
        real = run_gc(box, owner="acme, beta", **choices)
        for it in (box, beta):
            gone = {(i, n) for i, n in alone[it.owner].names(State.DOOMED)}
            assert contents(it).keys() == before[it.owner].keys() - gone
            assert {v: said for v, (_, said) in verdicts(real, it.owner).items()} == {
                v: said for v, (_, said) in verdicts(alone[it.owner]).items()
            }
        assert real.exit_code == max(single.exit_code for single in alone.values())


def whole(box: Box) -> set[tuple[str, str]]:
    """What of the owner can be pulled whole."""
    push = Pusher.into(box.store, box.owner)
    return {(image, name) for image, name in contents(box) if not push.missing(image, name)}


@settings(max_examples=settings().max_examples // 3)
@given(
    worlds.worlds(("1.22", "1.25")),
    worlds.worlds(("1.25",)),
    worlds.CHOICES,
    TROUBLE,
    STOP_AT,
    st.sampled_from(("acme, beta", "beta, acme", "*")),
    st.booleans(),
)
def test_faults_in_a_run_of_two_owners_break_nothing_of_either(
    world: World,
    other: World,
    choices: dict[str, Any],
    trouble: Trouble,
    stop_at: int,
    owner: str,
    may_only_read: bool,
) -> None:
    choices = {**choices, "max_delete": None}
    stop = Event()
    with registry(world) as box:
        box.store.add_owner("beta", () if may_only_read else ["acme"], readers=["acme"])
        scopes = ("write:package", "write:repository", "read:user", "read:organization")
        box.token = box.store.add_token("acme", *scopes)
        beta = Box(box.url, box.store, box.faults, "beta", box.token)
        for step in other.built:
            step(beta)
        alone = [(it, run_gc(it, dry_run=True, **choices)) for it in (box, beta)]
        before = [(contents(it), whole(it)) for it, _ in alone]
        doomed = [single.names(State.DOOMED) for _, single in alone]
        box.faults.reset()
        box.faults.plan = trouble.plan(set().union(*doomed))
        box.faults.before = lambda request: stop.set() if request.number == stop_at else None
        outcome = run_gc(box, stop, owner=owner, **choices)
        for (it, single), (there, was_whole), goes in zip(alone, before, doomed, strict=True):
            after = contents(it)
            assert there.keys() - after.keys() <= goes, outcome.text
            assert after.items() <= there.items()
            assert was_whole & single.names(State.KEPT) <= whole(it), outcome.text
        assert contents(beta) == before[1][0] or not may_only_read
