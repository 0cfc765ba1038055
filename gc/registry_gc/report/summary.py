"""The job summary: Markdown for Gitea, and never more of it than the server takes."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from registry_gc.report.escaping import code, cut, markdown, plural, size
from registry_gc.report.report import Image, Problem, Report, Row, State
from registry_gc.report.wording import SPACE, age, headline, labels, setting, touched_first

LIMIT = 1_048_576  # UTF-8 bytes: what Gitea 1.27 shows of a step's summary
LONGEST = 2000  # characters of a problem; the log has all of it
FEW = 10  # rows a table keeps as long as there is room for its image at all
ALL = 1 << 40


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of the report is shown."""

    rows: int = ALL  # of each table of versions
    sections: int = ALL  # images with their versions
    entries: int = ALL  # problems, and rows of the table of images


@dataclass(frozen=True, slots=True)
class _Table:
    """The versions of an image with one state."""

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    is_open: bool

    def render(self, most: int) -> list[str]:
        """The table with its first rows, and how many were left out."""
        return [
            f"<details{' open' if self.is_open else ''}><summary>{self.title}</summary>",
            "",
            *_head(self.columns),
            *self.rows[:most],
            "",
            *_more(len(self.rows) - most, "version"),
            "</details>",
            "",
        ]


@dataclass(frozen=True, slots=True)
class _Section:
    """An image with its versions."""

    title: str
    tables: Sequence[_Table] = field(default_factory=tuple)

    def render(self, most: int) -> list[str]:
        return [f"### {self.title}", "", *(x for t in self.tables for x in t.render(most))]


def render(report: Report, limit: int = LIMIT) -> str:
    """The summary, of at most `limit` UTF-8 bytes; "" when not even the headline fits.

    Rows are left out whole and counted: first the last rows of the longest tables, then images,
    then problems.
    """
    images = touched_first(report.images)
    sections = [_section(image, report) for image in images if image.rows]

    def text(room: _Room) -> str:
        return "\n".join(
            [
                *_top(report),
                *_problems(report, room.entries),
                *_images(report, images, room.entries),
                *(line for s in sections[: room.sections] for line in s.render(room.rows)),
                *_more(len(sections) - room.sections, "image"),
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
        best = _most(partial(fits, room, name), least, most)
        if best is not None:
            return text(replace(room, **{name: best}))
        room = replace(room, **{name: least})
    top = "\n".join(_top(report))
    return top if len(top.encode()) <= limit else ""


def _most(fits: Callable[[int], bool], least: int, most: int) -> int | None:
    """The greatest number that fits, or None."""
    if fits(most):
        return most
    found = least - 1 + bisect_left(range(least, most), True, key=lambda n: not fits(n))
    return found if found >= least else None


def _top(report: Report) -> list[str]:
    owner = f"{code(report.owner)} on {code(report.server_url)}"
    return [f"## {markdown(headline(report))}", "", f"{owner}, {_moment(report)}", ""]


def _moment(report: Report) -> str:
    return f"{report.started:%Y-%m-%d %H:%M} UTC" + (", dry run" if report.is_dry_run else "")


def _problems(report: Report, most: int) -> list[str]:
    """Errors and warnings, each kind in a box of its own."""
    found = sorted(
        [*report.all_problems(), *_failures(report)], key=lambda pair: not pair[1].is_error
    )
    lines: list[str] = []
    for kind, is_error in (("CAUTION", True), ("WARNING", False)):
        shown = [_problem(*pair) for pair in found[:most] if pair[1].is_error is is_error]
        lines += [f"> [!{kind}]", *shown, ""] if shown else []
    return lines + _more(len(found) - most, "problem")


def _failures(report: Report) -> list[tuple[str, Problem]]:
    """A problem for each image with failed deletions, with the cause of the first."""
    found = []
    for image in report.images:
        if errors := [row.error for row in image.rows if row.state is State.FAILED]:
            count = len(errors)
            what = "1 deletion failed" if count == 1 else f"{count} deletions failed, the first"
            found.append((image.name, Problem(f"{what} with: {errors[0]}")))
    return found


def _problem(image: str, problem: Problem) -> str:
    where = f"{code(image)}: " if image else ""
    return f"> - {where}{markdown(cut(problem.text, LONGEST))}"


def _images(report: Report, images: Sequence[Image], most: int) -> list[str]:
    """The table of images, its columns as far as they say something, and the totals."""
    if not images:
        return []
    words = {
        report.goes: "Would delete" if report.is_dry_run else "Deleted",
        State.FAILED: "Failed",
        State.DOOMED: "Would delete" if report.is_dry_run else "Not tried",
        State.KEPT: "Kept",
    }
    always = (report.goes, State.KEPT)
    states = [state for state in words if state in always or report.count(state)]
    held = [image.held for image in images if image.held is not None]
    has_freed = report.freed is not None or any(image.freed is not None for image in images)
    columns = ["Image", "Versions:", *(f"{words[state]}:" for state in states)]
    columns += ["Holds:"] if held else []
    columns += ["Frees up to:"] if has_freed else []

    def row(name: str, versions: int, counts: list[int], holds: str, freed: int | None) -> str:
        shown = [*([holds] if held else []), *([_size(freed)] if has_freed else [])]
        return _cells(name, versions, *counts, *shown)

    rows = [
        row(code(i.name), len(i.rows), [i.count(s) for s in states], _size(i.held), i.freed)
        for i in images
    ]
    lines = [*_head(columns), *rows[:most]]
    if len(images) > 1:
        versions = sum(len(image.rows) for image in images)
        counts = [report.count(state) for state in states]
        # Blobs that images share are counted in each.
        total = f"≤ {size(sum(held))}" if len(held) == len(images) else ""
        lines.append(row("**All**", versions, counts, total, report.freed))
    lines += ["", *_more(len(images) - most, "image")]
    return [*lines, f"<sub>{SPACE}</sub>", ""] if report.freed else lines


def _section(image: Image, report: Report) -> _Section:
    deleted = "Would be deleted" if report.is_dry_run else "Not tried"
    tables = [
        _table(image, report, State.FAILED, "Failed", "Error"),
        _table(image, report, State.DELETED, "Deleted", "Why"),
        _table(image, report, State.DOOMED, deleted, "Why"),
        _table(image, report, State.KEPT, "Kept", "Why"),
    ]
    return _Section(code(image.name), [table for table in tables if table.rows])


def _table(image: Image, report: Report, state: State, title: str, why: str) -> _Table:
    with_size = any(row.size is not None for row in image.rows)
    names = zip(labels(image.rows), image.rows, strict=True)
    rows = [_row(name, row, report, with_size) for name, row in names if row.state is state]
    columns = ["Version", "Created", "Age:", *(["Size:"] if with_size else []), why]
    return _Table(f"<b>{title}: {len(rows)}</b>", columns, rows, state is not State.KEPT)


def _row(name: str, row: Row, report: Report, with_size: bool) -> str:
    days = f"{age(row.version.created, report.started):.0f} d"
    shown = [_size(row.size)] if with_size else []
    why = markdown(cut(row.error or row.reason, 300))
    return _cells(code(name), f"{row.version.created:%Y-%m-%d}", days, *shown, why)


def _settings(report: Report) -> list[str]:
    shown = {name: setting(value) for name, value in report.settings.items()}
    rows = [_cells(code(n), code(cut(v, LONGEST))) for n, v in shown.items() if v]
    return _Table("Settings", ["Input", "Value"], rows, False).render(ALL) if rows else []


def _size(figure: int | None) -> str:
    return "" if figure is None else size(figure)


def _head(columns: Sequence[str]) -> list[str]:
    """The two lines that begin a table; a column whose name ends in a colon is flush right."""
    rules = ("---:" if column.endswith(":") else "---" for column in columns)
    return [_cells(*(column.rstrip(":") for column in columns)), f"|{'|'.join(rules)}|"]


def _cells(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _more(count: int, noun: str) -> list[str]:
    """How many were left out, if any."""
    said = f"*{plural(count, noun)} more, left out here for length: the log has them all.*"
    return [said, ""] if count > 0 else []
