"""Looks up which tags are alive: those of a branch, an open pull request or a git tag there is.

The placeholders of the policies say which tags to ask for; without one, nothing is asked.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from registry_gc.errors import RegistryGcError, Stop
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.server import forge, parallel
from registry_gc.server.client import Client
from registry_gc.settings.parse import Policy
from registry_gc.settings.placeholders import Names, fits, kind_of
from registry_gc.sources.source import Images, LookedAt, counted

_NUMBERS = re.compile(r"v?([0-9]+(?:\.[0-9]+)+)")
_NOUNS = {
    "branch": ("branch", "branches"),
    "pull": ("open pull request", "open pull requests"),
    "tag": ("git tag", "git tags"),
}

Reasons = Mapping[str, str]
"""How a tag has a name -> why it is alive: `12` -> `pull request #12 is open`."""


class Unknown(RegistryGcError):
    """It cannot be told what of an image is alive: nothing of it may be deleted."""

    @classmethod
    def no_repository(cls, image: str) -> "Unknown":
        """None is named, linked or plainly the image's own."""
        return cls(
            f"A placeholder asks for the repository of {image}, and it is not known: link the "
            "image to it on the server, where the token's user sees it, or name it in the input "
            "repository."
        )

    @classmethod
    def no_git_tags(cls, repository: str) -> "Unknown":
        """A repository without any looks like the wrong one, or one that is not complete."""
        return cls(
            f"{repository} has no git tag at all: is it the repository of this image, and "
            "complete? If it is, take {tag} out of the policies."
        )


@dataclass(frozen=True, slots=True)
class Homes:
    """Where the repository of an image is told."""

    owner: str
    """Of the images; "" where each is named behind its own: `my-org/team/app`."""
    given: Mapping[str, str] = field(default_factory=dict)
    """By the input `repository`: image -> its repository, "" when none is named."""
    linked: Mapping[str, str] = field(default_factory=dict)
    """By the server: image -> the repository it is linked to, where the token's user sees it."""
    workflow: str = ""
    """The repository of the workflow that runs."""

    def repository_of(self, image: str) -> str:
        """`my-org/app`. Raises Unknown.

        The workflow's own only when it has the owner and a part of the name of the image: a
        clean-up may well run in a repository apart, where no branch is the image's.
        """
        if known := self.given.get(image) or self.linked.get(image):
            return known
        path = f"{self.owner}/{image}" if self.owner else image
        owner, *parts = path.lower().split("/")
        if self.workflow.lower() in (f"{owner}/{part}" for part in parts):
            return self.workflow
        raise Unknown.no_repository(image)


@dataclass(frozen=True, slots=True)
class Alive:
    """What the repositories say is alive."""

    tags: Mapping[str, Reasons] = field(default_factory=dict)
    """image -> tag -> why"""
    unknown: Mapping[str, RegistryGcError] = field(default_factory=dict)
    """image -> why it cannot be told: nothing of it may be deleted"""
    looked_at: tuple[LookedAt, ...] = ()
    """How much was read for that."""


def look(
    client: Client, policies: Mapping[str, Iterable[Policy]], images: Images, homes: Homes
) -> Alive:
    """Ask the repositories of the images for what the placeholders of their policies stand for.

    Only those of which an image has a tag that may be theirs. Raises Stop when the run is over.
    """
    unknown: dict[str, RegistryGcError] = {}
    asked: dict[str, tuple[str, list[str]]] = {}  # image -> its repository, the patterns it needs
    for image, names in images.items():
        patterns = [p for policy in policies[image] for p in policy.tags if kind_of(p)]
        needed = [p for p in patterns if any(is_plain_tag(n) and fits(n.lower(), p) for n in names)]
        try:
            if needed:
                asked[image] = homes.repository_of(image), needed
        except Unknown as error:
            unknown[image] = error
    todo: dict[str, set[str]] = {}
    for repository, needed in asked.values():
        todo.setdefault(repository, set()).update(map(kind_of, needed))
    workers = min(client.concurrency, len(todo))
    answers = dict(parallel.as_done(workers, lambda r: _ask(client, r, todo[r]), todo))
    if over := next((answer for answer in answers.values() if isinstance(answer, Stop)), None):
        raise over
    tags: dict[str, Reasons] = {}
    for image, (repository, needed) in asked.items():
        answer = answers[repository]
        if isinstance(answer, RegistryGcError):
            unknown[image] = answer
        else:
            tags[image] = _alive(images[image], needed, answer)
    return Alive(tags, unknown, tuple(_counted(answers.values())))


def as_tag(name: str) -> str:
    """A branch or git tag as docker/metadata-action makes an image tag of it, in lower case."""
    return re.sub(r"[^a-zA-Z0-9._-]+", "-", name).lower()


def forms(git_tag: str) -> set[str]:
    """The image tags that are alive with a git tag: with and without `v`, and of `1.2.3` also the
    moving `1.2` and `1`."""
    name = as_tag(git_tag)
    found = {name, name.removeprefix("v"), f"v{name}"}
    if numbers := _NUMBERS.fullmatch(name):
        parts = numbers[1].split(".")
        found |= {f"{v}{'.'.join(parts[:n])}" for n in range(1, len(parts)) for v in ("", "v")}
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    counts: Mapping[str, tuple[int, datetime]]  # by kind: how many, and when they were asked for
    reasons: Mapping[str, Reasons]


def _ask(client: Client, repository: str, kinds: Collection[str]) -> _Answer:
    """What of these kinds a repository has. Raises RegistryGcError when that cannot be told."""
    reasons: dict[str, Reasons] = {}
    counts: dict[str, tuple[int, datetime]] = {}
    if "pull" in kinds:
        pulls, at = forge.open_pulls(client, repository)
        counts["pull"] = len(pulls), at
        reasons["pull"] = {str(n): f"pull request #{n} is open" for n in pulls}
    if {"branch", "tag"} & set(kinds):
        refs, at = forge.refs(client, repository, "" if "tag" in kinds else "heads")
        branches, git_tags = _under("refs/heads/", refs), _under("refs/tags/", refs)
        if "branch" in kinds:
            counts["branch"] = len(branches), at
            reasons["branch"] = {as_tag(b): f"branch {b} exists" for b in branches}
        if "tag" in kinds:
            if not git_tags:
                raise Unknown.no_git_tags(repository)
            counts["tag"] = len(git_tags), at
            exact = {as_tag(t): f"git tag {t} exists" for t in git_tags}
            reasons["tag"] = {f: exact[as_tag(t)] for t in git_tags for f in forms(t)} | exact
    return _Answer(counts, reasons)


def _under(start: str, refs: Iterable[str]) -> list[str]:
    return [ref.removeprefix(start) for ref in refs if ref.startswith(start)]


def _alive(names: Iterable[str], patterns: Iterable[str], answer: _Answer) -> Reasons:
    tags = [name for name in names if is_plain_tag(name)]
    found: dict[str, str] = {}
    for pattern in patterns:
        reasons = answer.reasons[kind_of(pattern)]
        there = Names(pattern, reasons)
        for tag in tags:
            if (name := there.in_tag(tag.lower())) is not None:
                found.setdefault(tag.lower(), reasons[name])
    return found


def _counted(answers: Iterable[_Answer | RegistryGcError]) -> Iterator[LookedAt]:
    told = [answer.counts for answer in answers if isinstance(answer, _Answer)]
    for kind, (one, many) in _NOUNS.items():
        if of_kind := [counts[kind] for counts in told if kind in counts]:
            total = sum(count for count, _ in of_kind)
            yield counted(total, one, many, min(at for _, at in of_kind))
