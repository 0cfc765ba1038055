"""The log's lines on what becomes of an image: a line a build, or with all its versions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry_gc.report.escaping import one_line, plural, size
from registry_gc.report.report import Build, Group, Image, Row, State
from registry_gc.report.wording import contents, labels, names, stays_as, why

WIDEST = 40  # the widest column; a longer text pushes its own line only


@dataclass(frozen=True, slots=True)
class Line:
    """A verdict and what it is on."""

    state: State
    """What became of it, or would."""
    cells: tuple[str, ...]
    """All but the last are columns; each on one line already."""
    is_version: bool = False
    """One of the versions of what the line before is on."""


def lines(image: Image, verbose: bool) -> list[Line]:
    """A line for each build, newest first, then for tags that go without their build, and for what
    belongs to none; `verbose` adds a line for each version, which every version has once."""
    found: list[Line] = []
    told: set[int] = set()

    def add(line: Line, rows: Iterable[Row]) -> None:
        found.append(line)
        mine = [r for r in rows if r.state is line.state and r.version.id not in told]
        told.update(row.version.id for row in mine)
        found.extend(versions(mine) if verbose else ())

    groups = image.groups()
    for build in image.builds:
        add(_build(build), build.rows)
    for row in (row for group in groups for row in group.names):
        add(Line(row.state, _cells(row.version.name, row, stays_as(row, image))), [row])
    for group in groups:
        if group.leftovers:
            add(_leftovers(group, image), group.leftovers)
    for build in image.trash:
        add(_build(build), build.rows)
    return found


def versions(rows: Sequence[Row]) -> list[Line]:
    """A line for each of these versions."""
    return [
        Line(row.state, _cells(name, row, why(row.reason, row.until)), True)
        for name, row in zip(labels(rows), rows, strict=True)
    ]


def aligned(found: Sequence[Line]) -> list[str]:
    """The lines as text, their columns below one another."""
    columns = [line.cells[:-1] for line in found]
    count = max(map(len, columns), default=0)
    widths = [
        min(WIDEST, max((len(c[place]) for c in columns if len(c) > place), default=0))
        for place in range(count)
    ]
    return ["  ".join([*_padded(line.cells[:-1], widths), line.cells[-1]]) for line in found]


def _padded(texts: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [f"{text:<{width}}" for text, width in zip(texts, widths, strict=False) if width]


def _build(build: Build) -> Line:
    known = build.adds is not None and build.size is not None
    space = f"{size(build.adds or 0)} of {size(build.size or 0)}" if known else ""
    tags, reason = names(build.deciding, str), why(build.reason, build.until)
    return Line(build.state, _cells(tags, build.tags[0], contents(build), space, reason))


def _leftovers(group: Group, image: Image) -> Line:
    is_measured = group.state is not State.KEPT and image.unreachable
    space = f", up to {size(image.unreachable or 0)}" if is_measured else ""
    reasons = "; ".join(list(dict.fromkeys(row.reason for row in group.leftovers))[:3])
    count = plural(len(group.leftovers), "version")
    return Line(group.state, (one_line(f"{count} besides builds{space}: {reasons}"),))


def _cells(name: str, row: Row, *rest: str) -> tuple[str, ...]:
    return tuple(one_line(text) for text in (name, f"{row.version.created:%Y-%m-%d}", *rest))
