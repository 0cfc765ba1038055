"""What recipes of the pages promise comes about when their settings are copied as they are."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_gc.settings.inputs import Settings
from registry_gc.settings.load import load
from tests.harness import Outcome, age_all, in_process, names_in, run_gc
from tests.sandbox import Box, Pusher

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECIPES = (DOCS / "recipes.md").read_text("utf-8")
POLICY_PAGE = (DOCS / "policy-file.md").read_text("utf-8")


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as made:
        yield made


def follow(box: Box, heading: str, values: dict[str, str]) -> Outcome:
    """A run with the settings of the first example under a heading, `${{ … }}` filled in."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", RECIPES, re.DOTALL | re.MULTILINE)
    text = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0]
    for expression, value in ({"secrets.REGISTRY_GC_TOKEN": box.token} | values).items():
        text = text.replace("${{ " + expression + " }}", value)
    assert "${{" not in text
    inputs = {name: str(value) for name, value in _with(yaml.safe_load(text)).items()}
    return run_with(box, inputs)


def run_with(box: Box, inputs: dict[str, str], workspace: Path = Path()) -> Outcome:
    """A run with these inputs, and a policy file in the workspace where they name one."""
    inputs = {"owner": box.owner} | inputs | {"server-url": box.url}
    given = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    chosen = load({}, given, workspace)
    return run_gc(box, **{f.name: getattr(chosen, f.name) for f in fields(Settings)})


def _with(document: Any) -> dict[str, Any]:
    """The inputs of the one use of the action in a piece of a workflow."""
    if not isinstance(document, dict | list):
        return {}
    parts = document.values() if isinstance(document, dict) else document
    own = document.get("with") if isinstance(document, dict) else None
    return own or next((found for part in parts if (found := _with(part))), {})


def test_when_a_pull_request_closes_its_previews_go_and_nothing_else(box: Box) -> None:
    kept = {"pr-1", "pr-123", "pr-123-amd64", "xpr-12", "pr-12a", "v1.0", "main", "latest"}
    for tag in ("pr-12", "pr-12-3f2a", *sorted(kept)):
        box.push.multiarch("my-image", tag, tag)
    left_over = box.push.image("my-image", None, "pushed by digest")
    age_all(box, 4000, image="my-image")
    box.push.multiarch("my-image-base", "pr-12", "another image")
    before = names_in(box, "my-image")
    outcome = follow(box, "When a pull request closes", {"github.event.number": "12"})
    assert outcome.exit_code == 0, outcome.text
    assert before - names_in(box, "my-image") == {"pr-12", "pr-12-3f2a"}
    assert left_over in before
    assert "pr-12" in names_in(box, "my-image-base")


def test_a_pull_request_without_previews_changes_nothing(box: Box) -> None:
    box.push.multiarch("my-image", "v1", 1)
    age_all(box, 4000, image="my-image")
    before = names_in(box, "my-image")
    outcome = follow(box, "When a pull request closes", {"github.event.number": "12"})
    assert outcome.exit_code == 0, outcome.text
    assert names_in(box, "my-image") == before


def test_one_job_cleans_a_whole_instance_and_keeps_what_any_repository_uses(box: Box) -> None:
    box.store.admins = {"acme"}
    box.token = box.store.add_token("acme", "write:package", "read:admin", "read:repository")
    box.store.add_owner("team-a", ["somebody"])
    box.store.add_owner("someone", public=False)
    for owner in ("acme", "team-a", "someone"):
        for number in range(9):
            Pusher.into(box.store, owner).image("app", f"v{number}", f"{owner}{number}")
            box.store.age("app", f"v{number}", 400 - number, owner)
    box.store.forge.add(
        box.store.owner("someone"), "deploy", {"a.yaml": "image: r.test/team-a/app:v0\n"}
    )
    outcome = follow(box, "A whole instance", {})
    assert outcome.exit_code == 0, outcome.text
    newest = {f"v{number}" for number in range(3, 9)}
    assert set(box.store.versions("app", "acme")) == newest
    assert set(box.store.versions("app", "someone")) == newest
    assert set(box.store.versions("app", "team-a")) == newest | {"v0"}


def test_releases_live_as_long_as_their_git_tag_whatever_name_they_have(box: Box) -> None:
    app = box.store.forge.add(box.store.owner("acme"), "my-image", {"README.md": "hello"})
    app.pulls, app.tags = {12: "open", 13: "closed"}, {"v1.2.3"}
    app.branches["feature/Login"] = {}
    alive = {"v1.2.3", "1.2.3", "1.2", "1", "main", "feature-login", "feature-login-3f2a", "pr-12"}
    gone = {"v1.2.2", "1.2.2", "1.1", "feature-old", "feature-old-3f2a", "pr-13"}
    for tag in sorted({*alive, *gone, "latest"}):
        box.push.multiarch("my-image", tag, tag)
    box.store.owner("acme").images["my-image"].repository = "my-image"
    age_all(box, 365, image="my-image")
    outcome = follow(box, "As long as a branch, pull request or git tag", {})
    assert outcome.exit_code == 0, outcome.text
    left = {name for name in names_in(box, "my-image") if not name.startswith("sha256:")}
    assert left == {*alive, "latest"}
    assert [box.push.missing("my-image", tag) for tag in left] == [[]] * len(left)


def test_the_parts_of_a_push_under_way_stay_in_a_stream_thinned_with_age(box: Box) -> None:
    box.push.multiarch("my-image", "v1", 1)
    age_all(box, 4000, image="my-image")
    part = box.push.image("my-image", None, "the first platform of v2")
    box.store.age("my-image", part, 1 / 24)
    outcome = follow(box, "Thinned with age", {})
    assert outcome.exit_code == 0, outcome.text
    assert part in names_in(box, "my-image")


def test_the_parts_of_a_push_under_way_stay_by_the_policy_file_of_its_page(
    box: Box, tmp_path: Path
) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", POLICY_PAGE, re.DOTALL)
    (tmp_path / "gc.yml").write_text(text, "utf-8")
    for tag in ("v1", "v2"):
        box.push.multiarch("cache-app", tag, tag)
    age_all(box, 4000, image="cache-app")
    part = box.push.image("cache-app", None, "the first platform of v3")
    box.store.age("cache-app", part, 1 / 24)
    outcome = run_with(box, {"token": box.token, "policy-file": "gc.yml"}, tmp_path)
    assert outcome.exit_code == 0, outcome.text
    assert part in names_in(box, "cache-app")
    assert len([n for n in names_in(box, "cache-app") if n.startswith("v")]) == 1


def test_of_numbered_builds_three_of_each_name_stay(box: Box) -> None:
    for tag in ("main-38", "main-39", "main-40", "main-41", "nightly-20261101", "v1.2.3", "v1.2.4"):
        box.push.image("my-image", tag, tag)
    for age, tag in enumerate(("main-41", "main-40", "main-39", "main-38")):
        box.store.age("my-image", tag, 400 + age)
    for tag in ("nightly-20261101", "v1.2.3", "v1.2.4"):
        box.store.age("my-image", tag, 900)
    outcome = follow(box, "Two of each minor version", {})
    assert outcome.exit_code == 0, outcome.text
    assert names_in(box, "my-image") == {
        "main-39", "main-40", "main-41", "nightly-20261101", "v1.2.3", "v1.2.4",
    }  # fmt: skip
