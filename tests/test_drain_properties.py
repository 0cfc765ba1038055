"""In portions, for any registry and settings: the oldest first, whole, and the same in the end."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.report.report import State
from registry_gc.report.wording import headline
from tests import oracle, worlds
from tests.harness import contents, run_gc
from tests.report.reading import check_counts
from tests.sandbox import Box
from tests.test_properties import goes, judge, registry
from tests.worlds import World

pytestmark = pytest.mark.property

SERVERS = ("1.22", "1.25", "1.25.0")
FEWER = settings(max_examples=settings().max_examples // 2)  # each takes several runs
MOST = st.integers(1, 3)
LATER = "left for the next run: "


def emptied(box: Box, choices: dict[str, Any]) -> set[tuple[str, str]]:
    """What is there after as many runs as it takes until one deletes nothing."""
    for _ in range(60):
        before = contents(box)
        outcome = run_gc(box, **choices)
        assert outcome.exit_code == 0, outcome.text
        if contents(box) == before:
            return set(before)
    raise AssertionError("it never comes to an end")


@FEWER
@given(worlds.worlds(SERVERS), worlds.CHOICES, MOST)
def test_the_oldest_builds_go_whole_and_the_rest_is_left_and_told(
    world: World, choices: dict[str, Any], most: int
) -> None:
    """max-delete judges all that is due; what is left pulls as whole as before."""
    choices |= {"delete_at_most": most}
    with registry(world) as box:
        due = judge(box, choices)
        expected = oracle.oldest(box.store, due.go, most)
        was_whole, before = oracle.all_whole(box.store), contents(box)
        dry, real = (run_gc(box, **choices, dry_run=dry) for dry in (True, False))
        assert dry.exit_code == real.exit_code == due.is_refused, real.text
        now = due.go if due.is_refused else expected
        assert goes(dry) == goes(real) == now, real.text
        check_counts(real.report)
        assert before.keys() - contents(box).keys() == (set() if due.is_refused else expected)
        assert was_whole - now <= oracle.all_whole(box.store)
        waiting = due.go - now
        assert ("left for the next run" in headline(real.report)) is bool(waiting)
        told = {n for n in real.names(State.KEPT) if real.why(*n).startswith(LATER)}
        assert told <= waiting
        assert bool(told) is bool(waiting)


@FEWER
@given(worlds.worlds(SERVERS), worlds.CHOICES, MOST, st.sampled_from((0, 7)))
def test_portions_come_to_the_same_end_as_one_run(
    world: World, choices: dict[str, Any], most: int, trash_days: int
) -> None:
    """Into the trash too."""
    choices = {**choices, "max_delete": None, "trash_days": trash_days}
    with registry(world) as box:
        at_once = emptied(box, choices)
    with registry(world) as box:
        assert emptied(box, {**choices, "delete_at_most": most}) == at_once
