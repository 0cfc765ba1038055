"""With a trash, for any registry, faults and pushes: what went can be put back, and pulls whole."""

from typing import Any

import pytest
from hypothesis import given, settings

from registry_gc.registry.version_names import is_plain_tag
from tests import oracle, worlds
from tests.harness import Outcome, contents, run_gc
from tests.sandbox import Box
from tests.test_properties import PUSHES, SURE_SERVERS, TROUBLE, Others, registry
from tests.worlds import Moment, Step, Trouble, World

pytestmark = pytest.mark.property

DAYS = 7
FEWER = settings(max_examples=settings().max_examples // 20)  # each takes several runs


def tidy(box: Box, choices: dict[str, Any], **changes: Any) -> Outcome:
    """A run with a trash, at the server's time."""
    return run_gc(box, now=box.store.now, **{**choices, "trash_days": DAYS, **changes})


@FEWER
@given(worlds.worlds(SURE_SERVERS), worlds.CHOICES, TROUBLE, worlds.pushes(PUSHES))
def test_every_tag_that_went_can_be_put_back_and_pulls_whole(
    world: World, choices: dict[str, Any], trouble: Trouble, plans: dict[Moment, Step]
) -> None:
    with registry(world) as box:
        was_whole = oracle.all_whole(box.store)
        others = Others(box, choices, plans)
        box.faults.before, box.faults.plan = others.before, trouble.plan(others.may_go)
        tidy(box, choices)
        box.faults.reset()
        there = contents(box).keys()
        gone = [
            f"{image}:{name}"
            for image, name in was_whole - there - others.deleted
            if (image, name) not in others.pushed and is_plain_tag(name)
        ]
        for wanted in gone:
            back = tidy(box, choices, restore=(wanted,))
            assert back.exit_code == 0, back.text
        is_whole = oracle.all_whole(box.store)
        assert {tuple(wanted.rsplit(":", 1)) for wanted in gone} <= is_whole
