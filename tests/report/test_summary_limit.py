"""The summary's limit is one of bytes: a server counts bytes, and names are not all ASCII."""

from dataclasses import replace

import pytest

from registry_gc.report import summary
from registry_gc.report.report import Problem, State
from tests.report import samples

WIDE = "運用/本番環境の値.yaml:12 で使用中"  # three bytes a character, most of it
REPORT = samples.report(
    *(
        samples.image(
            f"app-{n}",
            [samples.build(samples.row(f"v{m}", 400, State.DELETED, WIDE)) for m in range(40)],
            problems=(Problem(WIDE),),
        )
        for n in range(6)
    )
)


@pytest.mark.parametrize("limit", [200, 800, 1_500, 4_000, 12_000, 20_000, 30_000, 1_048_576])
def test_a_summary_has_at_most_so_many_bytes_whatever_its_characters(limit: int) -> None:
    text = summary.render(REPORT, limit)
    assert len(text.encode()) <= limit


def test_a_headline_alone_is_measured_in_bytes_too() -> None:
    report = replace(REPORT, owner="組織" * 30, images=())
    top = summary.render(report, len(summary.render(report).encode()))
    assert top
    for limit in range(0, len(top.encode()) + 10, 7):
        assert len(summary.render(report, limit).encode()) <= limit


def test_what_fits_by_a_byte_is_shown_whole() -> None:
    size = len(summary.render(REPORT).encode())
    assert "left out" not in summary.render(REPORT, size)
    assert "left out" in summary.render(REPORT, size - 1)
