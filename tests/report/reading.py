"""What the faces of a report show, read back from their text."""

import io
import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

from registry_gc.report import document, summary
from registry_gc.report.log import Log
from registry_gc.report.report import Report, State
from tests.report.samples import changed


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
        planned = changed(
            image,
            lambda row: (
                row if row.state is State.KEPT else replace(row, state=State.DOOMED, error="")
            ),
        )
        freed = image.freed if report.is_dry_run else 0
        log.plan(replace(planned, problems=(), freed=freed, unreachable=None), report.is_dry_run)
    log.show(report)
    return stream.getvalue()


def parsed(report: Report) -> Any:
    """The JSON report."""
    return json.loads(document.render(report, "1.2.3"))


def table_rows(markdown: str) -> list[list[str]]:
    """The cells of every line of a table, split as Markdown does."""
    lines = [line for line in markdown.split("\n") if line.startswith("|")]
    return [re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1] for line in lines]


def check_counts(report: Report) -> None:
    """What every report must hold: each version and build told once, in every face."""
    states = {state: report.count(state) for state in State}
    builds = {state: report.count_builds(state) for state in State}
    body = parsed(report)
    versions = [v for image in body["images"] for v in image["versions"]]
    assert len({(v["id"], v["name"]) for v in versions}) == len(versions)
    assert Counter(v["state"] for v in versions) == Counter(states)
    told = [b for image in body["images"] for b in image["builds"]]
    assert Counter(b["state"] for b in told) == Counter(builds)
    for name, counts in (("versions", states), ("builds", builds)):
        found = body["totals"][name]
        assert found == {"all": sum(counts.values())} | {s.value: n for s, n in counts.items()}
        for state, count in counts.items():
            assert sum(image["totals"][name][state] for image in body["images"]) == count
    for image in body["images"]:
        belonging = {(b["id"], i) for b in image["builds"] for i in b["versions"]}
        assert belonging == {(b, v["id"]) for v in image["versions"] for b in v["builds"]}

    shown = re.findall(r"<b>[^<:]+: (?:(\d+) builds?, )?(\d+) versions?", summary.render(report))
    assert sum(int(n) for _, n in shown) == len(versions)
    assert sum(int(n or 0) for n, _ in shown) == len(told)

    lines = logged(report, verbose=True).split("\n")
    kept = sum(line.startswith("  KEEP  ") for line in lines)
    doomed = sum(line.startswith("  DEL   ") for line in lines)
    assert kept == states[State.KEPT]
    assert kept + doomed == len(versions)
