"""Twice as many versions are twice the work: counted, not timed."""

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
import requests_mock as rm

from registry_gc.policy.decide import Rules
from registry_gc.registry.listing import Listing
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.versions import Version
from registry_gc.report.report import State
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.reporting import report
from registry_gc.run.sweep import sweep_image
from registry_gc.run.verify import verify_image
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.harness import settings
from tests.sandbox import Box, Store
from tests.sandbox.faults import Faults

NOW = datetime(2026, 6, 1, tzinfo=UTC)
URL = "https://git.example"
FEW = 150  # indexes of two parts each


class Counted(dict[int, Manifest]):
    """A graph that counts how often it is asked."""

    def __init__(self, content: Mapping[int, Manifest]) -> None:
        super().__init__(content)
        self.asked = 0

    def get(self, key: int, default: Any = None) -> Any:
        self.asked += 1
        return super().get(key, default)

    def __getitem__(self, key: int) -> Manifest:
        self.asked += 1
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked += 1
        return super().__contains__(key)

    def items(self) -> Any:
        self.asked += len(self)
        return super().items()


class Gone(frozenset[int]):
    """Ids that count how many of them were gone through."""

    gone_through = 0

    def __iter__(self) -> Iterator[int]:
        Gone.gone_through += len(self)
        return super().__iter__()

    def __or__(self, other: Set[Any]) -> "Gone":
        return Gone(self.union(other))

    def __sub__(self, other: Set[Any]) -> "Gone":
        return Gone(self.difference(other))


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def plan_of(count: int, image: str = "app", start: int = 0) -> Plan:
    """So many indexes of two parts: every other one goes."""
    versions: list[Version] = []
    graph: dict[int, Manifest] = {}
    kept: dict[int, str] = {}
    doomed: dict[int, str] = {}
    for n in range(start + 1, start + 3 * count, 3):
        names = (f"v{n}", digest(n + 1), digest(n + 2))
        versions += [Version(n + k, image, name, NOW) for k, name in enumerate(names)]
        children = tuple(Child(digest(n + k), "linux/amd64") for k in (1, 2))
        graph[n] = Manifest((digest(n),), children, ())
        graph |= {n + k: Manifest((digest(n + k),), (), ()) for k in (1, 2)}
        (kept if n % 2 else doomed).update(dict.fromkeys((n, n + 1, n + 2), "why"))
    ids = frozenset(v.id for v in versions)
    return Plan(
        image=image,
        query=image,
        since=NOW,
        known=ids,
        there=ids,
        rules=Rules((), (), 0),
        now=NOW,
        versions=tuple(versions),
        graph=Counted(graph),
        kept=kept,
        doomed=doomed,
    )


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


@pytest.fixture
def reader() -> Reader:
    client = Client(Transport(1, Event(), lambda seconds: None), URL, "acme", "token", 1)
    return Reader(client, progress, measure_space=True)


def questions_of_a_sweep(reader: Reader, count: int) -> int:
    """How often the graph is asked when one deletion fails, the fourth."""
    plan = plan_of(count)
    there = len(plan.there)

    def page(request: Any, context: Any) -> list[Any]:
        context.headers["X-Total-Count"] = str(there)
        return []

    def delete(request: Any, context: Any) -> None:
        nonlocal there
        context.status_code = 400 if request.path.endswith("/v10") else 204
        there -= context.status_code == 204

    with rm.Mocker() as web:
        web.get(rm.ANY, json=page)
        web.delete(rm.ANY, json=delete)
        swept = sweep_image(reader, plan, Event())
    assert (len(swept.deleted), len(swept.failed), swept.problems) == (3 * count // 2 - 3, 1, ())
    assert isinstance(plan.graph, Counted)
    return plan.graph.asked


def test_a_deletion_that_fails_is_considered_once(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry_gc.run.stretch.BATCH", 20)
    few, many = (questions_of_a_sweep(reader, count) for count in (FEW, 2 * FEW))
    assert many < 2.2 * few


def work_of_a_verification(reader: Reader, count: int) -> int:
    """How many ids of what was deleted are gone through."""
    plan = plan_of(count)
    plan = replace(plan, deleted=Gone(plan.doomed))
    there = tuple(v for v in plan.versions if v.id in plan.kept)
    rows = {"app": frozenset(v.id for v in there)}
    Gone.gone_through = 0
    verified = verify_image(reader, plan, Listing("app", there, rows, {}, NOW, len(there)))
    assert (verified.problems, len(verified.deleted)) == ((), len(plan.doomed))
    return Gone.gone_through


def test_what_stays_is_held_against_what_went_in_one_go(reader: Reader) -> None:
    few, many = (work_of_a_verification(reader, count) for count in (FEW, 2 * FEW))
    assert many < 2.2 * few


def questions_of_a_report(count: int) -> int:
    """How often the graphs of so many images are asked, or gone through."""
    plans = [plan_of(4, f"app-{n}", 12 * n) for n in range(count)]
    chosen = settings(Box("http://git.test", Store(), Faults()), dry_run=True)
    made = report(chosen, NOW, plans, ())
    assert made.count(State.DOOMED) == 6 * count
    return sum(plan.graph.asked for plan in plans if isinstance(plan.graph, Counted))


def test_the_space_of_images_that_share_blobs_is_told_in_one_go() -> None:
    few, many = (questions_of_a_report(count) for count in (20, 40))
    assert many < 2.2 * few
