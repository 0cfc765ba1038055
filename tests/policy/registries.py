"""Registries as plain data, and what is decided on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from registry_gc.policy.decide import Rules, decide
from registry_gc.registry.manifests import Child, Graph, Manifest
from registry_gc.registry.versions import Version
from registry_gc.settings.parse import Policy

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OLD = 400.0


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def attachment(number: int, kind: str = ".sig") -> str:
    return digest(number).replace(":", "-") + kind


@dataclass(frozen=True)
class Row:
    """A version that holds manifest number `holds`, an index when there are children."""

    name: str
    holds: int
    children: tuple[int, ...] = ()
    age: float = OLD  # days
    also: tuple[int, ...] = ()  # older manifests, as 1.25.0 leaves them
    older: tuple[int, ...] = ()  # the children of those


def untagged(holds: int, children: tuple[int, ...] = (), age: float = OLD) -> Row:
    return Row(digest(holds), holds, children, age)


def registry(rows: Sequence[Row]) -> tuple[list[Version], Graph]:
    """The rows with ids 1, 2, 3…, and their whole graph."""
    versions = [
        Version(place, "app", row.name, NOW - timedelta(days=row.age))
        for place, row in enumerate(rows, 1)
    ]
    graph = {
        place: Manifest(
            tuple(map(digest, (row.holds, *row.also))),
            tuple(Child(digest(n), "linux/amd64") for n in row.children),
            ((digest(row.holds), 1),),
            tuple(Child(digest(n), "linux/amd64") for n in row.older),
        )
        for place, row in enumerate(rows, 1)
    }
    return versions, graph


def rules(
    latest: int = 0, days: int = 0, untagged_days: int = 0, *, protect: str = "", **streams: Policy
) -> Rules:
    named = tuple(streams.values())
    policies = (*named, Policy((), latest, days))
    return Rules(tuple(protect.split()), policies, untagged_days, owner="acme", elsewhere={})


def verdicts(rows: Sequence[Row], rules: Rules) -> tuple[dict[str, str], dict[str, str]]:
    """Reasons by name: (kept, doomed)."""
    versions, graph = registry(rows)
    decision = decide(versions, graph, rules, NOW)
    names = {v.id: v.name for v in versions}
    return (
        {names[i]: reason for i, reason in decision.kept.items()},
        {names[i]: reason for i, reason in decision.doomed.items()},
    )


def kept(rows: Sequence[Row], rules: Rules) -> dict[str, str]:
    return verdicts(rows, rules)[0]


def tags(*names: str, age: float = OLD) -> list[Row]:
    """Plain images, the first the newest, a day between two."""
    return [Row(name, place + 1, age=age + place) for place, name in enumerate(names)]


@st.composite
def registries(draw: st.DrawFn) -> list[Row]:
    """Images 1 to 6, and 11 to 14 that are indexes of some, under any names and of any age."""
    ages = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0])
    images = {n: () for n in range(1, 7)}
    parts = st.lists(st.sampled_from([*range(1, 7), 77]), min_size=1, max_size=3, unique=True)
    manifests: dict[int, tuple[int, ...]] = {
        **images,
        **{n: tuple(draw(parts)) for n in range(11, 15)},
    }
    subjects = st.sampled_from([attachment(n, k) for n in (1, 2, 11, 12, 99) for k in ("", ".sig")])
    names = st.sampled_from(["latest", "v1", "v2", "v3", "b1", "b2", "b3"]) | subjects
    tagged = draw(st.dictionaries(names, st.sampled_from(list(manifests)), max_size=9))
    bare = draw(st.sets(st.sampled_from(list(manifests)), max_size=8))
    rows = [Row(name, n, manifests[n], draw(ages)) for name, n in tagged.items()]
    rows += [untagged(n, manifests[n], draw(ages)) for n in sorted(bare)]
    return draw(st.permutations(rows))
