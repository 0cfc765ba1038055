"""The three faces of a run: each says the whole truth, once, and nothing in a name can bend it."""

import io
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry_gc.report import document, summary
from registry_gc.report.escaping import code, markdown, one_line, size
from registry_gc.report.log import Log, for_stream
from registry_gc.report.report import Image, Problem, Report, State
from registry_gc.report.wording import headline
from tests.report import samples as reports

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
SAMPLES: dict[str, Callable[[], Report]] = {
    name: getattr(reports, name)
    for name in (
        "nothing_to_do",
        "dry_run",
        "deletions",
        "failures",
        "broken_before",
        "refused",
        "refused_dry_run",
        "interrupted",
        "unreachable",
        "many_images",
        "hostile",
    )
}
every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def log_to(stream: io.StringIO, **settings: Any) -> Log:
    """A log as a job's container has it, unless the settings say otherwise."""
    job: dict[str, Any] = {"in_runner": True, "is_terminal": False, "colour": False, "width": 80}
    return Log(stream, **{**job, **settings})


def logged(report: Report, **settings: Any) -> str:
    """The log of a whole run: each image is planned before the first deletion."""
    stream = io.StringIO()
    log = log_to(stream, **settings)
    log.start("1.2.3", report.server_url, report.owner, report.settings)
    for image in report.images:
        rows = [
            row if row.state is State.KEPT else replace(row, state=State.DOOMED, error="")
            for row in image.rows
        ]
        freed = image.freed if report.is_dry_run else 0
        log.plan(replace(image, rows=tuple(rows), problems=(), freed=freed), report.is_dry_run)
    log.finish(report)
    return stream.getvalue()


def is_golden(name: str, text: str) -> None:
    """Compares with tests/golden; UPDATE_GOLDEN=1 writes the file instead."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="")
    with path.open(encoding="utf-8", newline="") as file:
        assert text == file.read()


def table_rows(markdown: str) -> list[list[str]]:
    """The cells of every line of a table, split as Markdown does."""
    lines = [line for line in markdown.split("\n") if line.startswith("|")]
    return [re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1] for line in lines]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_faces_of_every_outcome_are_as_agreed(name: str) -> None:
    """A change of a golden file is a change of what people read: look at it."""
    report = SAMPLES[name]()
    is_golden(f"{name}.txt", logged(report))
    is_golden(f"{name}.md", summary.render(report))
    is_golden(f"{name}.json", document.render(report, "1.2.3"))


def test_a_long_list_is_cut_as_agreed() -> None:
    """Rows go whole, the last of the longest tables first, and are counted."""
    is_golden("cut.md", summary.render(reports.many_images(), 4_000))


@every_sample
def test_the_json_report_is_what_its_schema_says(sample: Callable[[], Report]) -> None:
    """Whoever reads it can rely on docs/report.schema.json."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(document.render(sample(), "1.2.3")), schema)


@every_sample
def test_every_version_is_in_log_and_json_once_and_the_counts_agree(
    sample: Callable[[], Report],
) -> None:
    """A count that another face contradicts would mislead."""
    report = sample()
    lines = logged(report).split("\n")
    body = json.loads(document.render(report, "1.2.3"))
    versions = [v for image in body["images"] for v in image["versions"]]
    kept = sum(line.startswith("KEEP  ") for line in lines)
    doomed = sum(line.startswith("DEL   ") for line in lines)
    assert kept == report.count(State.KEPT) == body["totals"]["kept"]
    assert kept + doomed == len(versions) == body["totals"]["versions"]
    assert len({(v["id"], v["name"]) for v in versions}) == len(versions)
    for state in State:
        assert sum(v["state"] == state for v in versions) == body["totals"][state]
        assert sum(image[state] for image in body["images"]) == body["totals"][state]
    shown = summary.render(report)
    told = [int(n) for n in re.findall(r"<b>[\w ]+: (\d+)</b>", shown)]
    assert sum(told) == len(versions)


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (reports.nothing_to_do, "Nothing to delete: kept 3 of 3 versions of 1 image."),
        (
            reports.dry_run,
            "Would delete 15 of 37 versions of 1 image; up to 598.0 MB would be freed.",
        ),
        (reports.deletions, "Deleted 15 of 37 versions of 1 image."),
        (
            reports.failures,
            "Deleted 11 of 37 versions of 1 image, 4 deletions failed; "
            "up to 419.0 MB will be freed tonight.",
        ),
        (
            reports.refused,
            "Deleted nothing: Refused by max-delete: 15 of 37 versions (40.5%) of app would be "
            "deleted, and max-delete allows 30%.",
        ),
        (
            reports.refused_dry_run,
            "15 of 37 versions of 1 image are due for deletion, but: Refused by max-delete: 15 of "
            "37 versions (40.5%) of app would be deleted, and max-delete allows 30%.",
        ),
        (
            reports.interrupted,
            "Stopped early: deleted 5 of 37 versions of 1 image, 10 were not tried; "
            "up to 179.0 MB will be freed tonight. 1 error.",
        ),
        (
            reports.unreachable,
            "Failed: https://git.example.org does not answer: connection refused.",
        ),
        (reports.report, "Nothing to do: no image was found."),
        (
            lambda: reports.report(reports.small(State.FAILED, "500")),
            "Deleted nothing of 3 versions of 1 image, 1 deletion failed.",
        ),
        (
            lambda: reports.report(reports.small(State.DELETED), freed=0),
            "Deleted 1 of 3 versions of 1 image; no space is freed, for other versions use the "
            "same blobs.",
        ),
        (
            lambda: reports.report(
                reports.small(State.DELETED),
                freed=5,
                settings={"reclaim": True},
                problems=(Problem("One."), Problem("Two."), Problem("Three.", False)),
            ),
            "Deleted 1 of 3 versions of 1 image; up to 5 B will be freed by tonight. "
            "2 errors and 1 warning.",
        ),
    ],
)
def test_the_headline_says_it_all(sample: Callable[[], Report], said: str) -> None:
    """One sentence is what most people read, and it must not promise too much."""
    assert headline(sample()) == said


def test_what_is_spared_after_the_plan_gets_a_line_of_its_own() -> None:
    """KEEP and DEL stand once for each version; a new one gets the KEEP it never had."""
    stream = io.StringIO()
    log = log_to(stream)
    before = reports.small(State.DOOMED)
    new = reports.row("v1.3.0", 0, State.KEPT, "pushed during this run")
    rows = [replace(r, state=State.KEPT, reason="part of v1.3.0") for r in before.rows]
    log.plan(before, False)
    log.spared("app", [new, rows[2]])
    log.finish(reports.report(replace(before, rows=(new, *rows))))
    words = [line[:14].split() for line in stream.getvalue().split("\n")]
    assert [w for w in words if w and w[0] in ("KEEP", "DEL", "SPARED")] == [
        ["KEEP", "latest"],
        ["KEEP", "v1.2.0"],
        ["DEL", "v0.9"],
        ["KEEP", "v1.3.0"],
        ["SPARED", "v0.9"],
    ]


def test_a_problem_is_told_once() -> None:
    """When it happens, or at the end; not at both."""
    stream = io.StringIO()
    log = log_to(stream)
    log.problem("It is late.", False, "app")
    log.finish(
        reports.report(
            replace(reports.small(State.KEPT), problems=(Problem("It is late.", False),))
        )
    )
    assert stream.getvalue().count("It is late.") == 1


def test_failed_deletions_are_listed_up_to_twenty_and_counted() -> None:
    """The end of the log stays short; the summary has all."""
    rows = [reports.row(f"v{n}", n, State.FAILED, "old", error="500") for n in range(1, 33)]
    lines = logged(reports.report(reports.image("app", rows))).split("\n")
    failed = [line for line in lines if line.startswith("FAILED")]
    assert len(failed) == 21
    assert failed[0] == "FAILED   app: v1: 500"
    assert failed[-1] == "FAILED   and 12 deletions more"


def test_digests_are_cut_only_where_they_stay_unmistakable() -> None:
    """Two versions never look the same."""
    names = [f"sha256:{n:064x}" for n in (1, 2)] + [reports.digest("x")]
    rows = [reports.row(n, i, State.KEPT, "untagged") for i, n in enumerate(names)]
    text = logged(reports.report(reports.image("app", rows)))
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


def test_what_was_not_measured_is_left_out() -> None:
    """No zero stands for an unknown size."""
    report = reports.deletions()
    version = json.loads(document.render(report, "1"))["images"][0]["versions"][0]
    assert not {"size", "digest", "error"} & set(version)
    assert "Size" not in summary.render(report)
    assert " B " not in logged(report)


def test_a_summary_of_20_000_versions_stays_below_the_limit_and_useful() -> None:
    """What Gitea would refuse to show helps no one; a summary cut to nothing neither."""
    report = reports.large()
    text = summary.render(report)
    assert summary.LIMIT - 1000 < len(text.encode()) <= summary.LIMIT
    shown = [
        cells for cells in table_rows(text) if re.match(r"` *(build|sha256)", cells[0].strip())
    ]
    left_out = sum(map(int, re.findall(r"\*(\d+) versions more", text)))
    assert len(shown) + left_out == 20_000
    assert sum("build-" in cells[0] for cells in shown) == 1_800


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 12_000))
@example(0)
def test_no_limit_is_ever_passed_and_no_row_cut(limit: int) -> None:
    """Whatever does not fit is left out whole and counted."""
    report = reports.many_images()
    text = summary.render(report, limit)
    assert len(text.encode()) <= limit
    widths = {len(cells) for cells in table_rows(text)}
    assert widths <= {2, 5, 6, 7}
    assert text.count("<details") == text.count("</details>")
    assert limit < 200 or headline(report)[:40] in text


def test_a_run_over_thousands_of_images_fits_too() -> None:
    """Then images are left out and counted, and their table is shown as far as it goes."""
    images = [
        reports.image(f"app-{n}", [reports.row("v1", 1, State.KEPT, "keep-latest 1/6")])
        for n in range(9_000)
    ]
    text = summary.render(reports.report(*images), 600_000)
    assert len(text.encode()) <= 600_000
    shown = text.count("\n### ")
    assert 0 < shown < 9_000
    assert f"*{9_000 - shown} images more" in text


def hostile(text: str) -> Report:
    """A report with this text wherever a server, a registry or a file can put one."""
    rows = [
        reports.row(text + "1", 1, State.KEPT, text, image=text),
        reports.row(text + "2", 2, State.DELETED, text, image=text),
        reports.row(text + "3", 3, State.FAILED, text, error=text, image=text),
    ]
    problems = (Problem(text), Problem(text, False))
    found = reports.image(text, rows, problems=problems)
    return reports.report(found, problems=problems, owner=text, server_url=text)


PIECES = st.sampled_from(
    [
        *"|\\`*_~$<>&#-+=!:@[](){}\n\r\t\x85\u2028\u202e\u2066\u200f\ufeff\ud800",
        *("```", "::", "\x1b[31m", "::set-output", "::endgroup::", "##[error]", "@user", "a#1"),
        *("[x](http://evil.example)", "</details>", "<script>", "</code>", "-->", "<!--"),
        *("| --- |", "1. ", "[[page]]", ":smile:"),
    ]
)
HOSTILE = st.one_of(st.text(min_size=1), st.lists(PIECES, min_size=1).map("".join))


@settings(deadline=None)
@given(HOSTILE)
@example(reports.HOSTILE)
def test_no_text_changes_the_structure_of_the_log(text: str) -> None:
    """The same lines begin the same way, whatever is in them, and none is a command."""
    lines = logged(hostile(text)).split("\n")
    harmless = logged(hostile("x")).split("\n")
    words = ("KEEP", "DEL", "ERROR", "WARNING", "FAILED", "::")
    for word in words:
        count = sum(line.startswith(word) for line in lines)
        assert count == sum(line.startswith(word) for line in harmless)
    assert [line for line in lines if "::" in line.removeprefix("::group::")] == ["::endgroup::"]
    for line in lines:
        assert "##[" not in line
        assert line.isprintable() or all(c.isspace() for c in line if not c.isprintable())
        assert "\r" not in line


@settings(deadline=None)
@given(HOSTILE)
@example(reports.HOSTILE)
def test_no_text_changes_the_structure_of_the_summary(text: str) -> None:
    """The same tables, rows, cells and tags, and nothing live in between."""
    shown, harmless = (summary.render(hostile(t)) for t in (text, "x"))
    assert [len(cells) for cells in table_rows(shown)] == [
        len(cells) for cells in table_rows(harmless)
    ]
    tags, expected = (
        [t for t in re.findall(r"<[^>]*>?", s) if t not in ("<code>", "</code>", "<!-- -->")]
        for s in (shown, harmless)
    )
    assert tags == expected
    assert not re.search(r"@\w|(?<!\\)\[(?!!)|://(?!git\.example)", shown)
    heads = [re.match(r"(#+|>|\||<|\*|$|.)", line) for line in shown.split("\n")]
    assert [h and h[0] in ("#", "##", "###") for h in heads] == [
        line.startswith("#") for line in harmless.split("\n")
    ]


@given(HOSTILE)
def test_markdown_never_opens_what_it_does_not_close(text: str) -> None:
    """Every mark of Markdown is escaped, in a sentence and as a name."""
    for shown in (markdown(text), code(text)):
        bare = re.sub(r"\\(?:[^\w\s]|_)|<!-- -->|</?code>|^`[\w.:/+-]+`$", "", shown)
        assert not re.search(r"[`*\[\]{}|~$<>\\]|(?<![^\W_])_|\n", re.sub(r"\\[xuUN]", "", bare))


@given(HOSTILE)
def test_one_line_is_one_line_and_saying_it_twice_changes_nothing(text: str) -> None:
    """Text can be made safe where it comes in and again where it goes out."""
    assert "::" not in one_line(text)
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(one_line(text)) == one_line(text)


def test_the_json_report_is_ascii_and_keeps_every_text_as_it_was() -> None:
    """No reader's terminal or encoding is in danger, and nothing is lost."""
    text = reports.HOSTILE + "\ud800"
    rendered = document.render(hostile(text), "1")
    assert rendered.isascii()
    assert json.loads(rendered)["problems"][0]["text"] == text


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (3_200_000_000, "3.2 GB"),
        (10**18, "1000.0 PB"),
    ],
)
def test_sizes_are_decimal_with_one_digit(count: int, shown: str) -> None:
    """As discs and clouds count."""
    assert size(count) == shown


def test_images_in_which_something_goes_come_first() -> None:
    """Among many images people look for those."""
    text = summary.render(reports.many_images())
    order = [cells[0].strip() for cells in table_rows(text)][2:5]
    assert order == ["`app`", "`worker`", "`web-1`"]


def test_an_image_without_versions_does_no_harm() -> None:
    """A pattern may match an image whose rows could not be understood."""
    report = reports.report(Image("app", (), (Problem("Not understood."),)))
    assert "Not understood." in logged(report)
    assert headline(report) == "Deleted nothing: Not understood."
    assert "| `app` | 0 | 0 | 0 |" in summary.render(report)
