"""The same work on many items, several at once."""

from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from registry_gc.errors import NoThreads, RegistryGcError

T = TypeVar("T")
R = TypeVar("R")
_END: Any = object()


def in_order(workers: int, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """work(item) for each item; raises the first error."""
    results: dict[int, R] = {}
    for (place, _), result in as_done(workers, lambda pair: work(pair[1]), enumerate(items)):
        if isinstance(result, RegistryGcError):
            raise result
        results[place] = result
    return [results[place] for place in range(len(results))]


def as_done(
    workers: int, work: Callable[[T], R], items: Iterable[T]
) -> Iterator[tuple[T, R | RegistryGcError]]:
    """Each item with what work(item) gave or the RegistryGcError it raised, as they are done.

    When the caller stops iterating, the items in work are finished and no others begun. Where the
    machine lets fewer threads start, those do it all; NoThreads is raised when there is none.
    """
    todo, results, abandoned = iter(items), SimpleQueue[Any](), Event()
    one_at_a_time = Lock()

    def take() -> Iterator[T]:
        while not abandoned.is_set():
            with one_at_a_time:
                item = next(todo, _END)
            if item is _END:
                return
            yield item

    threads = _started(workers, lambda: _work(work, take(), results))
    try:
        for _ in threads:
            while (result := results.get()) is not _END:
                if isinstance(result, BaseException):
                    raise result
                yield result
    finally:
        abandoned.set()
        for thread in threads:
            thread.join()


def _started(count: int, work: Callable[[], None]) -> list[Thread]:
    """As many threads as the machine lets start."""
    threads: list[Thread] = []
    while len(threads) < count:
        thread = Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            if threads:
                break
            raise NoThreads from error
        threads.append(thread)
    return threads


def _work(work: Callable[[T], R], items: Iterable[T], results: SimpleQueue[Any]) -> None:
    try:
        for item in items:
            results.put((item, _outcome(work, item)))
    except BaseException as error:  # noqa: BLE001 - a bug: raised again where it is seen
        results.put(error)
    finally:
        results.put(_END)


def _outcome(work: Callable[[T], R], item: T) -> R | RegistryGcError:
    try:
        return work(item)
    except RegistryGcError as error:
        return error
