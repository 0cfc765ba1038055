"""How many builds of an image are kept and go, by the time they were pushed: bars to look at."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from registry_gc.report.report import Image, State

MOST_BARS = 16
FEWEST_BUILDS = 4
WIDEST = 40  # characters of a bar in the log
# Blue and orange: told apart by all eyes, and readable on white and on dark.
_MERMAID = """```mermaid
%%{{init: {{"xyChart": {{"width": 760, "height": 240, "titleFontSize": 15, \
"xAxis": {{"labelFontSize": 11, "labelPadding": 11}}, "yAxis": {{"labelFontSize": 11}}}}, \
"themeVariables": {{"xyChart": {{"backgroundColor": "transparent", \
"plotColorPalette": "#d9742b, #3d85c6"}}}}}}}}%%
xychart-beta
    title "Builds by {unit}: kept in blue, going in orange"
    x-axis [{labels}]
    y-axis {least:.3f} --> {most}
    bar [{every}]
    bar [{kept}]
```"""
_LOWEST_TOP = 8  # below that the axis is labelled with halves of builds
_START = 0.043  # of the top: bars begin that far below the first value of their axis
_LABELS_IN_WIDTH = 9  # with more, the last is cut off unless another place follows


@dataclass(frozen=True, slots=True)
class Bars:
    """Builds in the order in which they were pushed, a bar for each span of time."""

    unit: str
    """`month`, `quarter` or `year`."""
    labels: tuple[str, ...]
    """`2026-11`, `2026-Q4` or `2026`, the oldest first and none left out."""
    kept: tuple[int, ...]
    """How many builds of each span stay."""
    going: tuple[int, ...]
    """Deleted, or to be, whatever became of that."""


def bars(image: Image) -> Bars | None:
    """The bars of an image; None when there is too little to look at.

    Of more years than fit the oldest are left out.
    """
    moments = [build.created for build in image.builds]
    if len(moments) < FEWEST_BUILDS:
        return None
    unit, number, label = next(
        (unit for unit in _UNITS if unit[1](max(moments)) - unit[1](min(moments)) < MOST_BARS),
        _UNITS[-1],
    )
    numbers = range(number(min(moments)), number(max(moments)) + 1)[-MOST_BARS:]
    if len(numbers) < 2:
        return None
    kept = Counter(number(b.created) for b in image.builds if b.state is State.KEPT)
    every = Counter(map(number, moments))
    return Bars(
        unit,
        tuple(label(n) for n in numbers),
        tuple(kept[n] for n in numbers),
        tuple(every[n] - kept[n] for n in numbers),
    )


def mermaid(found: Bars) -> list[str]:
    """A chart for Markdown, which Gitea draws.

    Bars lie upon one another there, so the kept ones stand before all. No text in it comes from
    outside.
    """
    every = [kept + gone for kept, gone in zip(found.kept, found.going, strict=True)]
    is_wide = len(every) > _LABELS_IN_WIDTH
    top = max(_LOWEST_TOP, *every)
    chart = _MERMAID.format(
        unit=found.unit,
        labels=", ".join(f'"{label}"' for label in (*found.labels, *[" "] * is_wide)),
        least=top * _START,
        most=top,
        every=", ".join(map(str, (*every, *[0] * is_wide))),
        kept=", ".join(map(str, (*found.kept, *[0] * is_wide))),
    )
    return [*chart.split("\n"), ""]


def text(found: Bars, marks: str) -> list[str]:
    """The same as lines; `marks` are the characters for what is kept and for what goes."""
    scale = min(1.0, WIDEST / max(k + g for k, g in zip(found.kept, found.going, strict=True)))
    lines = [f"Builds by {found.unit}: {marks[0]} kept, {marks[1]} going"]
    for label, kept, gone in zip(found.labels, found.kept, found.going, strict=True):
        bar = marks[0] * _length(kept, scale) + marks[1] * _length(gone, scale)
        counts = ((kept, "kept"), (gone, "going"))
        figures = ", ".join(f"{count} {word}" for count, word in counts if count)
        lines.append(f"  {label}  {bar} {figures}".rstrip())
    return lines


def _length(count: int, scale: float) -> int:
    return max(1, round(count * scale)) if count else 0


def _month(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1


_UNITS: tuple[tuple[str, Callable[[datetime], int], Callable[[int], str]], ...] = (
    ("month", _month, lambda n: f"{n // 12}-{n % 12 + 1:02}"),
    ("quarter", lambda moment: _month(moment) // 3, lambda n: f"{n // 4}-Q{n % 4 + 1}"),
    ("year", lambda moment: moment.year, str),
)
