"""Tables of Gitea's Markdown, which can be cut to the room there is."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry_gc.report.escaping import plural

ALL = 1 << 40


@dataclass(frozen=True, slots=True)
class Table:
    """A table that folds."""

    title: str
    """Markup, safe as it is."""
    columns: Sequence[str]
    """Their headings."""
    rows: Sequence[str]
    """As `cells` makes them."""
    noun: str
    """What a row is about."""
    is_open: bool = False
    """Whether it is shown unfolded at first."""

    def render(self, most: int = ALL) -> list[str]:
        """The table with its first rows, and how many were left out."""
        return [
            f"<details{' open' if self.is_open else ''}><summary>{self.title}</summary>",
            "",
            *head(self.columns),
            *self.rows[:most],
            "",
            *more(len(self.rows) - most, self.noun),
            "</details>",
            "",
        ]


def table(title: str, rows: Sequence[Mapping[str, str]], noun: str, is_open: bool = False) -> Table:
    """The table of rows that name their columns, without the columns in which nothing stands."""
    columns = [c for c in (rows[0] if rows else ()) if any(row[c] for row in rows)]
    lines = [cells(*(row[column] for column in columns)) for row in rows]
    return Table(title, columns, lines, noun, is_open)


def head(columns: Iterable[str]) -> list[str]:
    """The two lines that begin a table; a column whose name ends in a colon is flush right."""
    columns = list(columns)
    rules = ("---:" if column.endswith(":") else "---" for column in columns)
    return [cells(*(column.rstrip(":") for column in columns)), f"|{'|'.join(rules)}|"]


def cells(*contents: object) -> str:
    """A row of a table; the contents are markup, safe as they are."""
    return f"| {' | '.join(map(str, contents))} |"


def more(count: int, noun: str) -> list[str]:
    """How many were left out, if any."""
    text = f"*{plural(count, noun)} more, left out here for length: the log has them all.*"
    return [text, ""] if count > 0 else []


def most_that_fits(fits: Callable[[int], bool], least: int, most: int) -> int | None:
    """The greatest number from least to most that fits, or None."""
    if fits(most):
        return most
    found = least - 1 + bisect_left(range(least, most), True, key=lambda n: not fits(n))
    return found if found >= least else None
