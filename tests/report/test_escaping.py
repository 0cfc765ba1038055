"""Text made safe to show, and figures as people read them."""

import re

import pytest
from hypothesis import given

from registry_gc.report.escaping import code, markdown, one_line, size
from tests.report.hostility import HOSTILE


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
