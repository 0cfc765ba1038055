"""What a run remembers of any state of any registry changes no decision."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.report.report import State
from tests import worlds
from tests.harness import Outcome, contents, in_process, run_gc
from tests.sandbox import Box
from tests.worlds import Step, World

pytestmark = pytest.mark.property

SERVERS = ("1.21", "1.22", "1.25.0", "1.25", "main", "forgejo")
FILE = "gc-cache.json"
MORE = st.lists(worlds.steps((*worlds.BUILD, "again", "forget")), max_size=8)
SECOND = 1 / 86400  # days: what is pushed at another time has another date
DAMAGE = st.tuples(st.integers(0, 4000), st.binary(max_size=2)) | st.none() | st.none()


def later(steps: list[Step]) -> list[Step]:
    return [replace(step, age=step.age + SECOND) for step in steps]


def verdicts(outcome: Outcome) -> set[tuple[str, int, State, str]]:
    return {(i.name, row.version.id, row.state, row.reason) for i, row in outcome.report.rows()}


@settings(max_examples=settings().max_examples // 2)
@given(worlds.worlds(SERVERS), MORE, st.booleans(), MORE, worlds.CHOICES, worlds.CHOICES, DAMAGE)
def test_a_cache_of_any_other_state_decides_nothing(
    world: World,
    then: list[Step],
    is_of_another: bool,
    now: list[Step],
    choices_then: dict[str, Any],
    choices: dict[str, Any],
    damage: tuple[int, bytes] | None,
) -> None:
    """Of an earlier or later one, of one that was put back, of another registry, cut or garbled."""
    if world.profile == "1.21":
        world = World("1.21", 50, world.built)
    with in_process(world.profile) as box, TemporaryDirectory() as folder:
        workspace, path = Path(folder), Path(folder) / FILE

        def go(**changes: Any) -> Outcome:
            return run_gc(box, workspace=workspace, **{**choices, **changes})

        if is_of_another:
            build(box, world, later(later(then)))
        else:
            build(box, world, [*world.built, *then])
        run_gc(box, workspace=workspace, **{**choices_then, "cache": FILE})
        if path.exists() and damage:
            raw = path.read_bytes()
            path.write_bytes(raw[: damage[0]] + damage[1] + raw[damage[0] + 1 :])

        box.reset()
        build(box, world, [*world.built, *later(now)])
        without = go(dry_run=True)
        with_cache = go(dry_run=True, cache=FILE)
        again = go(dry_run=True, cache=FILE)
        assert verdicts(without) == verdicts(with_cache) == verdicts(again), with_cache.text
        assert without.warnings == with_cache.warnings == again.warnings
        assert without.exit_code == with_cache.exit_code

        before = contents(box)
        real = go(cache=FILE)
        gone = before.keys() - contents(box).keys()
        assert gone == without.names(State.DOOMED) if not without.exit_code else not gone
        assert real.exit_code == without.exit_code, real.text


def build(box: Box, world: World, steps: list[Step]) -> None:
    World(world.profile, world.max_items, tuple(steps)).build(box)
