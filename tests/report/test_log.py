"""The log: every verdict in its line, and nothing in a name can bend it."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import example, given, settings

from registry_gc.report.log import for_stream
from registry_gc.report.report import Problem, State
from tests.report import samples as reports
from tests.report.hostility import HOSTILE
from tests.report.reading import log_to, logged


def test_what_is_spared_after_the_plan_gets_a_line_of_its_own() -> None:
    """KEEP and DEL stand once for each version; a new one gets the KEEP it never had."""
    stream = io.StringIO()
    log = log_to(stream)
    before = reports.small(State.DOOMED)
    new = reports.row("v1.3.0", 0, State.KEPT, "pushed during this run")
    after = reports.changed(before, lambda r: replace(r, state=State.KEPT, reason="part of v1.3.0"))
    log.plan(before, False)
    log.spared("app", [new, after.rows[2]])
    log.show(reports.report(replace(after, rows=(new, *after.rows))))
    words = [line[:14].split() for line in stream.getvalue().split("\n")]
    assert [w for w in words if w and w[0] in ("KEEP", "DEL", "SPARED")] == [
        ["KEEP", "latest"],
        ["KEEP", "v1.2.0"],
        ["DEL", "v0.9"],
        ["KEEP", "v1.3.0"],
        ["SPARED", "v0.9"],
    ]


def test_a_problem_is_told_once() -> None:
    """When it happens, or at the end; a job has them all by the headline too, to be coloured."""
    stream = io.StringIO()
    log = log_to(stream)
    log.problem("It is late.", False, "app")
    log.show(
        reports.report(
            replace(reports.small(State.KEPT), problems=(Problem("It is late.", False),))
        )
    )
    told = [line for line in stream.getvalue().split("\n") if "It is late." in line]
    assert told == ["WARNING  app: It is late.", "::warning::app: It is late."]
    own = logged(reports.report(problems=(Problem("It is late."),)), in_runner=False)
    assert own.count("It is late.") == 2
    assert "\nERROR    It is late.\n" in own


def test_failed_deletions_are_listed_up_to_twenty_and_counted() -> None:
    """The end of the log stays short; the summary has all."""
    rows = [reports.row(f"v{n}", n, State.FAILED, "old", error="500") for n in range(1, 33)]
    lines = logged(reports.report(reports.image("app", [], rows))).split("\n")
    failed = [line for line in lines if line.startswith("FAILED")]
    assert len(failed) == 21
    assert failed[0] == "FAILED   app: v1: 500"
    assert failed[-1] == "FAILED   and 12 deletions more"


def test_digests_are_cut_only_where_they_stay_unmistakable() -> None:
    """Two versions never look the same."""
    names = [f"sha256:{n:064x}" for n in (1, 2)] + [reports.digest("x")]
    rows = [reports.row(n, i, State.KEPT, "untagged") for i, n in enumerate(names)]
    text = logged(reports.report(reports.image("app", [], rows)), verbose=True)
    assert [f"KEEP  {name} " in text for name in names] == [True, True, False]
    assert f"KEEP  {names[2][:19]} " in text


@pytest.mark.parametrize(("total", "lines"), [(0, 0), (49, 0), (50, 11), (2000, 11), (20_000, 41)])
def test_progress_in_a_job_is_a_line_every_so_often(total: int, lines: int) -> None:
    """Counted, not timed, and exact with many threads."""
    stream = io.StringIO()
    with (
        log_to(stream).progress("reading app", total) as advance,
        ThreadPoolExecutor(8) as pool,
    ):
        for _ in range(total):
            pool.submit(advance)
    told = stream.getvalue().splitlines()
    assert len(told) == lines
    assert not told or (told[0], told[-1]) == (
        f"reading app: 0/{total}",
        f"reading app: {total}/{total}",
    )


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_a_terminal_gets_a_bar_and_colour_unless_it_is_asked_not_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NO_COLOR is honoured; a pipe and a job get plain text."""
    monkeypatch.setenv("COLUMNS", "60")
    plain, coloured, job = Terminal(), Terminal(), Terminal()
    cases: tuple[tuple[Terminal, dict[str, str]], ...] = (
        (plain, {"NO_COLOR": "1"}),
        (coloured, {}),
        (job, {"GITEA_ACTIONS": "true"}),
    )
    for stream, env in cases:
        for_stream(stream, env).plan(reports.small(State.DOOMED), False)
    assert "\x1b[31mDEL   v0.9" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue() + job.getvalue()
    assert "::group::app" in job.getvalue()
    assert "::group::" not in plain.getvalue() + coloured.getvalue()
    assert max(map(len, plain.getvalue().split("\n"))) <= 60
    assert "180 days" in plain.getvalue()

    bar = Terminal()
    with for_stream(bar, {"NO_COLOR": "1"}).progress("reading app", 3) as advance:
        for _ in range(3):
            advance()
    assert "reading app" in bar.getvalue()
    assert "100%" in bar.getvalue()


def test_a_stream_that_lacks_a_character_does_not_end_the_run() -> None:
    """A log in ASCII shows an escape for what it cannot write."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    for_stream(stream, {}).problem("naïve", False)
    stream.seek(0)
    assert "na\\xefve" in stream.read()


@settings(deadline=None)
@given(HOSTILE)
@example(reports.HOSTILE)
def test_no_text_changes_the_structure_of_the_log(text: str) -> None:
    """The same lines begin the same way, whatever is in them, and none is a command."""
    lines = logged(reports.hostile(text)).split("\n")
    harmless = logged(reports.hostile("x")).split("\n")
    words = ("KEEP", "DEL", "ERROR", "WARNING", "FAILED", "::")
    for word in words:
        count = sum(line.startswith(word) for line in lines)
        assert count == sum(line.startswith(word) for line in harmless)
    commands = re.compile(r"^::(group|endgroup|error|warning)::")
    told, expected = (
        [match[0] for line in some if (match := commands.match(line))] for some in (lines, harmless)
    )
    assert told == expected
    assert not [line for line in lines if "::" in commands.sub("", line)]
    for line in lines:
        assert "##[" not in line
        assert line.isprintable() or all(c.isspace() for c in line if not c.isprintable())
        assert "\r" not in line
