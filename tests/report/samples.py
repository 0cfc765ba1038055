"""Sample reports: what runs of every outcome leave to their three faces."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from registry_gc.registry.versions import Version
from registry_gc.report.report import Build, Image, Problem, Report, Row, State
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
    until: datetime | None = None,
) -> Row:
    """A version of an age."""
    number = int(digest(f"{image}:{name}")[7:19], 16)
    version = Version(number, image, name, NOW - timedelta(days=days))
    held = digest(name) if size is not None else ""
    return Row(version, state, reason, until, error, held, size)


def build(*tags: Row, others: Sequence[Row] = (), **fields: Any) -> Build:
    """A build under these names, of as many platforms as it has other versions."""
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7")[: len(others)]
    return Build(tags, others=tuple(others), **{"platforms": platforms, **fields})


def image(
    name: str, builds: Sequence[Build], leftovers: Sequence[Row] = (), **fields: Any
) -> Image:
    """An image of these builds and versions that belong to none, newest first."""
    rows = {row.version.id: row for build in builds for row in build.rows}
    rows |= {row.version.id: row for row in leftovers}
    ordered = sorted(rows.values(), key=lambda row: row.version.created, reverse=True)
    return Image(name, tuple(ordered), tuple(builds), **fields)


def changed(image: Image, change: Callable[[Row], Row]) -> Image:
    """The image with each of its versions changed, in its builds too."""
    rows = {row.version.id: change(row) for row in image.rows}

    def rows_of(old: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(rows[row.version.id] for row in old)

    builds = [
        replace(b, tags=rows_of(b.tags), parts=rows_of(b.parts), others=rows_of(b.others))
        for b in image.builds
    ]
    return replace(image, rows=rows_of(image.rows), builds=tuple(builds))


def report(*images: Image, **fields: Any) -> Report:
    """A report of a run on git.example.org."""
    settings = {**SETTINGS, "dry-run": fields.get("is_dry_run", False)}
    start = Report("https://git.example.org", "acme", settings, NOW)
    return replace(start, images=images, **fields)


def multiplatform(
    name: str, old: State, count: int = 12, *, measured: bool = True, **fields: Any
) -> Image:
    """Builds of two platforms, some four weeks apart, signed; those older than 180 days have `old`.

    The newest is `latest` too, and two versions belong to no build.
    """
    builds = []
    for place in range(1, count + 1):
        tag, days = f"v1.{count - place}.0", 3.2 + 27.4 * (place - 1)
        state = KEPT if place <= 6 or days <= 180 else old
        reason = f"keep-latest {place}/6" if place <= 6 else "younger than 180 days"
        until = NOW + timedelta(days=180 - days) if place > 6 and state is KEPT else None

        def made(name_: str, reason: str, size: int, state: State = state) -> Row:
            return row(name_, days + 0.01, state, reason, size=size, image=name)  # noqa: B023

        why = f"part of {tag}" if state is KEPT else "unreachable"
        tags = [row(tag, days, state, reason if state is KEPT else BEYOND, size=1_610, image=name)]
        tags[0] = replace(tags[0], until=until)
        if place == 1:
            tags.append(row("latest", days, KEPT, "protected by latest", size=1_610, image=name))
        others = [
            made(digest(f"{name} {tag} {platform}"), why, size)
            for platform, size in (("amd64", 61_440_000), ("arm64", 58_120_000))
        ]
        signature = digest(tag).replace(":", "-") + ".sig"
        others.append(
            made(signature, f"attached to {tag}" if state is KEPT else "unreachable", 933)
        )
        found = build(
            *tags,
            others=others,
            platforms=("linux/amd64", "linux/arm64"),
            attached=("signed",),
            adds=39_700_000 + place * 100_000 if measured else None,
            size=119_562_543 if measured else None,
        )
        builds.append(found)
    leftovers = [
        row(digest(f"{name} old {n}"), 250 + n, old, "unreachable", size=58_120_000, image=name)
        for n in range(2)
    ]
    made_image = image(name, builds, leftovers, **fields)
    if measured:
        return made_image
    return changed(made_image, lambda r: replace(r, size=None, digest=""))


def small(old: State, error: str = "") -> Image:
    """Three builds, of which one goes."""
    tags = [
        row("latest", 2, KEPT, "protected by latest", size=30_000_000),
        row("v1.2.0", 2.04, KEPT, "keep-latest 1/6", size=30_000_000),
        row("v0.9", 304.5, old, BEYOND, size=28_000_000, error=error),
    ]
    return image(
        "app",
        [build(tag, adds=28_000_000, size=30_000_000) for tag in tags],
        held=58_000_000,
        freed=28_000_000 if old is not FAILED else 0,
    )


def nothing_to_do() -> Report:
    """All is kept."""
    return report(small(KEPT), freed=0)


def dry_run() -> Report:
    """A rehearsal."""
    found = multiplatform("app", DOOMED, held=1_380_000_000, freed=598_000_000)
    found = replace(found, unreachable=116_240_000)
    looked_at = ("3 files", "20 repositories (at 2026-11-02 03:00:04 UTC)", "412 files in them")
    return report(found, freed=598_000_000, is_dry_run=True, looked_at=looked_at)


def deletions() -> Report:
    """The usual night, with what was not measured left out."""
    return report(multiplatform("app", DELETED, measured=False))


def failures() -> Report:
    """Some went, some did not."""
    found = multiplatform("app", DELETED, held=1_380_000_000, freed=419_000_000)
    error = "500 Internal Server Error after 5 tries: database is locked"
    unlucky = [row.version.id for row in found.rows if row.state is DELETED][::4]
    found = changed(
        found,
        lambda r: replace(r, state=FAILED, error=error) if r.version.id in unlucky else r,
    )
    return report(found, freed=419_000_000)


def names_apart() -> Report:
    """What goes and what stays of one build: names, tagged parts, and what is young for itself."""
    young = row(digest("young"), 9, KEPT, "untagged, younger than 30 days", size=9_000_000)
    young = replace(young, until=NOW + timedelta(days=21))
    part = row("v2-arm64", 400, KEPT, "in use: deploy/compose.yaml:12", size=9_000_000)
    builds = [
        build(
            row("latest", 1, KEPT, "protected by latest", size=900),
            row(
                "sha-5d41402", 1.1, DELETED, "beyond keep-latest 0 and older than 0 days", size=900
            ),
            others=[row(digest("amd64"), 1.2, KEPT, "part of latest", size=9_000_000)],
            adds=9_000_900,
            size=9_000_900,
        ),
        build(
            row("v2", 399, DELETED, "beyond keep-latest 0 and older than 0 days", size=900),
            others=[young],
            parts=(part, row("v2-amd64", 400, DELETED, BEYOND, size=8_000_000)),
            platforms=("linux/amd64", "linux/arm64"),
            adds=8_000_900,
            size=17_000_900,
        ),
        build(part, adds=0, size=9_000_000),
    ]
    return report(image("app", builds, held=26_000_000, freed=8_000_900), freed=8_000_900)


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
        "Refused by max-delete: 22 of 51 versions (43.1%) of app would be deleted, and max-delete "
        "allows 30%. Nothing was deleted in the whole run. If the list above is what you want, "
        "raise max-delete for one run."
    )
    found = multiplatform("app", DOOMED, held=1_380_000_000, freed=0)
    return report(found, freed=0, problems=(Problem(text, is_refusal=True),))


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
    found = changed(
        found,
        lambda r: replace(r, state=DELETED) if r.state is DOOMED and "v1" in r.version.name else r,
    )
    return report(found, freed=179_000_000, problems=(Problem(text),))


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
                [build(row("main", n, KEPT, "keep-latest 1/6", size=9_000_000, image=f"web-{n}"))],
                held=9_000_000,
                freed=0,
            )
            for n in range(1, 6)
        ),
        multiplatform("worker", DELETED, 9, held=980_000_000, freed=239_000_000),
    ]
    return report(*images, freed=837_000_000)


def typical() -> Report:
    """Two images, deletions, a failure and a warning."""
    error = "500 Internal Server Error after 5 tries: database is locked"
    worker = multiplatform("worker", DELETED, 8, held=980_000_000, freed=119_000_000)
    last = worker.builds[-1].id
    worker = changed(
        worker,
        lambda r: replace(r, state=FAILED, error=error) if r.version.id == last else r,
    )
    app = multiplatform("app", DELETED, 9, held=1_020_000_000, freed=239_000_000)
    app = replace(app, problems=broken_before().images[0].problems)
    return report(app, worker, freed=358_000_000)


def hostile(text: str = HOSTILE) -> Report:
    """A text that tries to break out, wherever a server, a registry or a file can put one."""
    tags = [
        row(text, 1, KEPT, text, size=1, image=text),
        row(text + "2", 300, DELETED, text, image=text),
        row(text + "3", 400, FAILED, text, error=text, image=text),
        row(text + "4", 500, DELETED, text, image=text),
    ]
    own: dict[str, Any] = {"platforms": (text,), "attached": (text,), "adds": 1, "size": 2}
    young = row(text + "5", 600, KEPT, text, image=text)
    builds = [
        build(tags[0], tags[3], **own),
        build(tags[1], **own),
        build(tags[2], **own),
        build(replace(young, until=NOW), **own),
    ]
    leftovers = [row(digest(text), 9, DELETED, text, size=1, image=text)]
    problems = (Problem(text), Problem(text, False))
    found = image(text, builds, leftovers, problems=problems, held=3, freed=2, unreachable=1)
    settings = {**SETTINGS, "protect": (text,)}
    made = report(found, freed=2, problems=problems)
    return replace(made, owner=text, server_url=text, settings=settings)


def large(versions: int = 20_000) -> Report:
    """Nearly all of a large image goes."""
    builds = [
        build(
            row(f"build-{n:05}", n / 10, KEPT, f"younger than {n // 20} days", size=90_000_000),
            adds=1_000_000,
            size=90_000_000,
        )
        for n in range(1_800)
    ]
    leftovers = [
        row(digest(str(n)), n / 10, DELETED, "unreachable", size=90_000_000)
        for n in range(1_800, versions)
    ]
    freed = 3_200_000_000
    found = image("app", builds, leftovers, held=1_800_000_000_000, freed=freed, unreachable=freed)
    return report(found, freed=freed)
