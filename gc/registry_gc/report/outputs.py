"""The outputs of the action, for a later step."""

import json

from registry_gc.registry.version_names import is_plain_tag
from registry_gc.report.report import Report, State
from registry_gc.settings.inputs import Settings


def outputs(report: Report, settings: Settings, report_path: str) -> dict[str, str]:
    """The action's outputs. In a dry run they say what would have been deleted.

    `deleted-tags` names plain tags when `package` is one name, `image:tag` otherwise; it is JSON
    with a line for each, for runners lose lines over 64 KiB.
    """
    is_one = len(settings.package) == 1 and not set("*?[") & set(settings.package[0])
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
        "reclaimable-bytes": "" if report.freed is None else str(report.freed),
        "deleted-tags": json.dumps(tags, indent=0),
        "report": report_path,
    }
