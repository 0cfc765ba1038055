"""The bench's page: for each server sentences, a table, and a chart."""

import re
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Case, Result
from bench.proxy import KINDS

FOLDER = Path(__file__).resolve().parent
COLOURS = {"measured": "#2a78c8", "unmeasured": "#3aa05a"}
COMPARED = ("loop", "measured", "unmeasured", "trash")  # all delete the same
COLUMNS = (
    *("versions", "shape", "latency", "contender", "seconds", "ratio", "memory"),
    *(kind for kind, _ in KINDS),
    "5xx",
)
Found = dict[str, Result]
Results = Sequence[tuple[Case, Found]]


def write(name: str, results: Results, arguments: Sequence[str]) -> None:
    """Writes the part of README.md that is about this server, and its chart."""
    chart = f"chart-{re.sub(r'[^a-z0-9]+', '-', name.lower())}.svg"
    (FOLDER / chart).write_text(_chart(results), encoding="utf-8")
    lines = [f"## {name}", "", f"`python -m bench {' '.join(_without_token(arguments))}`", ""]
    lines += [f"- {line}" for case, found in results for line in sentence(case, found, name)]
    lines += ["", f"![Times as fast as the serial loop]({chart})", ""]
    lines += [_line(COLUMNS), _line(["--:"] * len(COLUMNS))]
    lines += [_line(row(case, done, found)) for case, found in results for done in found]
    page = FOLDER / "README.md"
    parts = re.split(r"^(?=## )", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [part.strip() for part in parts if not part.startswith(f"## {name}\n")]
    page.write_text("\n\n".join([*kept, "\n".join(lines)]) + "\n", encoding="utf-8")


def row(case: Case, contender: str, found: Found) -> list[str]:
    """The cells of one result."""
    result = found[contender]
    return [
        str(case.versions),
        case.shape,
        f"{case.latency * 1000:.0f} ms",
        contender,
        f"{result.seconds:.1f}",
        f"{ratio:.2f}" if (ratio := _ratio(found, contender)) else "-",
        f"{result.megabytes:.0f} MB",
        *(str(result.requests[kind]) for kind, _ in KINDS),
        str(result.refusals),
    ]


def sentence(case: Case, found: Found, name: str) -> list[str]:
    """What can be quoted of a case."""
    away, lines = f"{case.latency * 1000:.0f} ms away", []
    if "measured" in found:
        measured, ratio = found["measured"], _ratio(found, "measured")
        lines.append(
            f"{measured.requests['delete']:,} old versions of {case.versions:,} ({case.shape}) in "
            f"{measured.seconds:.0f} s on "
            f"{name}{', ' + away if case.latency else ''}"
            + (f": {ratio:.1f} times as fast as the serial loop." if ratio else ".")
        )
    if "second week" in found:
        first, second = found["first week"], found["second week"]
        lines.append(
            f"The next week, of {case.versions:,} versions ({case.shape}) a few new and a few to "
            f"go, with a cache: {second.requests.total()} requests where the first run had "
            f"{first.requests.total()}, {second.seconds:.1f} s where it took {first.seconds:.1f}."
        )
    return lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _without_token(arguments: Sequence[str]) -> list[str]:
    hidden = ("--token", "--url")
    return [
        f'"{a}"' if " " in a else a
        for a, before in zip(arguments, ["", *arguments], strict=False)
        if before not in hidden and not a.startswith(hidden)
    ]


def _ratio(found: Found, contender: str) -> float | None:
    if "loop" not in found or contender not in COMPARED:
        return None
    return found["loop"].seconds / found[contender].seconds


def _chart(results: Results) -> str:
    """Bars, one for each case and contender that has a loop to compare with."""
    bars = [
        (case, contender, ratio)
        for case, found in results
        for contender in COLOURS
        if contender in found and (ratio := _ratio(found, contender))
    ]
    most = max((ratio for *_, ratio in bars), default=1.0)
    height, left, wide = 18, 220, 480
    rows = []
    for place, (case, contender, ratio) in enumerate(bars):
        y, length = 30 + place * height, ratio / most * wide
        label = f"{case.versions} {case.shape}, {case.latency * 1000:.0f} ms, {contender}"
        rows.append(
            f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{label}</text>'
            f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{height - 4}" '
            f'fill="{COLOURS[contender]}"/>'
            f'<text x="{left + length + 6:.1f}" y="{y + 12}">{ratio:.1f}</text>'
        )
    one = left + wide / most
    total = 40 + len(bars) * height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 60}" height="{total}" '
        'font-family="sans-serif" font-size="11" fill="#777">'
        '<text x="8" y="16" font-size="13">Times as fast as the serial loop</text>'
        + "".join(rows)
        + f'<line x1="{one:.1f}" y1="24" x2="{one:.1f}" y2="{total - 8}" stroke="#c33"/></svg>\n'
    )
