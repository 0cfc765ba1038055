"""YAML as plain text with the line of each part: no types, no code, no includes.

Nothing is taken for a number or a date: the tag 1.10 is not 1.1. Anchors, aliases and merge keys
are YAML's own.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

Node = Any  # of ruamel.yaml.nodes, whose types do not have the `id` that tells the kinds
_TAG = "tag:yaml.org,2002:"
_PLAIN = frozenset(
    _TAG + kind
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge", "seq", "map")
)
# What the library raises beside its own errors: for characters and versions that there are not.
_OTHER_FAILURES = (ValueError, ArithmeticError, AssertionError, LookupError)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file."""

    line: int
    """Where it stands, from 1; of what has a key, where the key stands."""
    content: "str | tuple[Part, ...] | Mapping[str, Part] | None"
    """A text, a list, keys with what they say, or None where nothing is said."""


class Problems:
    """What is wrong, each with its line."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], None] = {}

    def add(self, line: int, text: str) -> None:
        """Takes a sentence; the same one in the same line counts once."""
        self._found[line, text] = None

    def sentences(self, path: str) -> tuple[str, ...]:
        """`path:12: the sentence`, by line."""
        return tuple(f"{path}:{line}: {text}" for line, text in sorted(self._found))

    def __bool__(self) -> bool:
        return bool(self._found)


def parts(text: str, problems: Problems) -> Part | None:
    """The file's top; None when it is empty, or no YAML at all, which is one of the problems."""
    # Imported here so that a run without a policy file does not wait for it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
        return _Reading(problems).part(node) if node else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(mark.line + 1 if mark else 1, _in_words(error))
    except RecursionError:
        problems.add(1, "is nested too deeply.")
    except YAMLError as error:
        problems.add(1, f"is no YAML: {' '.join(str(error).split())}.")
    except _OTHER_FAILURES:
        problems.add(
            _reached(text),
            "is no YAML that can be read, here or further down: is an escape such as "
            r'"\U0001F600" wrong, or a version in a %YAML line other than 1.1 and 1.2?',
        )
    return None


def _reached(text: str) -> int:
    """The line behind which reading fails without telling where."""
    from ruamel.yaml import YAML

    line = 0
    with suppress(*_OTHER_FAILURES):
        for event in YAML(typ="safe", pure=True).parse(text):
            line = event.end_mark.line
    return line + 1


def _in_words(error: "MarkedYAMLError") -> str:
    what = " ".join(str(error.problem or error.context).split())
    if "'\\t'" in what:
        return "has a tab where YAML wants spaces: indent with spaces."
    hint = ""
    if re.search(r"character '[@`%*&!|>]'|undefined alias", what):
        hint = " Put a value that begins with a special character, such as *, in quotes."
    return f"is no YAML: {what}.{hint}"


class _Reading:
    """Nodes to parts: each node once, however often aliases name it."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._known: dict[int, Part | None] = {}  # None while it is being read

    def part(self, node: Node, line: int = 0) -> Part:
        line = line or _line(node)
        known = self._known.get(id(node), ...)
        if known is None:
            self._problems.add(line, "has an alias that refers to what it is in.")
        if isinstance(known, Part):
            return Part(line, known.content)
        if known is not ...:
            return Part(line, None)
        self._known[id(node)] = None
        if str(node.tag) not in _PLAIN:
            self._problems.add(line, f"has the tag {node.tag}: only plain values are allowed.")
        content: Any = None
        if node.id == "mapping":
            content = self._keys(node)
        elif node.id == "sequence":
            content = tuple(self.part(item) for item in node.value)
        elif node.id == "scalar" and str(node.tag) != _TAG + "null":
            content = node.value
        self._known[id(node)] = Part(line, content)
        return Part(line, content)

    def _keys(self, node: Node) -> dict[str, Part]:
        own: dict[str, Part] = {}
        merged: dict[str, Part] = {}
        for key, value in node.value:
            if str(key.tag) == _TAG + "merge":
                for name, part in self._merged(value).items():
                    merged.setdefault(name, part)
            elif key.id != "scalar":
                self._problems.add(_line(key), "has a key that is no word.")
            elif key.value in own:
                first = own[key.value].line
                self._problems.add(
                    _line(key), f"{key.value}: is there twice, first in line {first}."
                )
            else:
                own[key.value] = self.part(value, _line(key))
        return {**merged, **own}

    def _merged(self, node: Node) -> Mapping[str, Part]:
        """What a merge key brings: of several, the first to say something says it."""
        found: dict[str, Part] = {}
        for source in node.value if node.id == "sequence" else [node]:
            content = self.part(source).content
            if not isinstance(content, Mapping):
                self._problems.add(
                    _line(node), "<< takes keys with their values, or a list of such."
                )
                continue
            for name, part in content.items():
                found.setdefault(name, part)
        return found


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
