"""What must stay and what must go: the rules of DESIGN.md, told again over names and digests.

Nothing here comes from registry_gc.policy, and it knows what no client can: the whole store.
`_stays_in_1_0` are the rules of version 1.0.0, which counted tags: no later rule may keep less.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from registry_gc.settings.inputs import Settings
from tests.sandbox import Pusher, Store
from tests.sandbox.rows import MANIFEST, File, Version

Name = tuple[str, str]  # image and version
OWNER = "acme"


@dataclass(frozen=True)
class Verdicts:
    """Every version of the selected images, in one of two sets."""

    stay: frozenset[Name]
    go: frozenset[Name]
    is_refused: bool  # by max-delete: then nothing goes at all

    @property
    def left(self) -> frozenset[Name]:
        """What is there after a run in which nothing went wrong."""
        return self.stay | self.go if self.is_refused else self.stay


@dataclass(frozen=True)
class _Known:
    name: str
    created: datetime
    number: int
    digests: frozenset[str]
    pulls: str  # the digest that a pull gets
    children: frozenset[str]  # of that one
    needed: frozenset[str]  # the children of all its manifests

    @property
    def is_untagged(self) -> bool:
        return self.name.startswith("sha256:")

    @property
    def subject(self) -> str:
        """The digest that an attachment's name tells, else an empty text."""
        stem, _, ending = self.name.removeprefix("sha256-").partition(".")
        known = self.name.startswith("sha256-") and len(stem) == 64
        fits = ending in ("", "sig", "att", "sbom") and set(stem) <= set("0123456789abcdef")
        return f"sha256:{stem}" if known and fits else ""

    @property
    def is_tag(self) -> bool:
        return not self.is_untagged and not self.subject


def verdicts(
    store: Store, settings: Settings, now: datetime, in_use: Iterable[Name] = ()
) -> Verdicts:
    """The verdicts of the rules; `in_use` are the (image, tag or digest) that files refer to.

    A digest is in use of every image that they refer to, if only by the last part of its name.
    Fails when they keep less than those of version 1.0.0.
    """
    stay: set[Name] = set()
    go: set[Name] = set()
    shares = []
    in_use = set(in_use)
    digests = {reference for _, reference in in_use if ":" in reference}
    for image in store.owner(OWNER).images:
        if any(fnmatchcase(image, pattern) for pattern in settings.package):
            versions = _known(store, image)
            names = {v.name for v in versions}
            used = {reference for where, reference in in_use if where == image}
            used |= digests if mentions(in_use, image) else set()
            kept = _kept(versions, settings, now, used)
            assert kept >= _stays_in_1_0(versions, settings, now, used)
            stay |= {(image, name) for name in kept}
            go |= {(image, name) for name in names - kept}
            shares.append((len(names - kept), len(names)))
    return Verdicts(frozenset(stay), frozenset(go), _is_refused(settings, shares))


def mentions(in_use: Iterable[Name], image: str) -> bool:
    """Whether files that refer to these name the image, or another one of the same last part."""
    return image.rpartition("/")[2] in {where.rpartition("/")[2] for where, _ in in_use}


def whole(store: Store, image: str) -> set[str]:
    """The names of an image under which everything can be pulled."""
    pusher = Pusher.into(store, OWNER)
    return {name for name in store.versions(image, OWNER) if not pusher.missing(image, name)}


def all_whole(store: Store) -> set[Name]:
    """The same for every image."""
    images = list(store.owner(OWNER).images)
    return {(image, name) for image in images for name in whole(store, image)}


def whole_digests(store: Store, names: Iterable[Name]) -> set[Name]:
    """What can be pulled whole by digest, of all that these versions hold."""
    pusher = Pusher.into(store, OWNER)
    held = {
        (image, file.blob.digest)
        for image, name in names
        for file in _manifests(store.version(OWNER, image, name))
    }
    return {(image, digest) for image, digest in held if not pusher.missing(image, digest)}


def _known(store: Store, image: str) -> list[_Known]:
    rows: list[Version] = list(store.owner(OWNER).images[image].versions.values())
    found = []
    for row in rows:
        newest, *older = sorted(_manifests(row), key=lambda file: file.id, reverse=True)
        children = _children(newest)
        needed = children.union(*map(_children, older))
        digests = frozenset(file.blob.digest for file in (newest, *older))
        pulls = newest.blob.digest
        found.append(_Known(row.name, row.created_at, row.id, digests, pulls, children, needed))
    return found


def _manifests(row: Version) -> list[File]:
    """One; on 1.25.0 those of earlier pushes too."""
    return [file for file in row.files if file.name == MANIFEST]


def _children(file: File) -> frozenset[str]:
    body = json.loads(file.blob.content)
    return frozenset(child["digest"] for child in body.get("manifests", ()))


def _kept(versions: list[_Known], settings: Settings, now: datetime, used: set[str]) -> set[str]:
    if not any(v.is_tag for v in versions):
        return {v.name for v in versions}
    apart = [v for v in versions if _is_apart(v, settings, used)]
    listed = {digest for v in apart if v.is_tag for digest in v.children}
    roots = {v.name for v in apart} | _young_others(versions, settings, now)
    for (latest, days), tags in _streams(versions, settings, apart):
        counted = [
            (place, tag)
            for place, tag in enumerate(tags)
            if not tag.digests & listed.union(*(newer.children for newer in tags[:place]))
        ]
        roots |= {
            tag.name
            for n, (_, tag) in enumerate(counted)
            if not any(
                _is_one_too_many([t for _, t in counted[:m]], older, latest, days, now)
                for m, (_, older) in enumerate(counted[: n + 1])
            )
        }
    return _with_all_needed(versions, roots)


def _is_one_too_many(
    newer: list[_Known], tag: _Known, latest: int, days: int, now: datetime
) -> bool:
    """Whether a tag begins a build that nothing keeps: all older tags go with it."""
    builds = {v.pulls for v in newer}
    is_old = now - tag.created > timedelta(days=days)
    return tag.pulls not in builds and len(builds) >= latest and is_old


def _stays_in_1_0(
    versions: list[_Known], settings: Settings, now: datetime, used: set[str]
) -> set[str]:
    """What version 1.0.0 keeps: it counts tags, whatever they hold."""
    if not any(v.is_tag for v in versions):
        return {v.name for v in versions}
    apart = [v for v in versions if _is_apart(v, settings, used)]
    roots = {v.name for v in apart} | _young_others(versions, settings, now)
    for (latest, days), tags in _streams(versions, settings, apart):
        roots |= {v.name for v in tags[:latest]}
        roots |= {v.name for v in tags if now - v.created <= timedelta(days=days)}
    return _with_all_needed(versions, roots)


def _young_others(versions: list[_Known], settings: Settings, now: datetime) -> set[str]:
    """Untagged versions and attachments that their age keeps."""
    young = timedelta(days=settings.keep_untagged_days)
    return {v.name for v in versions if not v.is_tag and now - v.created <= young}


def _streams(
    versions: list[_Known], settings: Settings, apart: list[_Known]
) -> list[tuple[tuple[int, int], list[_Known]]]:
    """The figures of each policy with the tags that it counts, newest first."""
    figures = [(p.keep_latest, p.keep_days) for p in settings.policies]
    streams: list[list[_Known]] = [[] for _ in range(len(figures) + 1)]
    for v in versions:
        if v.is_tag and v not in apart:
            streams[_stream(v.name, settings)].append(v)
    for tags in streams:
        tags.sort(key=lambda v: (v.created, v.number), reverse=True)
    default = (settings.keep_latest, settings.keep_days)
    return list(zip([*figures, default], streams, strict=True))


def _with_all_needed(versions: list[_Known], roots: set[str]) -> set[str]:
    """The roots and what they need; when no tag is among them, the newest with what it needs."""
    kept = _closure(versions, roots)
    if not any(v.is_tag and v.name in kept for v in versions):
        last = max((v for v in versions if v.is_tag), key=lambda v: (v.created, v.number))
        kept = _closure(versions, roots | {last.name})
    return kept


def _is_apart(v: _Known, settings: Settings, used: set[str]) -> bool:
    """Protected or in use."""
    if v.digests & used:
        return True
    is_protected = any(fnmatchcase(v.name, pattern) for pattern in settings.protect)
    return not v.is_untagged and (is_protected or v.name in used)


def _stream(tag: str, settings: Settings) -> int:
    """The place of the first policy that takes the tag; one past the last for the default."""
    for place, policy in enumerate(settings.policies):
        if any(fnmatchcase(tag, pattern) for pattern in policy.tags):
            return place
    return len(settings.policies)


def _closure(versions: list[_Known], roots: set[str]) -> set[str]:
    """The least set with the roots, the holders of its children, and its attachments."""
    kept = set(roots)
    while True:
        needed = {digest for v in versions if v.name in kept for digest in v.needed}
        there = {digest for v in versions if v.name in kept for digest in v.digests}
        more = {v.name for v in versions if v.digests & needed or v.subject in there}
        if more <= kept:
            return kept
        kept |= more


def _is_refused(settings: Settings, shares: list[tuple[int, int]]) -> bool:
    limit = settings.max_delete
    if limit is None:
        return False
    if limit.is_percentage:
        return any(going * 100 > limit.figure * count for going, count in shares)
    return sum(going for going, _ in shares) > limit.figure
