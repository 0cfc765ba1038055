"""The JSON report, as docs/report.schema.json describes it."""

import json
from dataclasses import fields
from typing import Any

from registry_gc.report.report import Image, Problem, Report, Row, State
from registry_gc.report.wording import age, verdict
from registry_gc.settings.parse import Limit, Policy

SCHEMA = 1


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
            "versions": sum(len(image.rows) for image in report.images),
            **{state.value: report.count(state) for state in State},
            **_known(reclaimable_bytes=report.freed),
        },
        "problems": [_problem(image, problem) for image, problem in report.all_problems()],
        "images": [_image(image, report) for image in report.images],
        "settings": dict(report.settings),
    }
    return json.dumps(body, indent=1, default=_value) + "\n"


def _image(image: Image, report: Report) -> dict[str, Any]:
    return {
        "name": image.name,
        **{state.value: image.count(state) for state in State},
        **_known(held_bytes=image.held, reclaimable_bytes=image.freed),
        "versions": [_row(row, report) for row in image.rows],
    }


def _row(row: Row, report: Report) -> dict[str, Any]:
    return {
        "name": row.version.name,
        "id": row.version.id,
        "verdict": verdict(row),
        "state": row.state.value,
        "reason": row.reason,
        **_known(error=row.error or None),
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


def _time(moment: Any) -> str:
    return str(moment.isoformat(timespec="seconds")).replace("+00:00", "Z")


def _value(setting: object) -> Any:
    """A setting that JSON has no form for."""
    if isinstance(setting, Policy):
        return {f.name.replace("_", "-"): getattr(setting, f.name) for f in fields(setting)}
    if isinstance(setting, Limit):
        return str(setting)
    raise TypeError(f"no JSON form for {setting!r}")
