"""The project's own workflows: what they call exists, and a fork can run them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".gitea" / "workflows"
GIVEN = "steps.secret.outputs.given == 'true'"


def steps(name: str) -> list[dict[str, Any]]:
    """All steps of a workflow."""
    workflow = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_a_change_is_tested_without_any_secret() -> None:
    assert "secrets." not in (FOLDER / "test.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["publish.yml", "registry-gc.yml"])
def test_a_fork_without_the_secret_does_nothing_and_says_so(name: str) -> None:
    first, *others = steps(name)
    assert first["id"] == "secret"
    assert "Nothing to do: this repository has no secret" in first["run"]
    assert [step.get("if") for step in others] == [GIVEN] * len(others)


def test_the_release_is_made_by_the_script_with_options_that_it_has() -> None:
    run = next(step["run"] for step in steps("release.yml") if "-m release" in step.get("run", ""))
    known = {option for parameter in main.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", run)) <= known


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_what_a_workflow_makes_or_starts_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for step in steps(path.name):
        for made in re.findall(r"^make (.+)$", step.get("run", ""), re.MULTILINE):
            assert set(made.split()) <= targets
        for script in re.findall(r"\b(tests/\S+\.sh)\b", step.get("run", "")):
            assert (ROOT / script).stat().st_mode & 0o100
