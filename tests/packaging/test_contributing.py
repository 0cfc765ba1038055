"""CONTRIBUTING.md shows the rooms as they are."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "gc" / "registry_gc"


def rooms_in_the_map() -> dict[str, str]:
    """What the table of the rooms says, in its order."""
    rows = re.findall(
        r"^\| \[(\w+)\]\(gc/registry_gc/\w+\) \| (.+) \|$", CONTRIBUTING, re.MULTILINE
    )
    return dict(rows)


def test_the_map_says_of_each_room_what_the_room_says_of_itself() -> None:
    sentences = {}
    for init in PACKAGE.glob("*/__init__.py"):
        docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
        sentences[init.parent.name] = re.split(r" Imports ", " ".join(docstring.split()))[0]
    assert rooms_in_the_map() == sentences


def test_the_map_lists_the_rooms_in_the_order_of_their_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = rooms_in_the_map()
    assert list(rooms) == [layer for layer in reversed(layers) if layer in rooms]
