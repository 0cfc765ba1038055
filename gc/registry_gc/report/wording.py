"""The sentences and words that the faces of the report share."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from registry_gc.registry import builds
from registry_gc.registry.version_names import short, subject_of
from registry_gc.report.escaping import cut, plain, plural, size
from registry_gc.report.report import (
    Build,
    Group,
    Image,
    Problem,
    Report,
    Row,
    State,
    count_waiting,
    next_to_go,
)
from registry_gc.settings.parse import Policy

SPACE = (
    "Freed space is an upper bound: blobs that only these versions use among the images above; "
    "images that are not listed may share them. The server frees it in its nightly job "
    "cleanup_packages (at midnight), and only blobs older than 24 hours."
)
_MOST = 8  # names of one build that are shown
_ATTACHED = {"": "referrers", ".sig": "signed", ".att": "attested", ".sbom": "SBOM"}


def headline(report: Report) -> str:
    """What the run did, how much space that frees and whether all is well, in a sentence or two."""
    errors = [p.text for _, p in report.all_problems() if p.is_error]
    warnings = sum(not p.is_error for _, p in report.all_problems())
    error = _first_sentence(errors[0]) if errors else ""
    went, failed, untried = report.count(report.goes), report.count(State.FAILED), _untried(report)
    text, has_error = "", False
    if report.restored:
        verb = "Would put back" if report.is_dry_run else "Put back"
        text = f"{verb} {', '.join(map(plain, report.restored))}"
    elif went and report.is_dry_run and errors:
        text, has_error = f"{_share(report)} are due for deletion, but: {error}", True
    elif went and report.is_dry_run:
        text = f"Would delete {_share(report)}{waiting(report.images)}{_space(report)}"
    elif went:
        start = "Stopped early: deleted" if untried else "Deleted"
        undone = _undone(failed, untried) + waiting(report.images)
        text = f"{start} {_share(report)}{undone}{_space(report)}"
    elif errors:
        nothing = "Would delete nothing" if report.is_dry_run else "Deleted nothing"
        text, has_error = f"{nothing if report.images else 'Failed'}: {error}", True
    elif failed or untried:
        text = f"Deleted nothing of {_images(report)}{_undone(failed, untried)}"
    elif report.images:
        text = f"Nothing to delete: {_all(report)} of {_images(report)} stay"
    else:
        text = "Nothing to do: no image was found"
    return " ".join([_stopped(text), *_tally(len(errors), warnings, has_error)])


def waiting(images: Iterable[Image]) -> str:
    """`, 27 builds (81 versions) are left for the next run`; "" when nothing is."""
    found = count_waiting(images)
    if not found:
        return ""
    builds, versions = found
    what = plural(versions, "version")
    text = f"{plural(builds, 'build')} ({what})" if builds else what
    return f", {text} {'is' if builds == 1 or versions == 1 else 'are'} left for the next run"


def upcoming(images: Iterable[Image]) -> str:
    """`Next: 3 builds on 2026-12-01, unless something else keeps them.`; "" when none is known."""
    found = next_to_go(images)
    if not found:
        return ""
    day, count = found
    them = "it" if count == 1 else "them"
    return f"Next: {plural(count, 'build')} on {day}, unless something else keeps {them}."


def failures(report: Report) -> list[tuple[str, Problem]]:
    """A problem for each image with failed deletions, with the cause of the first."""
    found = []
    for image in report.images:
        if errors := [row.error for row in image.rows if row.state is State.FAILED]:
            count = len(errors)
            what = "1 deletion failed" if count == 1 else f"{count} deletions failed, the first"
            found.append((image.name, Problem(f"{what} with: {errors[0]}")))
    return found


def share(images: Sequence[Image], *states: State, whose: str = "") -> str:
    """How much has one of the states: `15 of 42 builds of app (43 of 122 versions)`."""
    gone = sum(image.count_builds(state) for image in images for state in states) or "none"
    there = sum(len(image.builds) for image in images)
    versions_gone = sum(image.count(state) for image in images for state in states)
    versions = plural(sum(len(image.rows) for image in images), "version")
    of_what = f" of {whose}" if whose else ""
    return f"{gone} of {plural(there, 'build')}{of_what} ({versions_gone} of {versions})"


def looked(parts: Sequence[str]) -> str:
    """What was read to know what is in use or alive, as a sentence; "" when nothing was."""
    return f"Looked at {', '.join(parts)}." if parts else ""


def verdict(state: State) -> str:
    """`KEEP` or `DELETE`: what was decided, whatever became of it."""
    return "KEEP" if state is State.KEPT else "DELETE"


def why(reason: str, until: datetime | None) -> str:
    """The reason of a verdict, with the day on which what only its age keeps goes."""
    return f"{reason}, until {until:%Y-%m-%d}" if until else reason


def contents(build: Build) -> str:
    """What a build is made of: `amd64 arm64, signed, 2 tagged parts`."""
    platforms = " ".join(platform.removeprefix("linux/") for platform in build.platforms)
    parts = [plural(len(build.parts), "tagged part")] if build.parts else []
    return ", ".join(text for text in (platforms, *build.attached, *parts) if text)


def attached(build: builds.Build) -> tuple[str, ...]:
    """What is attached to a build: `signed`, `attested (2)`."""
    kinds = Counter({"attested": build.attestations})
    for version in build.attachments:
        if subject_of(version.name):
            kinds[_ATTACHED[version.name.lower()[71:]]] += 1
    return tuple(word if n == 1 else f"{word} ({n})" for word, n in sorted(kinds.items()) if n)


def names(rows: Sequence[Row], show: Callable[[str], str]) -> str:
    """The names of tags, each as it is shown: `v1.2.3 v1.2 v1`, with `and 5 more` after many."""
    found = list(dict.fromkeys(row.version.name for row in rows))
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return " ".join([*map(show, found[:_MOST]), *more])


def labels(rows: Sequence[Row]) -> list[str]:
    """The names of versions; the digest in one is cut where that leaves it unmistakable."""
    found = [(_short(row.version.name), row.version.name) for row in rows]
    seen = Counter(cut_name for cut_name, _ in found)
    return [cut_name if seen[cut_name] == 1 else name for cut_name, name in found]


def title(group: Group) -> str:
    """What a group holds besides leftovers: `12 builds, 34 versions`."""
    versions = plural(group.versions - len(group.leftovers), "version")
    return f"{plural(len(group.builds), 'build')}, {versions}" if group.builds else versions


def stays_as(row: Row, image: Image) -> str:
    """Why a tag goes, and the other name under which its build stays, if it does."""
    kept = [b.deciding[0] for b in image.builds if b.state is State.KEPT and row in b.tags]
    return "; ".join(
        [why(row.reason, row.until), *(f"its build stays as {r.version.name}" for r in kept)]
    )


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
        others = [f"{key}={text}" for key, text in value.settings().items() if key != "tags"]
        return ",".join([*tags, *others])
    if isinstance(value, Mapping):  # of some images, as the policy file has it
        own = [f"{name}={setting(said)}" for name, said in value.items() if name != "match"]
        return f"{setting(value['match'])} ({', '.join(own)})"
    if isinstance(value, (tuple, list)):
        between = "; " if any(isinstance(part, (Policy, Mapping)) for part in value) else ", "
        return between.join(setting(part) for part in value)
    return "" if value is None else str(value)


def _short(name: str) -> str:
    return f"{name[:19]}…{name[71:]}" if subject_of(name) else short(name)


def _untried(report: Report) -> int:
    return 0 if report.is_dry_run else report.count(State.DOOMED)


def _share(report: Report) -> str:
    return share(report.images, report.goes, whose=_images(report))


def _all(report: Report) -> str:
    """`all 42 builds (122 versions)`."""
    there = sum(len(image.builds) for image in report.images)
    versions = sum(len(image.rows) for image in report.images)
    return f"all {plural(there, 'build')} ({plural(versions, 'version')})"


def _images(report: Report) -> str:
    """The name of the image, or how many there are."""
    only_one = len(report.images) == 1
    return cut(plain(report.images[0].name), 100) if only_one else f"{len(report.images)} images"


def _undone(failed: int, untried: int) -> str:
    text = f", {plural(failed, 'deletion')} failed" if failed else ""
    return text + (f", {untried} {'was' if untried == 1 else 'were'} not tried" if untried else "")


def _space(report: Report) -> str:
    if report.freed is None:
        return ""
    days = report.settings.get("trash-days")
    if days and not report.freed:
        return f"; tags and their space stay in the trash for {plural(days, 'day')}"
    if not report.freed:
        return "; no space is freed, for other versions use the same blobs"
    if report.is_dry_run:
        return f"; up to {size(report.freed)} would be freed"
    # Whether the clean-up at once worked, and what it left for the night, is not known here.
    when = "by tonight" if report.settings.get("reclaim") is True else "tonight"
    return f"; up to {size(report.freed)} will be freed {when}"


def _tally(errors: int, warnings: int, has_error: bool) -> list[str]:
    parts = [plural(errors, "error")] if errors > has_error else []
    parts += [plural(warnings, "warning")] if warnings else []
    return [f"{' and '.join(parts)}."] if parts else []


def _first_sentence(text: str) -> str:
    return cut(re.split(r"(?<=[.!?]) (?=[A-Z])", plain(text), maxsplit=1)[0], 300)


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else text + "."
