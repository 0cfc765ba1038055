"""The log: everything, line by line, for a job's page, a terminal or a pipe."""

import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from threading import RLock
from typing import Any, TextIO

import click

from registry_gc.report.escaping import one_line, plural, size
from registry_gc.report.report import Image, Report, Row, State
from registry_gc.report.wording import SPACE, headline, labels, setting, verdict
from registry_gc.runner import is_present

LONG = 50  # items from which on a job's log shows progress
FAILURES = 20  # failed deletions listed at the end
WIDEST = 40  # the widest column of names; a longer name pushes its own line only
SUMMARY = (
    "The run's page shows a summary from Gitea 1.27 with runner 2.0 on. Where it shows none, the "
    "full report is this log."
)


class Log:
    """Writes what a run does to a stream; its methods may be called from any thread."""

    def __init__(
        self, stream: TextIO, *, in_runner: bool, is_terminal: bool, colour: bool, width: int
    ) -> None:
        self._stream = stream
        self._in_runner, self._is_terminal = in_runner, is_terminal
        self._colour, self._width = colour, width
        self._lock = RLock()
        self._shown: dict[tuple[str, int], str] = {}  # (image, id) -> its verdict as printed
        self._names: set[tuple[str, str]] = set()  # (image, version) printed, under whatever id
        self._told: set[tuple[str, str]] = set()  # (image, text) of the problems printed
        self._bars = 0  # progress bars on the terminal's last line

    def start(self, version: str, server_url: str, owner: str, settings: Mapping[str, Any]) -> None:
        """What runs, where, and with which settings."""
        self._line(f"registry-gc {version}: images of {owner} on {server_url}")
        shown = {name: setting(value) for name, value in settings.items()}
        shown = {n: v for n, v in shown.items() if v and n not in ("server-url", "owner")}
        for name, value in shown.items():
            self._line(f"  {name:<{max(map(len, shown))}}  {one_line(value)}")

    def plan(self, image: Image, is_dry_run: bool) -> None:
        """What shall become of each version, before anything is deleted."""
        doomed = len(image.rows) - image.count(State.KEPT)
        parts = [plural(len(image.rows), "version"), f"{doomed} to delete"]
        parts.append(f"{image.count(State.KEPT)} kept")
        if image.held is not None:
            parts.append(f"{size(image.held)} held")
        if is_dry_run and image.freed is not None:
            parts.append(f"up to {size(image.freed)} would be freed")
        with self._group(f"{image.name}: {', '.join(parts)}"):
            self._versions(image.name, image.rows)
        for problem in image.problems:
            self.problem(problem.text, problem.is_error, image.name)

    def spared(self, image: str, rows: Sequence[Row]) -> None:
        """What changed since the plan: versions that are kept now, and new ones."""
        self._versions(image, rows)

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
        where = f"{image}: " if image else ""
        level, colour = ("ERROR", "red") if is_error else ("WARNING", "yellow")
        self._line(f"{level:<7}  {where}{text}", colour, indent=9)

    def finish(self, report: Report) -> None:
        """What is not told yet, the failures, and the totals."""
        for image in report.images:
            if any((image.name, row.version.id) in self._shown for row in image.rows):
                self._versions(image.name, image.rows)
            else:
                self.plan(image, report.is_dry_run)
        self._line("")
        for name, problem in report.all_problems():
            self.problem(problem.text, problem.is_error, name)
        self._failures(report)
        for image in report.images:
            self._line(_totals(image, report))
        self._line(headline(report), "red" if report.exit_code else "green")
        if report.freed:
            self._line(SPACE)
        if self._in_runner:
            self._line(SUMMARY)

    def _versions(self, image: str, rows: Sequence[Row]) -> None:
        """A line for each row whose verdict was not printed yet, or was another one."""
        names = [one_line(name) for name in labels(rows)]
        width = min(WIDEST, max(map(len, names), default=0))
        for row, name in zip(rows, names, strict=True):
            key, now = (image, row.version.id), verdict(row)
            if self._shown.get(key) == now:
                continue
            word, colour = ("KEEP", "green") if now == "KEEP" else ("DEL", "red")
            if key in self._shown or (image, row.version.name) in self._names:
                word, colour = ("SPARED", "green") if now == "KEEP" else ("DOOMED", "red")
            self._shown[key] = now
            self._names.add((image, row.version.name))
            start = f"{word:<4}  {name:<{width}}  {row.version.created:%Y-%m-%d}  "
            self._line(start + row.reason, colour, indent=len(start))

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
        if self._is_terminal and len(text) > self._width > indent + 20:
            gap = " " * indent
            lines = textwrap.wrap(text, self._width, subsequent_indent=gap, break_on_hyphens=False)
        for line in lines:
            self._write(click.style(line, fg=colour) if self._colour and colour else line)

    def _write(self, line: str) -> None:
        with self._lock, suppress(OSError):  # who closed the log shall not end the run
            clear = "\r\x1b[K" if self._bars else ""
            self._stream.write(f"{clear}{line}\n")
            self._stream.flush()


def for_stream(stream: TextIO, env: Mapping[str, str]) -> Log:
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
    )


def _totals(image: Image, report: Report) -> str:
    """`app: 161 deleted, 23 kept; 3.4 GB held, up to 3.2 GB freed`."""
    words = {
        State.DELETED: "deleted",
        State.FAILED: "failed",
        State.DOOMED: "would be deleted" if report.is_dry_run else "not tried",
        State.KEPT: "kept",
    }
    counts = {state: image.count(state) for state in words}
    always = {report.goes, State.KEPT}
    parts = [f"{n} {words[s]}" for s, n in counts.items() if n or s in always]
    if image.held is not None:
        parts.append(f"{size(image.held)} held")
    if image.freed is not None:
        would = "would be freed" if report.is_dry_run else "freed"
        parts.append(f"{f'up to {size(image.freed)}' if image.freed else 'nothing'} {would}")
    return f"{image.name}: {', '.join(parts)}"
