"""The page of inventories: each step's sample keeps what runs and what one goes back to."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_gc.sources.files import search

PAGE = Path(__file__).parents[2] / "docs/inventories.md"
SECTIONS = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
)
DIGEST = "sha256:" + "0123456789abcdef" * 4
TAGS = ["1.4.2", "1.4.1", "1.4.0", "latest", "16", "1", "v1", "web", "7"]


def step_of(section: str) -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert found
    return dict(yaml.safe_load(found[1])["steps"][0])


@pytest.mark.parametrize("tool", SECTIONS)
def test_what_a_tool_writes_keeps_what_runs_and_nothing_else(tool: str, tmp_path: Path) -> None:
    sample = re.search(r"```(?:json|text)\n(.*?)```", SECTIONS[tool], re.DOTALL)
    assert sample
    name = re.findall(r"> (\S+)$", step_of(SECTIONS[tool])["run"], re.MULTILINE)[-1]
    (tmp_path / name).write_text(sample[1], "utf-8")
    found = search([name], tmp_path, "my-org", {"app": TAGS, "worker": TAGS})
    assert {"1.4.2", "1.4.1"} <= found.tags["app"].keys()
    assert not {"1.4.0", "latest", "16"} & found.tags["app"].keys()
    assert "worker" not in found.tags
    assert (DIGEST in found.digests.get("app", {})) is (DIGEST in sample[1])
    assert found.doubts == ()


@pytest.mark.parametrize("tool", SECTIONS)
def test_a_step_ends_where_one_of_its_commands_fails(tool: str) -> None:
    assert step_of(SECTIONS[tool])["shell"] == "bash"


def test_the_tools_are_all_there() -> None:
    assert list(SECTIONS) == [
        "Kubernetes", "Docker hosts", "Compose hosts", "Nomad", "Podman quadlets", "Portainer",
    ]  # fmt: skip
