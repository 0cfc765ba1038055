"""Any registry, any settings, any faults: what the properties are tried on."""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from registry_gc.settings.parse import Limit, Policy
from tests.harness import NOW, Name, addressed
from tests.sandbox import (
    Answer,
    Box,
    CutBody,
    Drop,
    Fault,
    HalfJson,
    Hold,
    LoseAnswer,
    Plan,
    Refused,
    Request,
)
from tests.sandbox.push import IMAGE, INDEX

IMAGES = ("app", "app-x", "sub/app")
TAGS = (
    *("v1", "v2", "v3", "v1-amd64", "v1-arm64", "pr-1", "main", "latest", "pr-2", "corpus-1"),
    *("v1.1", "v1.1-rc.1"),
)
PLATFORMS = (("amd64",), ("amd64", "arm64"), ("arm64", "amd64", "arm"))
AGES = (400.0, 181.0, 180.0, 90.0, 400.0, 30.0, 181.0, 7.1, 7.0, 90.0, 1.0, 0.5, 0.0, -0.1)  # days


@dataclass(frozen=True)
class Step:
    """Something that someone does to a registry; `picks` choose among what is there."""

    kind: str
    image: str
    tag: str | None
    age: float
    seed: int
    picks: tuple[int, ...]

    def __call__(self, box: Box) -> set[str]:
        """Does it, and says which versions it pushed; what the registry refuses does nothing."""
        before = box.store.versions(self.image, box.owner)
        box.store.now = NOW - timedelta(days=self.age)
        try:
            self._do(box, sorted(before))
        except Refused:
            pass
        finally:
            box.store.now = NOW
        after = box.store.versions(self.image, box.owner)
        return {name for name in after if after[name] != before.get(name)}

    def _do(self, box: Box, there: list[str]) -> None:
        push, image, tag, seed = box.push, self.image, self.tag, self.seed
        if self.kind == "image":
            push.image(image, tag, seed)
        elif self.kind == "multiarch" or not there:
            push.multiarch(image, tag, seed, PLATFORMS[seed % len(PLATFORMS)])
        elif self.kind == "index":
            manifests = {there[pick % len(there)] for pick in self.picks}
            images = sorted(name for name in manifests if not _children(box, image, name))
            if tag and seed == 0:  # no server looks whether what an index calls images are some
                push.manifest_create(image, tag, sorted(manifests), called=IMAGE)
            elif images and tag:
                push.manifest_create(image, tag, images)
        elif self.kind == "sign":
            push.signature(image, self._digest(box, there), (".sig", ".att", ".sbom")[seed % 3])
            self._sign_elsewhere(box, there)
        elif self.kind == "referrers":
            push.referrers(image, self._digest(box, there), 1 + seed % 2)
        elif self.kind in ("retag", "again") and (
            raw := push.registry.manifest(image, self._picked(there))
        ):  # 1.25.0 may know a digest that nothing can be pulled by any more
            name = self._picked(there) if self.kind == "again" or not tag else tag
            push.registry.put_manifest(image, name, raw, json.loads(raw)["mediaType"])
        elif self.kind == "forget":
            box.store.delete_version(box.owner, image, self._picked(there))

    def _sign_elsewhere(self, box: Box, there: list[str]) -> None:
        """As cosign with COSIGN_REPOSITORY: the signature lies in another image."""
        others = [name for name in IMAGES if name != self.image]
        if self.picks[1] % 2:
            box.push.signature(others[self.seed % 2], self._digest(box, there))

    def _picked(self, there: list[str]) -> str:
        return there[self.picks[0] % len(there)]

    def _digest(self, box: Box, there: list[str]) -> str:
        return box.store.manifest(box.owner, self.image, self._picked(there)).blob.digest


def _children(box: Box, image: str, name: str) -> set[str]:
    """The digests an index lists; nothing for an image."""
    file = box.store.manifest(box.owner, image, name)
    body = json.loads(file.blob.content)
    return {c["digest"] for c in body["manifests"]} if file.media_type == INDEX else set()


def untagged_parts(box: Box, image: str, name: str) -> bool:
    """Whether all that a version lists is there as untagged versions."""
    return _children(box, image, name) <= set(box.store.versions(image, box.owner))


BUILD = ("multiarch", "image", "multiarch", "index", "sign", "index", "retag", "referrers")


def steps(kinds: tuple[str, ...], ages: tuple[float, ...] = AGES) -> SearchStrategy[Step]:
    return st.builds(
        Step,
        st.sampled_from(kinds),
        st.sampled_from(("app",) * 6 + IMAGES),
        st.sampled_from((*TAGS[:5], *TAGS, None)),
        st.sampled_from(ages),
        st.integers(0, 5),
        st.tuples(*[st.integers(0, 11)] * 3),
    )


@dataclass(frozen=True)
class World:
    """A registry before the run."""

    profile: str
    max_items: int
    built: tuple[Step, ...]

    def build(self, box: Box) -> None:
        """The registry, and the repository whose branches and pull requests oracle.ALIVE knows."""
        app = box.store.forge.add(box.store.owner("acme"), "app", {"README.md": "hello"})
        app.branches["v3"], app.tags, app.pulls = {}, {"v2"}, {1: "open", 2: "closed"}
        for step in self.built:
            step(box)
        box.store.max_items = self.max_items
        box.faults.log.clear()


def worlds(profiles: tuple[str, ...]) -> SearchStrategy[World]:
    built = st.lists(steps((*BUILD, "again", "forget")), min_size=5, max_size=16).map(tuple)
    return st.builds(World, st.sampled_from(profiles), st.sampled_from((5, 3, 50)), built)


DAYS = st.sampled_from((0, 1, 0, 7, 30, 180))
PATTERNS = st.sampled_from(
    ("v*", "pr-*", "main", "pr-{pull}*", "v[12]", "*-amd64", "{branch}", "sha256-*", "v{tag}", "*")
)
COUNTS = st.sampled_from((0, 0, 0, 1, 2))
POLICIES = st.builds(
    Policy,
    st.lists(PATTERNS, min_size=1, max_size=2).map(tuple),
    st.integers(0, 3),
    DAYS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    st.sampled_from(("", "", "minor", "major", "^([a-z]+)-?")),
    st.booleans(),
)
LIMITS = st.builds(Limit, st.sampled_from((60, 1, 3, 10, 30, 90, 100)), st.booleans())
# A field at its most deleting comes first: that is where examples shrink to.
RULES: dict[str, SearchStrategy[Any]] = {
    "keep_days": DAYS,
    "keep_latest": st.sampled_from((0, 1, 2, 1, 4)),
    "keep_daily": COUNTS,
    "keep_monthly": COUNTS,
    "protect": st.sampled_from(
        (("latest", "corpus-*"), ("latest",), ("v1",), ("sha256-*",), ("none",))
    ),
    "policies": st.lists(POLICIES, max_size=2).map(tuple),
    "keep_untagged_days": DAYS,
}
# What a policy file says of some images, the first entry that fits; what it leaves out is general.
ENTRIES = st.tuples(
    st.sampled_from((("app",), ("sub/*",), ("app*", "none"), ("*app",), ("*",))),
    st.fixed_dictionaries({}, optional={**RULES, "keep_weekly": COUNTS, "keep_yearly": COUNTS}),
)
CHOICES: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "package": st.sampled_from((("app",), ("*",), ("app", "app-x"), ("app*", "sub/*"))),
        **RULES,
        "images": st.lists(ENTRIES, max_size=3).map(tuple),
        "repository": st.just("acme/app"),
        "max_delete": st.one_of(st.none(), st.none(), st.none(), LIMITS),
        "measure_space": st.booleans(),
        "concurrency": st.integers(1, 4),
    }
)
IN_USE = st.lists(st.tuples(st.sampled_from(IMAGES), st.integers(0, 11)), max_size=2)


def in_use(box: Box, picks: list[tuple[str, int]]) -> set[Name]:
    """References to versions, by tag or digest."""
    found = set()
    for image, pick in picks:
        there = sorted(box.store.versions(image, box.owner))
        if there:
            found.add((image, there[pick % len(there)]))
    return found


class Slow(threading.Event):
    """A gate that opens by itself after an instant: others overtake."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(0.001)


HTML: Fault = Answer(200, "<html>Please log in</html>", {"Content-Type": "text/html"})
FAILING: tuple[Fault, ...] = (LoseAnswer(), Answer(500), HTML, Drop(), Answer(400, "what?"))
PASSING: SearchStrategy[Fault] = st.one_of(
    st.sampled_from(
        (Drop(), LoseAnswer(), CutBody(), Answer(503, "", {"Retry-After": "7"}), Answer(429))
    ),
    st.builds(Hold, st.builds(Slow)),
)
# Not 404: to a deletion it means that the version is gone, and a server is not taken for a liar.
ENDING: SearchStrategy[Fault] = st.sampled_from(
    (
        *FAILING,
        Answer(401, '{"message": "no"}'),
        Answer(403),
        Answer(200, '{"message": 1}'),
        Answer(307, "", {"Location": "/elsewhere"}),
        HalfJson(),
    )
)


@dataclass(frozen=True)
class Trouble:
    """Which requests fail: some once, one for good, some deletions always, all from some on."""

    once: Mapping[int, Fault]
    ends_at: int  # 0: never
    ending: Fault
    stuck: tuple[tuple[int, Fault], ...]  # choose among the versions that are to go
    dead_from: int  # 0: never

    def plan(self, doomed: Iterable[Name]) -> Plan:
        """The plan for a run that is to delete these."""
        names = sorted(doomed)
        stuck = {names[pick % len(names)]: fault for pick, fault in self.stuck if names}

        def plan(request: Request) -> Fault | None:
            if 0 < self.dead_from <= request.number:
                return Drop()
            if request.number == self.ends_at:
                return self.ending
            if request.method == "DELETE" and (name := addressed(request.path)) in stuck:
                return stuck[name]
            return self.once.get(request.number)

        return plan


def rarely(strategy: SearchStrategy[int]) -> SearchStrategy[int]:
    """A number in one of four cases, else 0."""
    return st.one_of(st.just(0), st.just(0), st.just(0), strategy)


def troubles() -> SearchStrategy[Trouble]:
    # Names sort digests first, so that a pick from the end is a tag.
    stuck = st.tuples(
        st.sampled_from((-1, -2, -3, 0, 1)),
        st.sampled_from(FAILING) | st.sampled_from(FAILING) | ENDING,
    )
    return st.builds(
        Trouble,
        st.dictionaries(st.integers(1, 80), PASSING, max_size=4),
        rarely(st.integers(1, 80)),
        ENDING,
        st.lists(stuck, min_size=1, max_size=2).map(tuple),
        rarely(st.integers(1, 80)),
    )


Moment = tuple[str, int]  # "" and the number of a request, or a method and which of its kind


def moments() -> SearchStrategy[Moment]:
    """Before any request, one that begins a listing or a look, or a deletion."""
    return st.one_of(
        st.tuples(st.just("page=1&"), st.integers(2, 4)),
        st.tuples(st.just("DELETE"), st.integers(1, 8)),
        st.tuples(st.just(""), st.integers(1, 60)),
    )


def pushes(kinds: tuple[str, ...]) -> SearchStrategy[dict[Moment, Step]]:
    return st.dictionaries(moments(), steps(kinds, (0.0,)), max_size=4)
