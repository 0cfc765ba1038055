"""The bench's page: a table and a chart of how many times as fast as the loop."""

from collections.abc import Sequence
from pathlib import Path

from bench.measure import Case, Result

FOLDER = Path(__file__).resolve().parent
COLOURS = {"measured": "#2a78c8", "unmeasured": "#3aa05a"}
Results = Sequence[tuple[Case, dict[str, Result]]]


def write(results: Results, arguments: Sequence[str]) -> None:
    """Writes README.md and chart.svg beside this file."""
    (FOLDER / "chart.svg").write_text(_chart(results), encoding="utf-8")
    lines = [
        "# What a run costs",
        "",
        "Against the plain serial loop that scripts are: all pages, then one version after the "
        "other, a new connection each; it reads and verifies nothing. All but 50 versions go. "
        "*Ratio* is the loop's time divided by the program's, from one run of the bench, so it "
        "holds where absolute times do not.",
        "",
        "![Times as fast as the serial loop](chart.svg)",
        "",
        "Made by `python -m bench " + " ".join(_without_token(arguments)) + "`; without `--url` "
        "the server is the sandbox, in memory and several times as quick as a real one, so that "
        "the client's own work weighs more than it would. Its clock stands still during a case, so "
        "the second look reads every page; on a server whose versions are older than the run it "
        "reads one.",
        "",
        "| versions | shape | added latency | contender | seconds | ratio | memory | "
        "list | files | manifest | put | head | delete | 5xx |",
        "|--:|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for case, found in results:
        for contender, result in found.items():
            kinds = ("list", "files", "manifest", "put", "head", "delete")
            counts = [result.requests[kind] for kind in kinds]
            cells = [
                str(case.versions),
                case.shape,
                f"{case.latency * 1000:.0f} ms",
                contender,
                f"{result.seconds:.1f}",
                _ratio(found, contender),
                f"{result.megabytes:.0f} MB",
                *map(str, counts),
                str(result.refusals),
            ]
            lines.append("| " + " | ".join(cells) + " |")
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _without_token(arguments: Sequence[str]) -> list[str]:
    hidden = ("--token", "--url")
    return [
        a
        for a, before in zip(arguments, ["", *arguments], strict=False)
        if before not in hidden and a not in hidden
    ]


def _ratio(found: dict[str, Result], contender: str) -> str:
    if "loop" not in found:
        return "-"
    return f"{found['loop'].seconds / found[contender].seconds:.2f}"


def _chart(results: Results) -> str:
    """Bars, one for each case and contender that has a loop to compare with."""
    bars = [
        (case, contender, found["loop"].seconds / found[contender].seconds)
        for case, found in results
        if "loop" in found
        for contender in COLOURS
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
