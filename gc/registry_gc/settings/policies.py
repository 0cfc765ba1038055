"""How a policy is written: as a line of the input `policies`, or as keys and values in a file."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from registry_gc.settings import placeholders
from registry_gc.settings.expressions import expression
from registry_gc.settings.parse import Policy, number, policy_patterns, shown

FIGURES = ("keep-latest", "keep-days", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly")


def group_by(text: str) -> str:
    """`major`, `minor`, or a regular expression with one group."""
    if text.lower() in ("major", "minor"):
        return text.lower()
    try:
        expression(text)
    except ValueError as error:
        raise ValueError(
            f"is neither major nor minor, and as a regular expression it {error}"
        ) from error
    return text


def order(text: str) -> bool:
    """Whether builds are ordered by version: `version` is all that can be said."""
    if text.lower() != "version":
        raise ValueError(
            "is not allowed: version, or leave it out for what was pushed last to come first."
        )
    return True


KEYS: Mapping[str, Callable[[str], Any]] = {
    "tags": policy_patterns,
    **dict.fromkeys(FIGURES, number),
    "group-by": group_by,
    "order": order,
}
"""What a policy may say, and how the text of it becomes a value; each raises ValueError."""


def lines(text: str) -> tuple[Policy, ...]:
    """One policy a line: `tags=v*,tags=release-*,keep-latest=20,group-by=minor`.

    Raises ValueError with every wrong line.
    """
    found, problems = [], []
    for place, line in enumerate(text.strip().splitlines(), 1):
        if line.strip():
            try:
                found.append(policy(_values(line)))
            except ValueError as error:
                problems.append(f"line {place} {shown(line)} {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found)


def policy(values: Mapping[str, Any]) -> Policy:
    """A policy from the values of its keys. Raises ValueError when they do not make one."""
    tags = values.get("tags", ())
    if not tags:
        raise ValueError("names no tags: add tags=PATTERN.")
    placeholders.check_has_figures(tags, values.keys() & set(FIGURES))
    figures = {key.replace("-", "_"): values.get(key, 0) for key in FIGURES}
    group, by_version = values.get("group-by", ""), values.get("order", False)
    return Policy(tags, **figures, group_by=group, by_version=by_version)


def guess(name: str, known: Iterable[str]) -> str:
    """` Did you mean keep-daily?`, or nothing when no known name is near."""
    near = difflib.get_close_matches(name.lower().replace("_", "-"), list(known), 1, 0.7)
    return f" Did you mean {near[0]}?" if near else ""


def _values(line: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in line.split(","):
        key, equals, text = (part.strip() for part in pair.partition("="))
        if key not in KEYS or not equals or not text:
            meant = "" if key in KEYS else guess(key, KEYS)
            raise ValueError(
                f"has {shown(pair)}.{meant} Allowed are tags=PATTERN (repeated for several), "
                f"{', '.join(FIGURES)} with a number, group-by=major, minor or a regular "
                "expression without commas, and order=version."
            )
        if key in values and key != "tags":
            raise ValueError(f"says {key} twice.")
        try:
            value = KEYS[key](text)
        except ValueError as error:
            # A pattern's error says which of them is meant.
            raise ValueError(str(error) if key == "tags" else f"{key}={shown(text)} {error}") from (
                error
            )
        values[key] = (*values.get("tags", ()), *value) if key == "tags" else value
    return values
