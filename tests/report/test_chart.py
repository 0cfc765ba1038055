"""The pictures: as many builds as there are, and no text of anyone's in them."""

import re

import pytest

from registry_gc.report import chart, summary
from registry_gc.report.report import Image, State
from tests.report import samples as reports
from tests.report.reading import logged


def weekly(count: int, kept: int, name: str = "app") -> Image:
    """Builds a week apart, the newest of which stay."""
    rows = [
        reports.row(f"v{n}", 7 * n, State.KEPT if n < kept else State.DOOMED, "why", image=name)
        for n in range(count)
    ]
    return reports.image(name, [reports.build(row) for row in rows])


@pytest.mark.parametrize(
    ("count", "unit", "bars"), [(4, "month", 2), (60, "month", 15), (200, "quarter", 16)]
)
def test_every_build_is_in_one_bar(count: int, unit: str, bars: int) -> None:
    """A month each, or as many months as let the bars fit."""
    found = chart.bars(weekly(count, 3))
    assert found
    assert (found.unit, len(found.labels)) == (unit, bars)
    assert (sum(found.kept), sum(found.going)) == (3, count - 3)
    assert list(found.labels) == sorted(set(found.labels))


def test_months_without_a_build_have_their_place() -> None:
    """Else two years would look like two months."""
    days = (1, 2, 100, 101)
    rows = [reports.row(f"v{n}", n, State.KEPT, "why") for n in days]
    found = chart.bars(reports.image("app", [reports.build(row) for row in rows]))
    assert found
    assert found.labels == ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")
    assert found.kept == (2, 0, 0, 1, 1)


def test_of_more_years_than_fit_the_oldest_are_left_out() -> None:
    """They are in the tables."""
    found = chart.bars(weekly(52 * 25, 3))
    assert found
    assert (found.unit, len(found.labels), found.labels[-1]) == ("year", 16, "2026")


@pytest.mark.parametrize("image", [weekly(3, 1), reports.small(State.DOOMED), weekly(0, 0)])
def test_a_few_builds_need_no_chart(image: Image) -> None:
    """The table says it better."""
    assert chart.bars(image) is None


def test_builds_of_one_month_need_no_chart() -> None:
    """There would be one bar."""
    rows = [reports.row(f"v{n}", n / 100, State.KEPT, "why") for n in range(300, 330)]
    assert chart.bars(reports.image("app", [reports.build(row) for row in rows])) is None


def test_a_summary_and_a_log_have_a_handful_of_charts_and_no_more() -> None:
    """Two thousand images would be two thousand charts."""
    report = reports.report(*(weekly(9, 2, f"app-{n}") for n in range(9)), is_dry_run=True)
    assert summary.render(report).count("```mermaid") == 5
    assert logged(report).count("Builds by month") == 5


def test_a_chart_has_a_title_two_rows_of_numbers_and_labels_of_its_own() -> None:
    """What Mermaid cannot read, Gitea shows as an error."""
    found = chart.bars(weekly(60, 6))
    assert found
    lines = chart.mermaid(found)
    kinds = [line.split()[0] for line in lines if line.startswith("    ")]
    assert kinds == ["title", "x-axis", "y-axis", "bar", "bar"]
    every, kept = (
        [int(n) for n in re.findall(r"\d+", line)] for line in lines if line.startswith("    bar")
    )
    labels = re.findall(r'"([^"]*)"', next(line for line in lines if "x-axis" in line))
    assert len(labels) == len(every) == len(kept) == len(set(labels))
    assert all(k <= e for k, e in zip(kept, every, strict=True))
    assert (sum(every), sum(kept)) == (60, 6)


def test_the_bars_in_the_log_are_as_long_as_there_is_room() -> None:
    """A build is a character, until there are too many; one of many still shows."""
    rows = [reports.row(f"v{n}", n / 100, State.KEPT, "why") for n in range(600)]
    rows.append(reports.row("old", 40, State.DOOMED, "why"))
    found = chart.bars(reports.image("app", [reports.build(row) for row in rows]))
    assert found
    lines = chart.text(found, "#-")
    assert lines[0] == "Builds by month: # kept, - going"
    assert max(line.count("#") for line in lines[1:]) == chart.WIDEST
    assert lines[1] == "  2026-09  - 1 going"
    small = chart.bars(weekly(9, 4))
    assert small
    assert chart.text(small, "#-")[1:] == [
        "  2026-09  ---- 4 going",
        "  2026-10  ###- 3 kept, 1 going",
        "  2026-11  # 1 kept",
    ]
