"""The outputs of the action, for a later step."""

import json
from dataclasses import dataclass
from pathlib import Path

from registry_gc.registry.version_names import is_plain_tag
from registry_gc.report import files
from registry_gc.report.report import Report, State
from registry_gc.runner import output_text
from registry_gc.settings.inputs import Settings
from registry_gc.settings.parse import is_pattern


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs as a face of the report."""

    path: Path | None
    """The runner's file for them; None where there is none."""
    report_path: Path | None
    """Where the JSON report went."""
    settings: Settings
    """Those of the run."""

    def show(self, report: Report) -> None:
        """Appends to the file. Raises NotWritten."""
        if self.path:
            values = outputs(report, self.settings, str(self.report_path or ""))
            files.append(self.path, output_text(values))


def outputs(report: Report, settings: Settings, report_path: str) -> dict[str, str]:
    """The action's outputs. In a dry run they say what would have been deleted.

    `deleted-tags` names plain tags when `owner` and `package` are one name each, else `image:tag`
    with the name that the report gives the image; it is JSON with a line for each, for runners
    lose lines over 64 KiB.
    """
    is_one = len(settings.package) == 1 and not is_pattern(settings.package[0])
    is_one = is_one and bool(settings.only_owner)
    there = {(i.name, r.version.name) for i, r in report.rows() if r.state is State.KEPT}
    tags = [
        row.version.name if is_one else f"{image.name}:{row.version.name}"
        for image, row in report.rows()
        if row.state is report.goes and is_plain_tag(row.version.name)
        if (image.name, row.version.name) not in there  # pushed again after its deletion
    ]
    return {
        "deleted": str(report.count(report.goes)),
        "kept": str(report.count(State.KEPT)),
        "failed": str(report.count(State.FAILED)),
        "deleted-builds": str(report.count_builds(report.goes)),
        "kept-builds": str(report.count_builds(State.KEPT)),
        "reclaimable-bytes": "" if report.freed is None else str(report.freed),
        "deleted-tags": json.dumps(tags, indent=0),
        "report": report_path,
        "outcome": report.outcome.value,
    }
