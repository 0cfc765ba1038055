"""The sentences that the log and the summary share."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from registry_gc.registry.version_names import short
from registry_gc.report.escaping import cut, plain, plural, size
from registry_gc.report.report import Image, Report, Row, State
from registry_gc.settings.parse import Policy

SPACE = (
    "Freed space is an upper bound: blobs that only these versions use among the images above; "
    "images that are not listed may share them. The server frees it in its nightly job "
    "cleanup_packages (at midnight), and only blobs older than 24 hours."
)


def headline(report: Report) -> str:
    """What the run did, how much space that frees and whether all is well, in a sentence or two."""
    errors = [p.text for _, p in report.all_problems() if p.is_error]
    warnings = sum(not p.is_error for _, p in report.all_problems())
    error = _first_sentence(errors[0]) if errors else ""
    went, failed, left = report.count(report.goes), report.count(State.FAILED), _left(report)
    said, is_error_said = "", False
    if went and report.is_dry_run and errors:
        said, is_error_said = f"{went} of {_all(report)} are due for deletion, but: {error}", True
    elif went and report.is_dry_run:
        said = f"Would delete {went} of {_all(report)}{_space(report)}"
    elif went:
        start = "Stopped early: deleted" if left else "Deleted"
        said = f"{start} {went} of {_all(report)}{_undone(failed, left)}{_space(report)}"
    elif errors:
        nothing = "Would delete nothing" if report.is_dry_run else "Deleted nothing"
        said, is_error_said = f"{nothing if report.images else 'Failed'}: {error}", True
    elif failed or left:
        said = f"Deleted nothing of {_all(report)}{_undone(failed, left)}"
    elif report.images:
        count = sum(len(image.rows) for image in report.images)
        said = f"Nothing to delete: kept {count} of {_all(report)}"
    else:
        said = "Nothing to do: no image was found"
    return " ".join([_stopped(said), *_tally(len(errors), warnings, is_error_said)])


def verdict(row: Row) -> str:
    """`KEEP` or `DELETE`: what was decided, whatever became of it."""
    return "KEEP" if row.state is State.KEPT else "DELETE"


def labels(rows: Sequence[Row]) -> list[str]:
    """The names of an image's versions; a digest is cut where that leaves it unmistakable."""
    seen = Counter(short(row.version.name) for row in rows)
    names = [(short(row.version.name), row.version.name) for row in rows]
    return [cut_name if seen[cut_name] == 1 else name for cut_name, name in names]


def touched_first(images: Iterable[Image]) -> list[Image]:
    """The images in their order, those before the others in which something goes."""
    return sorted(images, key=lambda image: image.count(State.KEPT) == len(image.rows))


def age(created: datetime, now: datetime) -> float:
    """Days with one decimal; 0 for what a server whose clock is ahead dates in the future."""
    return max(0.0, round((now - created).total_seconds() / 86400, 1))


def setting(value: Any) -> str:
    """A setting's value as one writes the input; "" when it is not set."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Policy):
        tags = [f"tags={tag}" for tag in value.tags]
        figures = (f"keep-latest={value.keep_latest}", f"keep-days={value.keep_days}")
        return ",".join([*tags, *figures])
    if isinstance(value, (tuple, list)):
        between = "; " if any(isinstance(part, Policy) for part in value) else ", "
        return between.join(setting(part) for part in value)
    return "" if value is None else str(value)


def _left(report: Report) -> int:
    return 0 if report.is_dry_run else report.count(State.DOOMED)


def _all(report: Report) -> str:
    versions = sum(len(image.rows) for image in report.images)
    return f"{plural(versions, 'version')} of {plural(len(report.images), 'image')}"


def _undone(failed: int, left: int) -> str:
    text = f", {plural(failed, 'deletion')} failed" if failed else ""
    return text + (f", {left} {'was' if left == 1 else 'were'} not tried" if left else "")


def _space(report: Report) -> str:
    if report.freed is None:
        return ""
    if not report.freed:
        return "; no space is freed, for other versions use the same blobs"
    if report.is_dry_run:
        return f"; up to {size(report.freed)} would be freed"
    # Whether the clean-up at once worked, and what it left for the night, is not known here.
    when = "by tonight" if report.settings.get("reclaim") is True else "tonight"
    return f"; up to {size(report.freed)} will be freed {when}"


def _tally(errors: int, warnings: int, is_error_said: bool) -> list[str]:
    parts = [plural(errors, "error")] if errors > is_error_said else []
    parts += [plural(warnings, "warning")] if warnings else []
    return [f"{' and '.join(parts)}."] if parts else []


def _first_sentence(text: str) -> str:
    return cut(re.split(r"(?<=[.!?]) (?=[A-Z])", plain(text), maxsplit=1)[0], 300)


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else text + "."
