"""The job summary: Markdown for Gitea, and never more of it than the server takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from registry_gc.report import chart, files
from registry_gc.report.escaping import code, cut, markdown, plural, size
from registry_gc.report.report import Build, Group, Image, Problem, Report, Row, State
from registry_gc.report.tables import ALL, Table, cells, head, more, most_that_fits, table
from registry_gc.report.wording import (
    SPACE,
    age,
    contents,
    failures,
    headline,
    labels,
    looked,
    names,
    setting,
    stays_as,
    title,
    touched_first,
    upcoming,
    why,
)

LIMIT = 1_048_576  # UTF-8 bytes: what Gitea 1.27 shows of a step's summary
LONGEST = 2000  # characters of a problem; the log has all of it
FEW = 10  # rows a table keeps as long as there is room for its image at all
CHARTS = 5


@dataclass(frozen=True, slots=True)
class Summary:
    """The job summary as a face of the report."""

    path: Path | None
    """The runner's file for it; None where there is none."""

    def show(self, report: Report) -> None:
        """Appends to the file. Raises NotWritten."""
        if self.path:
            files.append(self.path, render(report))


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of the report is shown."""

    rows: int = ALL  # of each table of builds or versions
    sections: int = ALL  # images with their builds
    entries: int = ALL  # problems, and rows of the table of images


@dataclass(frozen=True, slots=True)
class _Section:
    """An image with its builds."""

    start: Sequence[str]
    tables: Sequence[Table] = field(default_factory=tuple)

    def render(self, most: int) -> list[str]:
        """The section with the first rows of its tables."""
        return [*self.start, *(line for t in self.tables for line in t.render(most))]


def render(report: Report, limit: int = LIMIT) -> str:
    """The summary, of at most `limit` UTF-8 bytes; "" when not even the headline fits.

    Rows are left out whole and counted: first the last rows of the longest tables, then images,
    then problems.
    """
    images = touched_first(report.images)
    sections = _sections([image for image in images if image.rows], report)

    @cache
    def start(entries: int) -> list[str]:
        return [*_top(report), *_problems(report, entries), *_images(report, images, entries)]

    def text(room: _Room) -> str:
        return "\n".join(
            [
                *start(room.entries),
                *(line for s in sections[: room.sections] for line in s.render(room.rows)),
                *more(len(sections) - room.sections, "image"),
                *(_settings(report) if room.entries else []),
            ]
        )

    def fits(room: _Room, name: str, n: int) -> bool:
        return len(text(replace(room, **{name: n})).encode()) <= limit

    longest = max((len(t.rows) for s in sections for t in s.tables), default=0)
    entries = sum(1 for _ in report.all_problems()) + len(images)
    room = _Room()
    for name, least, most in (
        ("rows", min(FEW, longest), longest),
        ("sections", 0, len(sections)),
        ("entries", 0, entries),
    ):
        best = most_that_fits(partial(fits, room, name), least, most)
        if best is not None:
            return text(replace(room, **{name: best}))
        room = replace(room, **{name: least})
    top = "\n".join(_top(report))
    return top if len(top.encode()) <= limit else ""


def _top(report: Report) -> list[str]:
    moment = f"{report.started:%Y-%m-%d %H:%M} UTC" + (", dry run" if report.is_dry_run else "")
    line = f"{code(report.owner)} on {code(report.server_url)}, {moment}"
    after = " ".join(filter(None, (upcoming(report.images), looked(report.looked_at))))
    return [f"## {markdown(headline(report))}", "", f"{line}. {after}" if after else line, ""]


def _problems(report: Report, most: int) -> list[str]:
    """Errors and warnings, each kind in a box of its own."""
    found = sorted(
        [*report.all_problems(), *failures(report)], key=lambda pair: not pair[1].is_error
    )
    lines: list[str] = []
    for kind, is_error in (("CAUTION", True), ("WARNING", False)):
        shown = [_problem(*pair) for pair in found[:most] if pair[1].is_error is is_error]
        lines += [f"> [!{kind}]", *shown, ""] if shown else []
    return lines + more(len(found) - most, "problem")


def _problem(image: str, problem: Problem) -> str:
    where = f"{code(image)}: " if image else ""
    return f"> - {where}{markdown(cut(problem.text, LONGEST))}"


def _images(report: Report, images: Sequence[Image], most: int) -> list[str]:
    """The table of images, its columns as far as they say something, and the totals."""
    if not images:
        return []
    states = [s for s in _words(report) if s in (report.goes, State.KEPT) or report.count(s)]
    held = [image.held for image in images if image.held is not None]
    has_freed = report.freed is not None or any(image.freed is not None for image in images)
    versions = f"Versions {_words(report)[report.goes].lower()}:"
    columns = ["Image", "Builds:", *(f"{_words(report)[s]}:" for s in states), versions]
    columns += ["Holds:"] if held else []
    columns += ["Frees up to:"] if has_freed else []

    def row(name: str, shown: Sequence[Image], holds: str, freed: int | None, bar: str) -> str:
        builds = [sum(image.count_builds(state) for image in shown) for state in states]
        gone = sum(image.count(report.goes) for image in shown)
        every = sum(len(image.rows) for image in shown)
        space = [*([holds] if held else []), *([_size(freed)] if has_freed else [])]
        return cells(name, sum(builds), *builds, f"{gone} of {every}", *space, bar)

    rows = [row(code(i.name), [i], _size(i.held), i.freed, _bar(i, report)) for i in images]
    lines = [*head([*columns, ""]), *rows[:most]]
    if len(images) > 1:
        # Blobs that images share are counted in each.
        total = f"≤ {size(sum(held))}" if len(held) == len(images) else ""
        lines.append(row("**All**", images, total, report.freed, ""))
    lines += ["", *more(len(images) - most, "image")]
    return [*lines, f"<sub>{SPACE}</sub>", ""] if report.freed else lines


def _bar(image: Image, report: Report) -> str:
    """How much of what the image holds goes: of its bytes, or of its builds."""
    part, whole = image.freed, image.held
    if part is None or not whole:
        part, whole = image.count_builds(report.goes), len(image.builds)
    return f'<progress value="{part}" max="{whole}"></progress>' if part else ""


def _sections(images: Sequence[Image], report: Report) -> list[_Section]:
    """Each image under its name, the first few that have many builds with a chart."""
    sections = []
    charts = 0
    for image in images:
        lines = [f"### {code(image.name)}", ""] if len(report.images) > 1 else []
        found = chart.bars(image) if charts < CHARTS else None
        if found:
            charts += 1
            lines += chart.mermaid(found)
        tables = [t for group in image.groups() for t in _tables(group, image, report)]
        sections.append(_Section(lines, [*tables, *_trash(image, report)]))
    return sections


def _words(report: Report) -> dict[State, str]:
    """What became of things, for the heads of columns and tables, in their order."""
    return {
        State.DELETED: "Deleted",
        State.FAILED: "Failed",
        State.DOOMED: "To be deleted" if report.is_dry_run else "Not tried",
        State.KEPT: "Kept",
    }


def _tables(group: Group, image: Image, report: Report) -> list[Table]:
    """The builds of one state, and what of that state belongs to no such build."""
    word = _words(report)[group.state]
    is_open = group.state is State.FAILED
    rows = [_build(build, report) for build in group.builds]
    rows += [_name(row, image, report) for row in group.names]
    tables = [table(f"<b>{word}: {title(group)}</b>", rows, "build", is_open)] if rows else []
    if not group.leftovers:
        return tables
    kind = "Kept besides builds" if group.state is State.KEPT else f"{word}, unreachable"
    is_counted = group.state is report.goes and image.unreachable is not None
    space = f", up to {_size(image.unreachable)}" if is_counted else ""
    name = f"<b>{kind}: {plural(len(group.leftovers), 'version')}{space}</b>"
    found = zip(labels(group.leftovers), group.leftovers, strict=True)
    rows = [_version(label, row, report) for label, row in found]
    return [*tables, table(name, rows, "version", is_open)]


def _trash(image: Image, report: Report) -> list[Table]:
    """What is in the trash, and when it goes for good."""
    rows = [_build(build, report, "Put there") for build in image.trash]
    name = f"<b>In the trash: {plural(len(rows), 'build')}</b>"
    return [table(name, rows, "build")] if rows else []


def _build(build: Build, report: Report, date: str = "Pushed") -> dict[str, str]:
    return {
        "Build": names(build.deciding, code),
        **_dates(build.tags[0], report, date),
        "Made of": markdown(contents(build)),
        "Adds:": _size(build.adds),
        "Size:": _size(build.size),
        **_reason(build.deciding[0], why(build.reason, build.until)),
    }


def _name(row: Row, image: Image, report: Report) -> dict[str, str]:
    """A tag that goes, or stays, without its build."""
    return {
        "Build": code(row.version.name),
        **_dates(row, report),
        **dict.fromkeys(("Made of", "Adds:", "Size:"), ""),
        **_reason(row, stays_as(row, image)),
    }


def _version(label: str, row: Row, report: Report) -> dict[str, str]:
    return {
        "Version": code(label),
        **_dates(row, report),
        "Size:": _size(row.size),
        **_reason(row, why(row.reason, row.until)),
    }


def _dates(row: Row, report: Report, date: str = "Pushed") -> dict[str, str]:
    days = f"{age(row.version.created, report.started):.0f} d"
    return {date: f"{row.version.created:%Y-%m-%d}", "Age:": days}


def _reason(row: Row, reason: str) -> dict[str, str]:
    return {"Error" if row.error else "Why": markdown(cut(row.error or reason, 300))}


def _settings(report: Report) -> list[str]:
    shown = {name: setting(value) for name, value in report.settings.items()}
    rows = [cells(code(n), code(cut(v, LONGEST))) for n, v in shown.items() if v]
    return Table("Settings", ["Input", "Value"], rows, "setting").render() if rows else []


def _size(figure: int | None) -> str:
    return "" if figure is None else size(figure)
