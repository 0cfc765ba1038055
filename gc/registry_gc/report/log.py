"""The log: everything, line by line, for a job's page, a terminal or a pipe."""

import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from threading import RLock
from typing import Any, TextIO

import click

from registry_gc.report import chart
from registry_gc.report.escaping import one_line, plural, size
from registry_gc.report.lines import Line, aligned, lines, versions
from registry_gc.report.report import Image, Report, Row, State
from registry_gc.report.wording import (
    SPACE,
    failures,
    headline,
    labels,
    looked,
    setting,
    share,
    upcoming,
    verdict,
    waiting,
)
from registry_gc.runner import is_present

LONG = 50  # items from which on a job's log shows progress
FAILURES = 20  # failed deletions listed at the end
CHARTS = 5
SUMMARY = (
    "The run's page shows a summary from Gitea 1.27 with runner 2.0 on. Where it shows none, the "
    "full report is this log."
)


class Log:
    """Writes what a run does to a stream; its methods may be called from any thread."""

    def __init__(
        self,
        stream: TextIO,
        *,
        in_runner: bool,
        is_terminal: bool,
        colour: bool,
        width: int,
        verbose: bool = False,
        marks: str = "#-",
    ) -> None:
        self._stream = stream
        self._in_runner, self._is_terminal = in_runner, is_terminal
        self._colour, self._width = colour, width
        self._verbose, self._marks = verbose, marks
        self._lock = RLock()
        self._shown: dict[tuple[str, int], str] = {}  # (image, id) -> its verdict as printed
        self._names: set[tuple[str, str]] = set()  # (image, version) printed, under whatever id
        self._told: set[tuple[str, str]] = set()  # (image, text) of the problems printed
        self._bars = 0  # progress bars on the terminal's last line
        self._charts = 0

    def start(self, version: str, server_url: str, owner: str, settings: Mapping[str, Any]) -> None:
        """What runs, where, and with which settings."""
        self._line(f"registry-gc {version}: images of {owner} on {server_url}")
        shown = {name: setting(value) for name, value in settings.items()}
        shown = {n: v for n, v in shown.items() if v and n not in ("server-url", "owner")}
        for name, value in shown.items():
            self._line(f"  {name:<{max(map(len, shown))}}  {one_line(value)}")

    def looked(self, parts: Sequence[str]) -> None:
        """What was read to know what is in use or alive, if anything was."""
        if parts:
            self._line(looked(parts))

    def note(self, text: str) -> None:
        """A line that people may want to know of, and that is no problem."""
        self._line(text)

    def plan(self, image: Image, is_dry_run: bool) -> None:
        """What shall become of each build, before anything is deleted."""
        goes = [State.DOOMED, State.FAILED, State.DELETED]
        parts = [f"{share([image], *goes)} to delete"]
        if image.held is not None:
            parts.append(f"{size(image.held)} held")
        if is_dry_run and image.freed is not None:
            parts.append(f"up to {size(image.freed)} would be freed")
        with self._group(f"{image.name}: {', '.join(parts)}"):
            self._print(lines(image, self._verbose))
        self._remember(image.name, image.rows)
        found = chart.bars(image) if self._charts < CHARTS else None
        for line in chart.text(found, self._marks) if found else ():
            self._line(line)
        self._charts += bool(found)
        for problem in image.problems:
            self.problem(problem.text, problem.is_error, image.name)

    def spared(self, image: str, rows: Sequence[Row]) -> None:
        """What changed since the plan: versions that are kept now, and new ones."""
        changed = [r for r in rows if self._shown.get((image, r.version.id)) != verdict(r.state)]
        known = [r for r in changed if (image, r.version.name) in self._names]
        self._print(versions([r for r in changed if r not in known]))
        self._print(versions([r for r in known if r.state is State.KEPT]), "SPARED")
        self._print(versions([r for r in known if r.state is not State.KEPT]), "DOOMED")
        self._remember(image, changed)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        """Shows how far something long is: call what it yields once for each item done."""
        if self._is_terminal and total:
            with self._bar(label, total) as advance:
                yield advance
            return
        done = 0
        step = min(500, -(-total // 10))

        def count() -> None:
            nonlocal done
            with self._lock:
                done += 1
                if total >= LONG and (done % step == 0 or done == total):
                    self._line(f"{label}: {done}/{total}")

        if total >= LONG:
            self._line(f"{label}: 0/{total}")
        yield count

    def problem(self, text: str, is_error: bool, image: str = "") -> None:
        """An error or a warning; one that was told already is not told again."""
        with self._lock:
            if (image, text) in self._told:
                return
            self._told.add((image, text))
        level, colour = ("ERROR", "red") if is_error else ("WARNING", "yellow")
        self._line(f"{level:<7}  {_where(image)}{text}", colour, indent=9)

    def show(self, report: Report) -> None:
        """What is not told yet, the failures, the totals, and all problems by the headline."""
        for image in report.images:
            if any((image.name, row.version.id) in self._shown for row in image.rows):
                self.spared(image.name, image.rows)
            else:
                self.plan(image, report.is_dry_run)
        self._line("")
        self._failures(report)
        for image in report.images:
            self._line(_totals(image, report))
        for name, problem in [*report.all_problems(), *failures(report)]:
            if self._in_runner:  # where it can be coloured, and found among others
                level = "error" if problem.is_error else "warning"
                self._write(f"::{level}::{one_line(_where(name) + problem.text)}")
            else:
                self.problem(problem.text, problem.is_error, name)
        self._line(headline(report), "red" if report.exit_code else "green")
        for text in (upcoming(report.images), SPACE if report.freed else ""):
            if text:
                self._line(text)
        if self._in_runner:
            self._line(SUMMARY)

    def _remember(self, image: str, rows: Sequence[Row]) -> None:
        self._shown.update(((image, r.version.id), verdict(r.state)) for r in rows)
        self._names.update((image, r.version.name) for r in rows)

    def _print(self, found: Sequence[Line], word: str = "") -> None:
        for line, text in zip(found, aligned(found), strict=True):
            is_kept = line.state is State.KEPT
            gap = "  " if line.is_version and not word else ""
            start = f"{gap}{word or ('KEEP' if is_kept else 'DEL'):<4}  "
            indent = len(start) + len(text) - len(line.cells[-1])
            self._line(start + text, "green" if is_kept else "red", indent)

    def _failures(self, report: Report) -> None:
        failed = [
            f"FAILED   {image.name}: {name}: {row.error}"
            for image in report.images
            for name, row in zip(labels(image.rows), image.rows, strict=True)
            if row.state is State.FAILED
        ]
        for text in failed[:FAILURES]:
            self._line(text, "red", indent=9)
        if len(failed) > FAILURES:
            self._line(f"FAILED   and {plural(len(failed) - FAILURES, 'deletion')} more", "red")

    @contextmanager
    def _group(self, title: str) -> Iterator[None]:
        if self._in_runner:
            self._write(f"::group::{one_line(title)}")
            yield
            self._write("::endgroup::")
        else:
            self._line("")
            self._line(title)
            yield

    @contextmanager
    def _bar(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        with self._lock:
            self._bars += 1
        try:
            shown = one_line(label)
            with click.progressbar(length=total, label=shown, file=self._stream, width=0) as bar:

                def advance() -> None:
                    with self._lock:
                        bar.update(1)

                yield advance
        finally:
            with self._lock:
                self._bars -= 1

    def _line(self, text: str, colour: str = "", indent: int = 0) -> None:
        """One line, safe whatever is in it; folded on a terminal that is too narrow."""
        text = text[: len(text) - len(text.lstrip(" "))] + one_line(text)
        lines = [text]
        if self._is_terminal and len(text) > self._width:
            gap = " " * min(indent, self._width // 2)
            lines = textwrap.wrap(text, self._width, subsequent_indent=gap, break_on_hyphens=False)
        for line in lines:
            self._write(click.style(line, fg=colour) if self._colour and colour else line)

    def _write(self, line: str) -> None:
        with self._lock, suppress(OSError):  # who closed the log shall not end the run
            clear = "\r\x1b[K" if self._bars else ""
            self._stream.write(f"{clear}{line}\n")
            self._stream.flush()


def for_stream(stream: TextIO, env: Mapping[str, str], verbose: bool = False) -> Log:
    """The log that suits a stream: a terminal gets width and, without NO_COLOR, colour."""
    if isinstance(stream, TextIOWrapper):  # what the stream's encoding lacks must not end the run
        stream.reconfigure(errors="backslashreplace")
    in_runner = is_present(env)
    is_terminal = stream.isatty() and not in_runner
    return Log(
        stream,
        in_runner=in_runner,
        is_terminal=is_terminal,
        colour=is_terminal and not env.get("NO_COLOR") and env.get("TERM") != "dumb",
        width=shutil.get_terminal_size().columns,
        verbose=verbose,
        marks="█░" if "utf" in (stream.encoding or "").lower() else "#-",
    )


def _where(image: str) -> str:
    return f"{image}: " if image else ""


def _totals(image: Image, report: Report) -> str:
    """`app: 15 of 42 builds (43 of 122 versions) deleted; 3.4 GB held, up to 3.2 GB freed`."""
    words = {
        report.goes: "would be deleted" if report.is_dry_run else "deleted",
        State.FAILED: "failed",
        State.DOOMED: "would be deleted" if report.is_dry_run else "not tried",
    }
    counts = {state: image.count(state) for state in words}
    parts = [f"{share([image], report.goes)} {words[report.goes]}"]
    parts += [
        f"{plural(n, 'version')} {words[s]}"
        for s, n in counts.items()
        if n and s is not report.goes
    ]
    if image.held is not None:
        parts.append(f"{size(image.held)} held")
    if image.freed is not None:
        would = "would be freed" if report.is_dry_run else "freed"
        parts.append(f"{f'up to {size(image.freed)}' if image.freed else 'nothing'} {would}")
    return f"{image.name}: {', '.join(parts)}{waiting([image])}"
