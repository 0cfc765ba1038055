"""The JSON report, as docs/report.schema.json describes it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from registry_gc.report import files
from registry_gc.report.report import (
    Build,
    Image,
    Problem,
    Report,
    Row,
    State,
    count_waiting,
    next_to_go,
)
from registry_gc.report.wording import age, verdict
from registry_gc.settings.parse import Limit, Policy

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Document:
    """The JSON report as a face of the report."""

    path: Path | None
    """Where it goes; None when none is asked for."""
    version: str
    """The tool's."""

    def show(self, report: Report) -> None:
        """Replaces the file as a whole. Raises NotWritten."""
        if self.path:
            files.replace(self.path, [render(report, self.version)])


def render(report: Report, version: str) -> str:
    """The report as JSON in ASCII; `version` is the tool's. What was not measured is left out."""
    body = {
        "schema": SCHEMA,
        "version": version,
        "server_url": report.server_url,
        "owner": report.owner,
        "started": _time(report.started),
        "dry_run": report.is_dry_run,
        "exit_code": report.exit_code,
        "totals": {
            "images": len(report.images),
            **_totals(report.images),
            **_known(reclaimable_bytes=report.freed),
        },
        **_known(looked_at=list(report.looked_at) or None),
        **_known(restored=list(report.restored) or None),
        "problems": [_problem(image, problem) for image, problem in report.all_problems()],
        "images": [_image(image, report) for image in report.images],
        "settings": dict(report.settings),
    }
    return json.dumps(body, indent=1, default=_value) + "\n"


def _image(image: Image, report: Report) -> dict[str, Any]:
    belonging: dict[int, list[int]] = {row.version.id: [] for row in image.rows}
    for build in (*image.builds, *image.trash):
        for row in build.rows:
            belonging[row.version.id].append(build.id)
    return {
        "name": image.name,
        **_known(owner=image.owner or None),
        "totals": {
            **_totals([image]),
            **_known(
                held_bytes=image.held,
                reclaimable_bytes=image.freed,
                unreachable_bytes=image.unreachable,
            ),
        },
        "builds": [_build(build, report) for build in image.builds],
        **_known(trash=[_build(build, report) for build in image.trash] or None),
        "versions": [_row(row, belonging[row.version.id], report) for row in image.rows],
    }


def _totals(images: Sequence[Image]) -> dict[str, Any]:
    """The counts of builds and versions by their state, and what goes next."""
    builds = {state.value: sum(image.count_builds(state) for image in images) for state in State}
    versions = {state.value: sum(image.count(state) for image in images) for state in State}
    after, waiting = next_to_go(images), count_waiting(images)
    return {
        "builds": {"all": sum(builds.values()), **builds},
        "versions": {"all": sum(versions.values()), **versions},
        **_known(waiting={"builds": waiting[0], "versions": waiting[1]} if waiting else None),
        **_known(next={"date": str(after[0]), "builds": after[1]} if after else None),
    }


def _build(build: Build, report: Report) -> dict[str, Any]:
    return {
        "id": build.id,
        "tags": [row.version.name for row in build.tags],
        "verdict": verdict(build.state),
        "state": build.state.value,
        "reason": build.reason,
        **_known(until=build.until and _time(build.until)),
        "created": _time(build.created),
        "age_days": age(build.created, report.started),
        **_known(digest=build.tags[0].digest or None),
        "platforms": list(build.platforms),
        "attached": list(build.attached),
        "parts": [row.version.name for row in build.parts],
        **_known(adds_bytes=build.adds, size_bytes=build.size),
        "versions": [row.version.id for row in build.rows],
    }


def _row(row: Row, builds: Sequence[int], report: Report) -> dict[str, Any]:
    return {
        "name": row.version.name,
        "id": row.version.id,
        "builds": builds,
        "verdict": verdict(row.state),
        "state": row.state.value,
        "reason": row.reason,
        **_known(until=row.until and _time(row.until), error=row.error or None),
        "created": _time(row.version.created),
        "age_days": age(row.version.created, report.started),
        **_known(digest=row.digest or None, size=row.size),
    }


def _problem(image: str, problem: Problem) -> dict[str, Any]:
    return {
        "level": "error" if problem.is_error else "warning",
        **_known(image=image or None),
        "text": problem.text,
    }


def _known(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _value(setting: object) -> Any:
    """A setting that JSON has no form for."""
    if isinstance(setting, Policy):
        return setting.settings()
    if isinstance(setting, Limit):
        return str(setting)
    raise TypeError(f"no JSON form for {setting!r}")
