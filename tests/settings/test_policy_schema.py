"""The schema for editors and the program agree on what a policy file may say."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from docs import policy_file as page
from registry_gc.settings.inputs import Input
from registry_gc.settings.load import load
from registry_gc.settings.policies import KEYS
from registry_gc.settings.policy_file import FILE_INPUTS, IMAGE_INPUTS, OUTSIDE, read

DOCS = Path(page.__file__).parent
PAGE = (DOCS / "policy-file.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
VALIDATOR = Draft7Validator(page.schema())


def is_right(folder: Path, text: str) -> bool:
    """Whether the program finds nothing wrong with it."""
    (folder / "gc.yml").write_text(text, encoding="utf-8")
    return not read("gc.yml", folder, {}).problems


def test_the_schema_is_the_one_that_the_inputs_make() -> None:
    """Else: python -m docs.policy_file."""
    Draft7Validator.check_schema(page.schema())
    assert page.SCHEMA.read_text(encoding="utf-8") == page.text()


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        "{}",
        "keep-days: 0",
        "protect: [v*, 1.10, 3]",
        "protect: 1.10",
        "protect: []",
        "max-delete: 60%",
        "max-delete: 500",
        "delete-at-most: 100",
        "dry-run: true",
        "policies: |\n  tags=v*,keep-latest=2\n",
        "policies: [{tags: v*, group-by: '(a)', order: version, keep-yearly: 1}]",
        "images: [{match: a, policies: [], protect: [], keep-untagged-days: 1, repository: a/b}]",
        "x: &a 3\n".replace("x", "keep-days") + "keep-latest: *a",
    ],
)
def test_what_is_right_is_right_for_both(tmp_path: Path, text: str) -> None:
    assert is_right(tmp_path, text)
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "keep-latst: 3",
        "keep-days: ten",
        "keep-days: -1",
        "keep-days: 1000000",
        "keep-days: 1.5",
        "keep-days: [1]",
        "keep-days:",
        "dry-run: maybe",
        "concurrency: 33",
        "delete-at-most: 0",
        "package: []",
        "protect: ''",
        "protect: {a: b}",
        "protect: [[a]]",
        "protect: [~]",
        *(f"{name}: x" for name in OUTSIDE),
        "match: a",
        "policies: [a]",
        "policies: [{keep-latest: 3}]",
        "policies: [{tags: []}]",
        "policies: [{tags: a, keep-untagged-days: 3}]",
        "policies: [{tags: a, order: date}]",
        "policies: [{tags: a, group-by: patch}]",
        "images: {match: a}",
        "images: [a]",
        "images: [{keep-days: 3}]",
        "images: [{match: []}]",
        "images: [{match: a, package: b}]",
        "images: [{match: a, images: []}]",
        "- a",
        "a",
    ],
)
def test_what_is_wrong_is_wrong_for_both(tmp_path: Path, text: str) -> None:
    assert not is_right(tmp_path, text)
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("declared", FILE_INPUTS.values(), ids=FILE_INPUTS)
def test_what_takes_several_values_takes_a_list(declared: Input) -> None:
    several = []
    for text in ("a/b\nc/d", "a\nb", "tags=a\ntags=b"):
        with suppress(ValueError):
            found = declared.parse(text)
            several.append(isinstance(found, tuple) or found == "a, b")
    assert declared.many is any(several)


def test_the_page_names_every_setting_and_key() -> None:
    (by_image,) = re.findall(r"An entry may have (.*?);", PAGE)
    assert re.findall(r"`([a-z-]+)`", by_image) == list(IMAGE_INPUTS)
    rows = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]
    assert re.findall(r"`([a-z-]+)`", " ".join(rows)) == list(KEYS)
    (others,) = re.findall(r"Any \[input\]\(\S+\) of the action but (.*?)\.", PAGE)
    assert re.findall(r"`([a-z-]+)`", others) == list(OUTSIDE)
    assert set(OUTSIDE) | set(FILE_INPUTS) > set(IMAGE_INPUTS)


def test_the_example_means_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "gc.yml").write_text(EXAMPLE, encoding="utf-8")
    env = {"GITEA_TOKEN": "abcdefghij", "GITEA_HOST": "https://x.example", "INPUT_OWNER": "acme"}
    settings = load({"policy_file": "gc.yml"}, env, tmp_path)
    assert settings.package == ("*",)
    assert settings.for_image("team/web").policies[0].group_by == "minor"
    assert settings.for_image("cache-go").keep_days == 0
    assert settings.for_image("other").keep_latest == 6


def test_the_errors_on_the_page_are_those_of_the_program(tmp_path: Path) -> None:
    lines = [""] * 12
    lines[3], lines[6], lines[8] = "keep-latst: 1", "keep-days: 1", "keep-days: 2"
    lines[11] = "keep-daily: 7d"
    (tmp_path / ".gitea").mkdir()
    (tmp_path / ".gitea" / "registry-gc.yml").write_text("\n".join(lines), encoding="utf-8")
    (told,) = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert read(".gitea/registry-gc.yml", tmp_path, {}).problems == tuple(told.splitlines())
