"""What files of the workspace use stays whole, and where they cannot tell nothing goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_gc.report import document, summary
from tests.harness import Outcome, age_all, contents, in_process, names_in, run_gc
from tests.sandbox import Box

STRICT: dict[str, Any] = {"keep_days": 0, "keep_latest": 0, "protect": ("none",)}


@pytest.fixture
def box() -> Iterator[Box]:
    """Image `app` has five two-platform builds, a year old."""
    with in_process() as made:
        for n in range(5):
            made.push.multiarch("app", f"1.{n}.0", n)
        age_all(made, 365)
        yield made


def tidy(box: Box, workspace: Path, *patterns: str, **changes: Any) -> Outcome:
    return run_gc(box, workspace=workspace, **{**STRICT, "protect_from": patterns, **changes})


def test_what_the_files_use_stays_whole_with_its_place_and_all_else_goes(
    box: Box, tmp_path: Path
) -> None:
    digest, _ = box.push.multiarch("app", "1.9.0", 9)
    age_all(box, 365)
    (tmp_path / "values.yaml").write_text("image:\n  repository: git.test/acme/app\n  tag: ''\n")
    (tmp_path / "values-prod.yaml").write_text("image:\n  tag: 1.3.0\n")
    (tmp_path / "pods.json").write_text(json.dumps({"imageID": f"git.test/acme/app@{digest}"}))
    outcome = tidy(box, tmp_path, "*.yaml", "pods.json")
    assert {name for name in names_in(box) if ":" not in name} == {"1.9.0", "1.3.0"}
    assert not any(box.push.missing("app", name) for name in ("1.9.0", "1.3.0"))
    assert outcome.why("app", "1.3.0") == "in use: values-prod.yaml:2"
    assert outcome.why("app", "1.9.0") == "in use: pods.json:1"
    assert outcome.exit_code == 0


def test_every_face_says_what_was_looked_at(box: Box, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("acme/app:1.3.0")
    (tmp_path / "b").write_text("")
    sentence = "Looked at 1 file."
    outcome = tidy(box, tmp_path, ".", dry_run=True)
    assert sentence in outcome.text
    assert sentence in summary.render(outcome.report)
    assert json.loads(document.render(outcome.report, "1"))["looked_at"] == ["1 file"]
    assert "Looked at" not in tidy(box, tmp_path, dry_run=True).text


@pytest.mark.parametrize(("content", "says"), {
    b"": "pods.json cannot be searched: it is empty",
    b"\0\1acme/app:1.3.0": "pods.json cannot be searched: it is binary",
    b'{"items": []}': "mentions an image of this run (app)",
    None: "pods.json matches no file",
}.items())  # fmt: skip
@pytest.mark.parametrize("dry_run", [True, False])
def test_where_the_files_cannot_tell_nothing_goes(
    box: Box, tmp_path: Path, content: bytes | None, says: str, dry_run: bool
) -> None:
    if content is not None:
        (tmp_path / "pods.json").write_bytes(content)
    before = contents(box)
    outcome = tidy(box, tmp_path, "pods.json", dry_run=dry_run)
    assert contents(box) == before
    assert box.faults.count("DELETE") == 0
    assert len(outcome.errors) == 1
    assert says in outcome.errors[0]
    assert outcome.exit_code == 1


def test_a_doubt_is_a_warning_with_its_place(box: Box, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("image: acme/app:${TAG}\nx: 1.3.0")
    outcome = tidy(box, tmp_path, "compose.yaml", dry_run=True)
    assert any(w.startswith("compose.yaml:1 refers to acme/app:${TAG}") for w in outcome.warnings)
    assert outcome.exit_code == 0


def test_an_image_that_is_not_there_asks_nothing_of_the_files(box: Box, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("nothing")
    outcome = tidy(box, tmp_path, "f", package=("typo",))
    assert outcome.errors == []
