"""What must stay and what must go: the rules of DESIGN.md, told again over names and digests.

Nothing here comes from registry_gc.policy, and it knows what no client can: the whole store.
`_stays_in_1_0` are the rules of version 1.0.0, which counted tags: no later rule may keep less.
"""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from registry_gc.settings.inputs import Settings
from registry_gc.settings.parse import Policy
from tests.sandbox import Pusher, Store
from tests.sandbox.rows import MANIFEST, File, Version

Name = tuple[str, str]  # image and version
OWNER = "acme"
# The tags of the worlds as versions, without any parsing; what is not here is none.
RANKS = {"v1-amd64": 1.0, "v1-arm64": 1.0, "v1": 1.0, "pr-1": 1.0, "corpus-1": 1.0}
RANKS |= {"v1.1-rc.1": 1.1, "v1.1": 1.2, "v2": 2.0, "pr-2": 2.0, "v3": 3.0}
MAJORS = {"v1": 1, "v1.1": 1, "v1.1-rc.1": "1rc", "v1-amd64": "1amd64", "v1-arm64": "1arm64"}
MAJORS |= {"v2": 2, "v3": 3, "pr-1": "pr1", "pr-2": "pr2", "corpus-1": "corpus1"}
MINORS = {"v1.1": 1.1, "v1.1-rc.1": "1.1rc"}


@dataclass(frozen=True)
class Verdicts:
    """Every version of the selected images, in one of two sets."""

    stay: frozenset[Name]
    go: frozenset[Name]
    borrowed: frozenset[Name]  # of those that stay: by nothing but a version of another image
    later: frozenset[Name]  # of those that stay: what goes when a part of an index that went counts
    is_refused: bool  # by max-delete: then nothing goes at all

    @property
    def fleeting(self) -> frozenset[Name]:
        """Of what stays what a later run may delete."""
        return self.borrowed | self.later

    @property
    def remains(self) -> frozenset[Name]:
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
    borrowed: set[Name] = set()
    later: set[Name] = set()
    shares = []
    in_use = set(in_use)
    digests = {reference for _, reference in in_use if ":" in reference}
    for image in store.owner(OWNER).images:
        if any(fnmatchcase(image, pattern) for pattern in settings.package):
            versions, own = _known(store, image), _of_image(settings, image)
            names = {v.name for v in versions}
            used = {reference for where, reference in in_use if where == image}
            used |= digests if mentions(in_use, image) else set()
            kept = _kept(versions, own, now, used, _held_elsewhere(store, image))
            assert kept >= _stays_in_1_0(versions, own, now, used)
            stay |= {(image, name) for name in kept}
            borrowed |= {(image, n) for n in kept - _kept(versions, own, now, used, set())}
            later |= {(image, n) for n in kept - _kept_again(versions, kept, own, now, used)}
            go |= {(image, name) for name in names - kept}
            shares.append((len(names - kept), len(names)))
    is_refused = _is_refused(settings, shares)
    more = (frozenset(borrowed), frozenset(later))
    return Verdicts(frozenset(stay), frozenset(go), *more, is_refused)


def _kept_again(
    versions: list[_Known], kept: set[str], settings: Settings, now: datetime, used: set[str]
) -> set[str]:
    """What stays of it once the rest is gone: all, unless a tag was a part of an index that went.

    One that an older index keeps counts by itself from then on, and may take another's place.
    """
    gone = set().union(*(v.children for v in versions if v.is_tag and v.name not in kept))
    there = [v for v in versions if v.name in kept]
    if not any(v.is_tag and v.digests & gone for v in there):
        return kept
    attached = {v.subject for v in there if v.subject}
    return kept & _kept(there, settings, now, used, attached)


def _of_image(settings: Settings, image: str) -> Settings:
    """What a policy file says of it, where it says something."""
    for entry in settings.images:
        if any(fnmatchcase(image, pattern) for pattern in entry.match):
            return entry.settings
    return settings


def oldest(store: Store, go: Iterable[Name], most: int) -> set[Name]:
    """What of this goes when only the oldest builds may, and so many of them."""
    goes, found = set(go), []
    for image in {image for image, _ in goes}:
        versions = _known(store, image)
        going = [v for v in versions if (image, v.name) in goes]
        found += [(age, image, names) for age, names in _builds(versions, going)]
    for _, image, names in sorted(found, key=lambda build: build[0])[most:]:
        goes -= {(image, name) for name in _closure(_known(store, image), names)}
    return goes


Age = tuple[tuple[datetime, int], tuple[datetime, int]]


def _builds(versions: list[_Known], going: list[_Known]) -> list[tuple[Age, set[str]]]:
    """What goes as one, by the names that lead to all of it, with its age: that of its newest tag.

    Names of what stays go one by one, and what no tag leads to is a build like any other.
    """
    stays = {v.pulls for v in versions if v.is_tag and v not in going}
    leads = {v.name: _closure(versions, {v.name}) for v in going}
    found: dict[frozenset[str], Age] = {}
    for v in going:
        if any(v.name in leads[w.name] and w.name not in leads[v.name] for w in going):
            continue  # it goes with something
        alike = {w.name for w in going if v.is_tag and w.is_tag and w.pulls == v.pulls}
        names = {v.name} if v.pulls in stays else {v.name, *alike}
        names |= {w.name for w in going if v.name in leads[w.name]}
        held = set().union(*(leads[name] for name in names))
        made = [w for w in going if w.name in held]
        dated = [w for w in made if w.is_tag] or [w for w in made if w.name in names]
        own = [w for w in going if w.name in names]
        newest = [max((w.created, w.number) for w in among) for among in (dated, own)]
        found[frozenset(names)] = (newest[0], newest[1])
    return [(age, set(names)) for names, age in found.items()]


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


def names_of(store: Store, builds: Collection[Name]) -> set[Name]:
    """Every tag that pulls the same as one of these in its image."""
    found: set[Name] = set()
    for image in {image for image, _ in builds}:
        versions = _known(store, image)
        pulled = {v.pulls for v in versions if v.is_tag and (image, v.name) in builds}
        found |= {(image, v.name) for v in versions if v.is_tag and v.pulls in pulled}
    return found


def parts_of(store: Store, builds: Collection[Name]) -> set[Name]:
    """Every tag that is listed by one of these in its image."""
    found: set[Name] = set()
    for image in {image for image, _ in builds}:
        versions = _known(store, image)
        needed = set().union(*(v.needed for v in versions if (image, v.name) in builds))
        found |= {(image, v.name) for v in versions if v.is_tag and v.digests & needed}
    return found


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


def _held_elsewhere(store: Store, image: str) -> set[str]:
    """The digests of everything in all other images."""
    others = [other for other in store.owner(OWNER).images if other != image]
    return {digest for other in others for v in _known(store, other) for digest in v.digests}


def _kept(
    versions: list[_Known],
    settings: Settings,
    now: datetime,
    used: set[str],
    elsewhere: set[str],
) -> set[str]:
    if not any(v.is_tag for v in versions):
        return {v.name for v in versions}
    apart = [v for v in versions if _is_apart(v, settings, used)]
    listed = {digest for v in apart if v.is_tag for digest in v.children}
    roots = {v.name for v in apart} | _young_others(versions, settings, now)
    foreign = elsewhere.difference(*(v.digests for v in versions))
    roots |= {v.name for v in versions if v.subject in foreign}
    for policy, tags in _streams(versions, settings, apart):
        counted = [
            tag
            for place, tag in enumerate(tags)
            if not tag.digests & listed.union(*(newer.children for newer in tags[:place]))
        ]
        for group in {_group(tag.name, policy) for tag in counted}:
            members = [tag for tag in counted if _group(tag.name, policy) == group]
            roots |= _kept_in_group(members, policy, now)
    return _with_all_needed(versions, roots)


def _kept_in_group(tags: list[_Known], policy: Policy, now: datetime) -> set[str]:
    """The names that a policy keeps of the tags of a group, which come newest first."""
    by_rank = sorted(tags, key=lambda tag: -RANKS.get(tag.name, -1) if policy.by_version else 0)
    builds = list(dict.fromkeys(tag.pulls for tag in by_rank))
    dated = {d: max((t.created, t.number) for t in tags if t.pulls == d) for d in builds}
    past = {d: moment for d, moment in dated.items() if moment[0] <= now}
    stays = set(builds[: policy.keep_latest])
    stays |= {d for d in builds if now - dated[d][0] <= timedelta(days=policy.keep_days)}
    stays |= _newest_of_periods(past, "%Y-%m-%d", policy.keep_daily)
    stays |= _newest_of_periods(past, "%G-%V", policy.keep_weekly)
    stays |= _newest_of_periods(past, "%Y-%m", policy.keep_monthly)
    stays |= _newest_of_periods(past, "%Y", policy.keep_yearly)
    if not policy.by_version and not policy.group_by:
        # After the last build that stays comes one that goes, and all older tags go with it.
        last = max((n for n, d in enumerate(builds) if d in stays), default=-1)
        ends = [n for n, tag in enumerate(tags) if tag.pulls in builds[last + 1 : last + 2]]
        tags = tags[: min(ends, default=len(tags))]
    return {tag.name for tag in tags if tag.pulls in stays}


def _newest_of_periods(dated: dict[str, tuple[datetime, int]], form: str, most: int) -> set[str]:
    """The newest build of each of the last periods; the oldest of all while there are fewer."""
    newest: dict[str, str] = {}
    for digest in sorted(dated, key=lambda d: dated[d]):
        newest[dated[digest][0].strftime(form)] = digest
    last = sorted(newest)[max(0, len(newest) - most) :] if most else []
    oldest = {min(dated, key=lambda d: dated[d])} if len(newest) < most and dated else set()
    return {newest[period] for period in last} | oldest


def _stays_in_1_0(
    versions: list[_Known], settings: Settings, now: datetime, used: set[str]
) -> set[str]:
    """What version 1.0.0 keeps, but for the last tag: it counts tags, whatever they hold."""
    if not any(v.is_tag for v in versions):
        return {v.name for v in versions}
    apart = [v for v in versions if _is_apart(v, settings, used)]
    roots = {v.name for v in apart} | _young_others(versions, settings, now)
    for policy, tags in _streams(versions, settings, apart):
        latest = 0 if policy.by_version else policy.keep_latest  # it was asked to keep others
        roots |= {v.name for v in tags[:latest]}
        roots |= {v.name for v in tags if now - v.created <= timedelta(days=policy.keep_days)}
    return _closure(versions, roots)


def _young_others(versions: list[_Known], settings: Settings, now: datetime) -> set[str]:
    """Untagged versions and attachments that their age keeps."""
    young = timedelta(days=settings.keep_untagged_days)
    return {v.name for v in versions if not v.is_tag and now - v.created <= young}


def _streams(
    versions: list[_Known], settings: Settings, apart: list[_Known]
) -> list[tuple[Policy, list[_Known]]]:
    """Each policy with the tags that it counts, newest first."""
    streams: list[list[_Known]] = [[] for _ in range(len(settings.policies) + 1)]
    for v in versions:
        if v.is_tag and v not in apart:
            streams[_stream(v.name, settings)].append(v)
    for tags in streams:
        tags.sort(key=lambda v: (v.created, v.number), reverse=True)
    return list(zip([*settings.policies, settings.default_policy], streams, strict=True))


def _group(tag: str, policy: Policy) -> object:
    """What tells the group of a tag from all others."""
    if not policy.group_by:
        return None
    if policy.group_by == "major":
        return MAJORS.get(tag)
    if policy.group_by == "minor":
        return MINORS.get(tag, MAJORS.get(tag))
    found = re.search(policy.group_by, tag)
    return found and found[1]


def _with_all_needed(versions: list[_Known], roots: set[str]) -> set[str]:
    """The roots and what they need; when no tag is among them, the newest with what it needs."""
    kept = _closure(versions, roots)
    if not any(v.is_tag and v.name in kept for v in versions):
        last = max((v for v in versions if v.is_tag), key=lambda v: (v.created, v.number))
        kept = _closure(versions, roots | {last.name})
    return kept


ALIVE = {"{branch}": {"main", "v3"}, "v{tag}": {"v2"}, "pr-{pull}*": {"pr-1"}}
"""The tags that are alive under a pattern, in the repository that a world has."""
TAKES = {"{branch}": "*", "v{tag}": "v?*", "pr-{pull}*": "pr-[0-9]*"}


def _is_apart(v: _Known, settings: Settings, used: set[str]) -> bool:
    """Protected, in use or alive."""
    patterns = [pattern for policy in settings.policies for pattern in policy.tags]
    if v.digests & used or any(v.name in ALIVE.get(pattern, ()) for pattern in patterns):
        return True
    is_protected = any(fnmatchcase(v.name, pattern) for pattern in settings.protect)
    return not v.is_untagged and (is_protected or v.name in used)


def _stream(tag: str, settings: Settings) -> int:
    """The place of the first policy that takes the tag; one past the last for the default."""
    for place, policy in enumerate(settings.policies):
        if any(fnmatchcase(tag, TAKES.get(pattern, pattern)) for pattern in policy.tags):
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
