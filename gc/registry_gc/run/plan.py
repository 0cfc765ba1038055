"""What is known and decided of one image, handed from step to step."""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from registry_gc.errors import Stop
from registry_gc.policy.decide import Reasons, Rules
from registry_gc.registry.manifests import Child, Graph, digests_of
from registry_gc.registry.versions import Version
from registry_gc.report.report import Problem


@dataclass(frozen=True, slots=True)
class Plan:
    """One image; each step gives back a plan that knows more."""

    image: str
    """Its name."""
    query: str
    """Of the listing it was found in."""
    since: datetime
    """By the server's clock: what of it is not known was pushed then or later."""
    known: frozenset[int]
    """The ids of all rows that were ever listed for its name, those of its neighbours too."""
    there: frozenset[int]
    """Those of them that should be there now."""
    rules: Rules
    """What the decision goes by."""
    now: datetime
    """The moment from which it counts ages."""
    versions: tuple[Version, ...] = ()
    """All of the image, those that were deleted too."""
    graph: Graph = field(default_factory=dict)
    """What was read of them."""
    kept: Reasons = field(default_factory=dict)
    """Why each version that stays does."""
    subjects: frozenset[str] = frozenset()
    """Digests that the decision must still know about: is one of them in another image?"""
    until: Mapping[int, datetime] = field(default_factory=dict)
    """When what only its age keeps goes."""
    doomed: Reasons = field(default_factory=dict)
    """Why each of the others goes."""
    waiting: frozenset[int] = frozenset()
    """The ids of what is due and stays for the next run alone."""
    trash: Mapping[int, str] = field(default_factory=dict)
    """The names in the trash of the tags that go there first."""
    looked: float = -math.inf
    """When the last look for new pushes was asked for, by the reader's clock in seconds."""
    deleted: frozenset[int] = frozenset()
    """The ids of those that went."""
    failed: Mapping[int, str] = field(default_factory=dict)
    """Why the deletion of a doomed version did not come about."""
    spared: frozenset[int] = frozenset()
    """Kept for no other reason than that a deletion failed."""
    broken_before: frozenset[tuple[str, Child]] = frozenset()
    """Names of versions with the children that they lacked before the run."""
    problems: tuple[Problem, ...] = ()
    """What people must read about this image."""
    stopped_by: Stop | None = None
    """What ended the deletions while this image was swept."""
    prefix: str = ""
    """What people read before its name: `my-org/`, or "" when the run has one owner."""

    @property
    def title(self) -> str:
        """Its name as people know it."""
        return self.prefix + self.image

    def with_problems(self, *problems: Problem) -> "Plan":
        """The plan with more to report."""
        return replace(self, problems=(*self.problems, *problems))


def missing(
    versions: tuple[Version, ...], graph: Graph, ids: Container[int]
) -> list[tuple[Version, Child]]:
    """The children that the indexes among these name and no version holds, with their parents."""
    present = {digest for v in versions for digest in digests_of(v, graph)}
    return [
        (v, child)
        for v in versions
        if v.id in ids and v.id in graph
        for child in graph[v.id].refers_to
        if child.digest not in present
    ]
