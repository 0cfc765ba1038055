"""How a policy is written: as a line of the input `policies`, or as keys and values."""

import difflib
from collections.abc import Iterable

from registry_gc.settings import placeholders
from registry_gc.settings.expressions import expression
from registry_gc.settings.parse import Policy, number, policy_patterns, shown

FIGURES = ("keep-latest", "keep-days", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly")
KEYS = ("tags", *FIGURES, "group-by", "order")


def lines(text: str) -> tuple[Policy, ...]:
    """One policy a line: `tags=v*,tags=release-*,keep-latest=20,group-by=minor`.

    Raises ValueError with every wrong line.
    """
    found, problems = [], []
    for place, line in enumerate(text.strip().splitlines(), 1):
        if line.strip():
            try:
                found.append(policy(_pairs(line)))
            except ValueError as error:
                problems.append(f"line {place} {shown(line)} {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found)


def policy(pairs: Iterable[tuple[str, str]]) -> Policy:
    """A policy from its keys and their values; `tags` may be repeated. Raises ValueError."""
    tags: list[str] = []
    values: dict[str, str] = {}
    for key, value in pairs:
        if key == "tags":
            tags += policy_patterns(value)
        elif key in values:
            raise ValueError(f"says {key} twice.")
        else:
            values[key] = value
    if not tags:
        raise ValueError("names no tags: add tags=PATTERN.")
    placeholders.check_has_figures(tags, [key for key in FIGURES if key in values])
    figures = {}
    for key in FIGURES:
        try:
            figures[key.replace("-", "_")] = number(values.get(key, "0"))
        except ValueError as error:
            raise ValueError(f"{key}={shown(values[key])} {error}") from error
    return Policy(
        tuple(tags),
        **figures,
        group_by=group_by(values["group-by"]) if "group-by" in values else "",
        by_version="order" in values and _is_by_version(values["order"]),
    )


def group_by(text: str) -> str:
    """`major`, `minor`, or a regular expression with one group."""
    if text.lower() in ("major", "minor"):
        return text.lower()
    try:
        expression(text)
    except ValueError as error:
        raise ValueError(
            f"group-by={shown(text)} is neither major nor minor, and as a regular expression it "
            f"{error}"
        ) from error
    return text


def unknown(key: str, known: Iterable[str]) -> str:
    """`Did you mean keep-daily? `, or nothing when no known key is near."""
    near = difflib.get_close_matches(key.lower().replace("_", "-"), list(known), 1, 0.7)
    return f"Did you mean {near[0]}? " if near else ""


def _is_by_version(text: str) -> bool:
    if text.lower() != "version":
        raise ValueError(
            f"order={shown(text)} is not allowed: version, or leave it out for what was pushed "
            "last to come first."
        )
    return True


def _pairs(line: str) -> Iterable[tuple[str, str]]:
    for pair in line.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if key not in KEYS or not equals or not value:
            raise ValueError(
                f"has {shown(pair)}. {unknown(key, KEYS) if key not in KEYS else ''}Allowed are "
                f"tags=PATTERN (repeated for several), {', '.join(FIGURES)} with a number, "
                "group-by=major, minor or a regular expression without commas, and order=version."
            )
        yield key, value
