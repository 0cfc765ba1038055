"""Whatever rules there are, by image too: a file that says them means them.

So what tests/test_properties.py holds of settings holds of policy files.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc.settings.load import load
from registry_gc.settings.parse import Limit, Policy
from tests import worlds
from tests.harness import settings

pytestmark = pytest.mark.property


@dataclass
class Elsewhere:
    """A server that nothing is asked of."""

    url: str = "https://git.example.org"
    owner: str = "acme"
    token: str = "f00dfeed5ec7e7"


def said(choices: dict[str, Any]) -> dict[str, Any]:
    """Settings by field, as the keys and values of a file."""
    return {name.replace("_", "-"): plain(value) for name, value in choices.items()}


def plain(value: Any) -> Any:
    if isinstance(value, Policy):
        return said(value.settings())
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, Limit) else value


@given(worlds.CHOICES, st.sampled_from((None, 1, 250)))
def test_a_file_that_says_settings_means_them(choices: dict[str, Any], at_most: int | None) -> None:
    general = {n: v for n, v in choices.items() if n != "images" and v is not None}
    general |= {"delete_at_most": at_most} if at_most else {}
    entries = [{"match": list(match), **said(own)} for match, own in choices["images"]]
    place, text = Elsewhere(), json.dumps({**said(general), "images": entries}, indent=1)
    env = {"GITEA_TOKEN": place.token, "GITEA_HOST": place.url, "INPUT_OWNER": place.owner}
    with TemporaryDirectory() as folder:
        (Path(folder) / "gc.yml").write_text(text, encoding="utf-8")
        found = load({"policy_file": "gc.yml"}, env, Path(folder))
    assert found == settings(place, **{**choices, **general, "policy_file": "gc.yml"})
