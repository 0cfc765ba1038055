"""With a trash, for any registry, faults and pushes: what went can be put back, and pulls whole."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from registry_gc.registry.trash_names import is_in_trash
from registry_gc.registry.version_names import is_plain_tag, subject_of
from tests import oracle, worlds
from tests.harness import NOW, Name, Outcome, contents, run_gc
from tests.sandbox import Box
from tests.test_properties import PUSHES, SURE_SERVERS, TROUBLE, Others, judge, registry
from tests.worlds import Moment, Step, Trouble, World

pytestmark = pytest.mark.property

DAYS = 7
FEWER = settings(max_examples=settings().max_examples // 4)  # each takes several runs


def tidy(box: Box, choices: dict[str, Any], **changes: Any) -> Outcome:
    """A run with a trash, at the server's time."""
    return run_gc(box, now=box.store.now, **{**choices, "trash_days": DAYS, **changes})


def digest_of(box: Box, name: Name) -> str:
    """What a version pulls."""
    return box.store.manifest(box.owner, *name).blob.digest


def needed_by(box: Box, names: set[Name]) -> set[Name]:
    """These versions, and all that they list, and what is attached to any of it, to the end."""
    found = set(names)
    while True:
        digests = {(n[0], digest_of(box, n)) for n in found}
        bodies = [(n[0], json.loads(content_of(box, n))) for n in found]
        listed = {(i, child["digest"]) for i, b in bodies for child in b.get("manifests", [])}
        more = {
            n
            for n in contents(box)
            if (n[0], digest_of(box, n)) in listed or (n[0], subject_of(n[1])) in digests
        }
        if more <= found:
            return found
        found |= more


def content_of(box: Box, name: Name) -> bytes:
    """The manifest that a version pulls."""
    return box.store.manifest(box.owner, *name).blob.content


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


@FEWER
@given(worlds.worlds(SURE_SERVERS), worlds.CHOICES)
def test_a_second_run_moves_nothing_and_the_trash_comes_to_its_end(
    world: World, choices: dict[str, Any]
) -> None:
    choices = {**choices, "max_delete": None}
    with registry(world) as box:
        expected, was_whole = judge(box, choices), oracle.all_whole(box.store)
        tidy(box, choices)
        after = contents(box)
        assert {n for n in expected.stay if n in was_whole} <= oracle.all_whole(box.store)
        selected = {image for image, _ in expected.stay | expected.go}
        spared = {n for n in after if n[0] in selected and is_plain_tag(n[1])} - expected.stay
        assert spared <= needed_by(box, spared - was_whole)
        box.faults.log.clear()
        tidy(box, choices)
        # A signature of something in another image goes a run later than what it signs.
        assert after.keys() - contents(box).keys() <= expected.fleeting
        assert contents(box).items() <= after.items()
        assert "PUT" not in {method for method, _ in box.faults.log}

        for days in (DAYS + 0.1, 2 * DAYS + 0.2, 400, 410, 420):
            box.store.now = NOW + timedelta(days=days)
            assert tidy(box, choices).exit_code == 0
        held = {n for n in contents(box) if is_in_trash(n[1])}
        # What is left there is part of something that stays.
        assert held <= needed_by(box, contents(box).keys() - held)
