"""What no ordinary client leaves behind: several manifests in a row, indexes of indexes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Outcome, age_all, in_process, names_in, run_gc
from tests.oracle import whole, whole_digests
from tests.sandbox import Box
from tests.sandbox.push import IMAGE

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30}


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, **changes})


@pytest.fixture
def frozen() -> Iterator[Box]:
    """A server that adds a manifest to the row of a tag that is pushed again."""
    with in_process("1.25.0") as box:
        yield box


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as box:
        yield box


@pytest.mark.parametrize("measure_space", [True, False])
def test_an_older_manifest_of_a_tag_in_use_by_digest_keeps_its_platforms(
    frozen: Box, tmp_path: Path, measure_space: bool
) -> None:
    older, parts = frozen.push.multiarch("app", "v1", 1)
    frozen.push.multiarch("app", "v1", 2)
    age_all(frozen, 400)
    frozen.push.image("app", "new", 3)
    (tmp_path / "deploy.yaml").write_text(f"image: git.test/acme/app@{older}\n")
    outcome = tidy(
        frozen, workspace=tmp_path, protect_from=("deploy.yaml",), measure_space=measure_space
    )
    assert {("app", older)} <= whole_digests(frozen.store, [("app", "v1")])
    assert set(parts) < names_in(frozen)
    assert outcome.exit_code == 0
    assert outcome.warnings == []


def test_an_older_manifest_that_was_broken_before_is_no_news(frozen: Box) -> None:
    """A pull of the tag gets the newer one, which is whole."""
    _, parts = frozen.push.multiarch("app", "new", 1)
    frozen.push.image("app", "new", 2)
    frozen.push.image("app", "old", 3)
    age_all(frozen, 400)
    frozen.store.delete_version("acme", "app", parts[0])
    outcome = tidy(frozen, protect=("new",), keep_latest=0)
    assert names_in(frozen) == {"new", parts[1]}
    assert (outcome.errors, outcome.warnings, outcome.exit_code) == ([], [], 0)


@pytest.mark.parametrize("measure_space", [True, False])
def test_what_an_index_calls_an_image_and_is_an_index_keeps_its_own_parts(
    box: Box, measure_space: bool
) -> None:
    inner, parts = box.push.multiarch("app", None, 1)
    box.push.index("app", "v1", [(inner, "amd64")], called=IMAGE)
    box.push.image("app", None, 7)
    age_all(box, 400)
    outcome = tidy(box, measure_space=measure_space)
    assert names_in(box) == whole(box.store, "app") == {"v1", inner, *parts}
    assert outcome.exit_code == 0


@pytest.mark.parametrize("measure_space", [True, False])
def test_a_part_that_lies_under_the_digest_of_another_manifest_stays(
    box: Box, measure_space: bool
) -> None:
    part = box.push.image("app", "part", 1)
    raw = box.push.registry.manifest("app", "part") or b""
    box.push.index("app", "v1", [(part, "amd64")])
    other = f"sha256:{0:064}"
    box.push.registry.put_manifest("app", other, raw, IMAGE)
    box.store.delete_version("acme", "app", "part")
    box.push.image("app", None, 7)
    age_all(box, 400)
    outcome = tidy(box, measure_space=measure_space)
    assert names_in(box) == {"v1", other}
    assert whole(box.store, "app") == {"v1"}
    assert outcome.exit_code == 0
