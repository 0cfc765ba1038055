"""Tags as versions: in which order they come, and which of them belong together.

No library fits what images are tagged with: PEP 440 knows no `-alpine`, semantic versioning takes
it for a pre-release and knows neither `1.2` nor `2024.10.01`. Where those know a tag, the order
here is theirs.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from registry_gc.settings.expressions import expression

_VERSION = re.compile(
    r"(?P<name>(?:(?!v\d)[a-z][a-z0-9]*[-_])*)v?(?P<numbers>\d+(?:\.\d+)*)(?P<rest>.*)"
)
# Single letters only with a number: `-a` is more likely a variant. Least finished first.
_STAGES = (
    ("dev", "snapshot"),
    ("alpha", "a"),
    ("beta", "b"),
    ("milestone", "m"),
    ("rc", "c", "pre", "preview"),
)
_PRE = re.compile(
    r"(?P<mark>[-._]?)(?P<stage>dev|snapshot|alpha|beta|milestone|rc|preview|pre|[abcm](?=\d))"
    r"(?P<numbers>[-._]?\d*(?:[-._]\d+)*)(?=[-._]|$)"
)
_REVISION = re.compile(r"(?:[-._](?:r|post)?\d+)+(?=[-._]|$)")


@dataclass(frozen=True, slots=True)
class TagVersion:
    """The parts of `release-v1.2.3-rc.1-alpine3.19`."""

    name: str
    """`release-`, without the v"""
    numbers: tuple[int, ...]
    """1, 2, 3"""
    stage: tuple[int, ...]
    """How finished a pre-release is, and its numbers; empty for a release."""
    revision: tuple[int, ...]
    """Of `1.2.3-4`, `1.2.3-r4` and `2024-10-31`: 4, and 10, 31."""
    suffix: str
    """`alpine3.19`"""


Key = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@lru_cache(maxsize=65536)
def parsed(tag: str) -> TagVersion | None:
    """The version that a tag tells, or None when it is none: `main`, `sha-1a2b3c4`."""
    match = _VERSION.fullmatch(tag.lower())
    if not match:
        return None
    rest = match["rest"]
    stage: tuple[int, ...] = ()
    revision: tuple[int, ...] = ()
    pre = _PRE.match(rest)
    if pre and (pre["mark"] or "." in match["numbers"]):  # `1a2` is rather a part of a hash
        rank = next(n for n, names in enumerate(_STAGES) if pre["stage"] in names)
        rest, stage = rest[pre.end() :], (rank, *_numbers(pre["numbers"]))
    if found := _REVISION.match(rest):
        rest, revision = rest[found.end() :], _numbers(found[0])
    if rest and (rest[0] not in "-._" or len(rest) == 1):
        return None
    return TagVersion(match["name"], _numbers(match["numbers"]), stage, revision, rest[1:])


def order(tag: str) -> Key | None:
    """What versions are compared by, the newer the greater; None for what is no version.

    1.2 equals 1.2.0; a pre-release comes before its release, a revision after it; name and suffix
    do not count.
    """
    version = parsed(tag)
    if not version:
        return None
    numbers = version.numbers
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers, version.stage or (len(_STAGES),), version.revision


def group(tag: str, group_by: str) -> str:
    """The group of a tag by `major`, `minor` or a regular expression; what is in none is one.

    `1.2.3` is in 1.2, `1.2.3-alpine` in 1.2-alpine, `1.2.3-rc.1` in `1.2 pre-releases`: what people
    would not put in the place of one another. A number that is not there is left out.
    """
    return _group(tag.lower(), group_by)


@lru_cache(maxsize=65536)
def _group(tag: str, group_by: str) -> str:
    if group_by not in ("major", "minor"):
        found = expression(group_by).group(tag)
        return "without a match" if found is None else found
    version = parsed(tag)
    if not version:
        return "without a version"
    kept = version.numbers[: 1 if group_by == "major" else 2]
    label = version.name + ".".join(map(str, kept))
    label += f"-{version.suffix}" if version.suffix else ""
    return label + (" pre-releases" if version.stage else "")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))
