"""Several at once, and none lost."""

import itertools
from collections.abc import Iterator
from threading import Barrier, Event, Lock, Thread

import pytest

from registry_gc.errors import Denied, RegistryGcError
from registry_gc.server.parallel import as_done, in_order


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_every_item_is_done_once_and_results_stand_in_order(workers: int, count: int) -> None:
    assert in_order(workers, lambda n: n * n, range(count)) == [n * n for n in range(count)]
    done = as_done(workers, lambda n: n * n, range(count))
    assert sorted(done) == [(n, n * n) for n in range(count)]


def test_results_stand_in_order_though_the_first_is_done_last() -> None:
    last_is_done = Event()

    def work(item: int) -> int:
        if item == 0:
            assert last_is_done.wait(10)
        if item == 3:
            last_is_done.set()
        return item

    assert in_order(2, work, range(4)) == [0, 1, 2, 3]
    last_is_done.clear()
    assert [item for item, _ in as_done(2, work, range(4))] == [1, 2, 3, 0]


def test_as_many_as_there_are_workers_go_at_once_and_no_more() -> None:
    together, lock = Barrier(3, timeout=10), Lock()
    most = active = 0

    def work(_: int) -> None:
        nonlocal most, active
        with lock:
            active += 1
            most = max(most, active)
        together.wait()
        with lock:
            active -= 1
        together.wait()

    in_order(3, work, range(12))
    assert most == 3


def test_where_fewer_threads_start_those_do_it_all_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Thread] = []

    class Scarce(Thread):
        def start(self) -> None:
            if len(started) == 2:
                raise RuntimeError("can't start new thread")
            super().start()
            started.append(self)

    monkeypatch.setattr("registry_gc.server.parallel.Thread", Scarce)
    assert in_order(8, lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert not any(thread.is_alive() for thread in started)


def test_an_error_is_the_result_of_its_item_and_the_others_are_done() -> None:
    def work(item: int) -> int:
        if item % 2:
            raise Denied(str(item))
        return item

    results = {item: str(result) for item, result in as_done(3, work, range(6))}
    assert results == {n: str(n) for n in range(6)}


def test_the_first_error_is_raised_and_ends_the_work() -> None:
    def work(item: int) -> int:
        if item >= 3:
            raise RegistryGcError(f"at {item}")
        return item

    with pytest.raises(RegistryGcError, match="at 3"):
        in_order(1, work, itertools.count())
    with pytest.raises(RegistryGcError, match="at "):
        in_order(4, work, itertools.count())


@pytest.mark.parametrize("workers", [1, 4])
def test_a_bug_in_the_work_is_raised_as_it_is(workers: int) -> None:
    def work(item: int) -> int:
        return {0: 0, 1: 1}[item]

    with pytest.raises(KeyError):
        in_order(workers, work, itertools.count())
    with pytest.raises(KeyError):
        list(as_done(workers, work, itertools.count()))


def test_a_bug_in_the_items_is_raised_as_it_is() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_order(2, str, items())


def test_when_the_caller_stops_what_is_begun_is_finished_and_nothing_else_begun() -> None:
    begun, finished = set(), set()

    def work(item: int) -> None:
        begun.add(item)
        finished.add(item)

    results = as_done(4, work, range(1_000_000))
    for _ in range(5):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert begun == finished
    assert 5 <= len(begun) < 1_000_000
