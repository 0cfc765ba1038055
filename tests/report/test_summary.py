"""The summary: Markdown that no text can bend, and never more than the server takes."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry_gc.report import summary
from registry_gc.report.report import Image, Problem, State
from registry_gc.report.wording import headline
from tests.report import samples as reports
from tests.report.hostility import HOSTILE
from tests.report.reading import logged, table_rows

CHART = r"```mermaid\n.*?\n```\n"


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
    assert widths <= {2, 4, 5, 7, 8}
    assert text.count("<details") == text.count("</details>")
    assert limit < 250 or headline(report)[:40] in text


def test_a_run_over_thousands_of_images_fits_too() -> None:
    """Then images are left out and counted, and their table is shown as far as it goes."""
    images = [
        reports.image(
            f"app-{n}", [reports.build(reports.row("v1", 1, State.KEPT, "keep-latest 1/6"))]
        )
        for n in range(9_000)
    ]
    text = summary.render(reports.report(*images), 600_000)
    assert len(text.encode()) <= 600_000
    shown = text.count("\n### ")
    assert 0 < shown < 9_000
    assert f"*{9_000 - shown} images more" in text


@settings(deadline=None)
@given(HOSTILE)
@example(reports.HOSTILE)
def test_no_text_changes_the_structure_of_the_summary(text: str) -> None:
    """The same tables, rows, cells and tags, and nothing live in between."""
    both = [summary.render(reports.hostile(t)) for t in (text + "n", "xn")]
    charts = [re.findall(CHART, s, re.DOTALL) for s in both]
    assert charts[0] == charts[1] != []
    shown, harmless = (re.sub(CHART, "", s, flags=re.DOTALL) for s in both)
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


def test_images_in_which_something_goes_come_first() -> None:
    """Among many images people look for those."""
    text = summary.render(reports.many_images())
    order = [cells[0].strip() for cells in table_rows(text)][2:5]
    assert order == ["`app`", "`worker`", "`web-1`"]


def test_an_image_without_versions_does_no_harm() -> None:
    """A pattern may match an image whose rows could not be understood."""
    report = reports.report(Image("app", (), problems=(Problem("Not understood."),)))
    assert "Not understood." in logged(report)
    assert headline(report) == "Deleted nothing: Not understood."
    assert "| `app` | 0 | 0 | 0 |" in summary.render(report)
