"""How much space a run says it frees: an upper bound, and never what something else still uses."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import Outcome, age_all, fail_to_delete, in_process, run_gc
from tests.sandbox import Answer, Box

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30, "package": ("app", "web")}


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as box:
        yield box


def freed(box: Box, **changes: Any) -> tuple[int | None, dict[str, int | None]]:
    """In the whole run, and by image; a dry run says the same first."""
    foreseen, done = (
        told(run_gc(box, **{**RULES, "dry_run": d, **changes})) for d in (True, False)
    )
    assert foreseen == done
    return done


def told(outcome: Outcome) -> tuple[int | None, dict[str, int | None]]:
    return outcome.report.freed, {image.name: image.freed for image in outcome.report.images}


def own(box: Box, image: str, name: str) -> int:
    """Bytes of what an image does not share with all others, its base layer."""
    files = box.store.version("acme", image, name).files
    return sum(len(f.blob.content) for f in files if b"base layer" not in f.blob.content)


def test_what_other_versions_that_stay_use_is_not_freed(box: Box) -> None:
    box.push.image("app", "old", 1, layer_size=500)
    box.push.image("app", "new", 2)
    box.store.age("app", "old", 400)
    size = own(box, "app", "old")
    assert size > 500
    assert freed(box) == (size, {"app": size})


def test_what_another_image_of_the_run_uses_is_not_freed(box: Box) -> None:
    for image in ("app", "web"):
        box.push.image(image, "old", image)
        age_all(box, 400, image=image)
    box.push.image("app", "shared", 1, layer_size=500)
    box.store.age("app", "shared", 400)
    box.push.image("app", "new", 2)
    box.push.image("web", "same", 1, layer_size=500)
    sizes = {image: own(box, image, "old") for image in ("app", "web")}
    assert freed(box) == (sum(sizes.values()), sizes)


def test_what_goes_in_two_images_is_freed_once(box: Box) -> None:
    for image in ("app", "web"):
        box.push.image(image, "old", 1, layer_size=500)
        age_all(box, 400, image=image)
        box.push.image(image, "new", image)
    size = own(box, "app", "old")
    assert freed(box) == (size, {"app": size, "web": size})


def test_what_was_not_read_is_not_guessed(box: Box) -> None:
    box.push.image("app", "old", 1)
    box.push.image("app", "older", 1)
    age_all(box, 400)
    box.push.image("app", "new", 2)
    assert freed(box, measure_space=False) == (None, {"app": None})


def test_a_deletion_that_fails_frees_nothing(box: Box) -> None:
    box.push.image("app", "old", 1)
    box.push.image("app", "new", 2)
    box.store.age("app", "old", 400)
    fail_to_delete(box, "old", Answer(400))
    assert told(run_gc(box, **RULES)) == (0, {"app": 0})
