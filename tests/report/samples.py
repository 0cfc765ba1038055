"""Sample reports: what runs of every outcome leave to their three faces."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from registry_gc.registry.versions import Version
from registry_gc.report.report import Image, Problem, Report, Row, State
from registry_gc.settings.parse import Limit, Policy

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
KEPT, DELETED, FAILED, DOOMED = State.KEPT, State.DELETED, State.FAILED, State.DOOMED
BEYOND = "beyond keep-latest 6 and older than 180 days"
SETTINGS: dict[str, Any] = {
    "server-url": "https://git.example.org",
    "owner": "acme",
    "package": ("app", "web*"),
    "keep-days": 180,
    "keep-latest": 6,
    "protect": ("latest", "corpus-*"),
    "policies": (Policy(("v*", "release-*"), 20, 3650),),
    "protect-from": (),
    "max-delete": Limit(60, True),
    "dry-run": False,
    "reclaim": False,
    "report": "",
}
HOSTILE = (
    "a|b `c` <script>alert(1)</script>\n::set-output name=x::y\r\n##[error]z\x1b[31mred\u202eevil"
    "\u2067 @user [x](http://evil.example) ![i](http://evil.example/i.png) </details> \\| :tada: "
    "| --- |\n# big\n> quote\n::endgroup::"
)


def digest(text: str) -> str:
    """A digest that looks like one."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def row(
    name: str,
    days: float,
    state: State,
    reason: str,
    *,
    size: int | None = None,
    error: str = "",
    image: str = "app",
) -> Row:
    """A version of an age."""
    number = int(digest(f"{image}:{name}")[7:15], 16)
    version = Version(number, image, name, NOW - timedelta(days=days))
    return Row(version, state, reason, error, digest(name) if size is not None else "", size)


def image(name: str, rows: Sequence[Row], **fields: Any) -> Image:
    """An image of these rows, newest first."""
    ordered = sorted(rows, key=lambda row: row.version.created, reverse=True)
    return Image(name, tuple(ordered), **fields)


def report(*images: Image, **fields: Any) -> Report:
    """A report of a run on git.example.org."""
    settings = {**SETTINGS, "dry-run": fields.get("is_dry_run", False)}
    start = Report("https://git.example.org", "acme", settings, NOW)
    return replace(start, images=images, **fields)


def multiplatform(name: str, old: State, tags: int = 12, **fields: Any) -> Image:
    """Tags of two platforms each, a week to a month apart; those beyond the sixth have `old`."""
    rows = [row("latest", 3.2, KEPT, "protected by latest", size=61_440_000, image=name)]
    for place in range(1, tags + 1):
        tag, days = f"v1.{tags - place}.0", 3.2 + 27.4 * (place - 1)
        is_kept = place <= 6 or days <= 180
        reason = f"keep-latest {place}/6" if place <= 6 else "younger than 180 days"
        state = KEPT if is_kept else old
        rows.append(row(tag, days, state, reason if is_kept else BEYOND, size=1_610, image=name))
        for platform, size in (("amd64", 61_440_000), ("arm64", 58_120_000)):
            part = digest(f"{name} {tag} {platform}")
            why = f"part of {tag}" if is_kept else "unreachable"
            rows.append(row(part, days + 0.01, state, why, size=size, image=name))
    return image(name, rows, **fields)


def small(old: State, error: str = "") -> Image:
    """Three versions, of which one goes."""
    return image(
        "app",
        [
            row("latest", 2, KEPT, "protected by latest", size=30_000_000),
            row("v1.2.0", 2.04, KEPT, "keep-latest 1/6", size=30_000_000),
            row("v0.9", 304.5, old, BEYOND, size=28_000_000, error=error),
        ],
        held=58_000_000,
        freed=28_000_000 if old is not FAILED else 0,
    )


def nothing_to_do() -> Report:
    """All is kept."""
    return report(small(KEPT), freed=0)


def dry_run() -> Report:
    """A rehearsal."""
    found = multiplatform("app", DOOMED, held=1_380_000_000, freed=598_000_000)
    return report(found, freed=598_000_000, is_dry_run=True)


def deletions() -> Report:
    """The usual night, with what was not measured left out."""
    found = multiplatform("app", DELETED)
    return report(replace(found, rows=tuple(replace(r, size=None, digest="") for r in found.rows)))


def failures() -> Report:
    """Some went, some did not."""
    found = multiplatform("app", DELETED, held=1_380_000_000, freed=419_000_000)
    error = "500 Internal Server Error after 5 tries: database is locked"
    rows = [
        replace(r, state=FAILED, error=error) if r.state is DELETED and i % 4 == 0 else r
        for i, r in enumerate(found.rows)
    ]
    return report(replace(found, rows=tuple(rows)), freed=419_000_000)


def broken_before() -> Report:
    """A kept tag lacked a part before the run."""
    text = (
        "v1.7.0: linux/arm64 (sha256:0f1e2d3c4b5a) was missing before this run, so it cannot be "
        "pulled whole. Push it again, or delete it."
    )
    found = multiplatform("app", DELETED, held=1_380_000_000, freed=598_000_000)
    return report(replace(found, problems=(Problem(text, False),)), freed=598_000_000)


def refused() -> Report:
    """More than max-delete allows."""
    text = (
        "Refused by max-delete: 15 of 37 versions (40.5%) of app would be deleted, and max-delete "
        "allows 30%. Nothing was deleted in the whole run. If the list above is what you want, "
        "raise max-delete for one run."
    )
    found = multiplatform("app", DOOMED, held=1_380_000_000, freed=0)
    return report(found, freed=0, problems=(Problem(text),))


def refused_dry_run() -> Report:
    """The same in a rehearsal."""
    real = refused()
    rows = replace(real.images[0], freed=598_000_000)
    return report(rows, freed=598_000_000, is_dry_run=True, problems=real.problems)


def interrupted() -> Report:
    """The job was cancelled when a third was done."""
    text = (
        "The run ended before all was done, and without a last look at what stays: what is called "
        "deleted was deleted, all else was left alone. The next run does the rest."
    )
    found = multiplatform("app", DOOMED, held=1_380_000_000, freed=179_000_000)
    rows = [
        replace(r, state=DELETED) if r.state is DOOMED and "." in r.version.name else r
        for r in found.rows
    ]
    images = replace(found, rows=tuple(rows))
    return report(images, freed=179_000_000, problems=(Problem(text),))


def unreachable() -> Report:
    """No answer at all."""
    text = "https://git.example.org does not answer: connection refused. Is server-url right?"
    return report(problems=(Problem(text),))


def many_images() -> Report:
    """Several images, most of them with nothing to delete."""
    images = [
        multiplatform("app", DELETED, held=1_380_000_000, freed=598_000_000),
        *(
            image(
                f"web-{n}",
                [row("main", n, KEPT, "keep-latest 1/6", size=9_000_000, image=f"web-{n}")],
                held=9_000_000,
                freed=0,
            )
            for n in range(1, 6)
        ),
        multiplatform("worker", DELETED, tags=9, held=980_000_000, freed=239_000_000),
    ]
    return report(*images, freed=837_000_000)


def typical() -> Report:
    """Two images, deletions, a failure and a warning: what docs/summary.png shows."""
    error = "500 Internal Server Error after 5 tries: database is locked"
    worker = multiplatform("worker", DELETED, tags=8, held=980_000_000, freed=119_000_000)
    rows = [*worker.rows[:-1], replace(worker.rows[-1], state=FAILED, error=error)]
    app = multiplatform("app", DELETED, tags=9, held=1_020_000_000, freed=239_000_000)
    app = replace(app, problems=broken_before().images[0].problems)
    return report(app, replace(worker, rows=tuple(rows)), freed=358_000_000)


def hostile() -> Report:
    """Every text from outside tries to break out."""
    rows = [
        row(HOSTILE, 1, KEPT, HOSTILE, size=1, image=HOSTILE),
        row(HOSTILE + "2", 300, DELETED, HOSTILE, image=HOSTILE),
        row(HOSTILE + "3", 400, FAILED, HOSTILE, error=HOSTILE, image=HOSTILE),
    ]
    problems = (Problem(HOSTILE), Problem(HOSTILE, False))
    found = image(HOSTILE, rows, problems=problems, held=3, freed=2)
    settings = {**SETTINGS, "protect": (HOSTILE,)}
    made = report(found, freed=2, problems=problems)
    return replace(made, owner=HOSTILE, server_url=HOSTILE, settings=settings)


def large(versions: int = 20_000) -> Report:
    """Nearly all of a large image goes."""
    rows = [
        row(f"build-{n:05}", n / 10, KEPT, f"younger than {n // 20} days", size=90_000_000)
        for n in range(1_800)
    ]
    rows += [
        row(digest(str(n)), n / 10, DELETED, "unreachable", size=90_000_000)
        for n in range(1_800, versions)
    ]
    return report(
        image("app", rows, held=1_800_000_000_000, freed=3_200_000_000), freed=3_200_000_000
    )
