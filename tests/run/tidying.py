"""The run that most tests of its steps make: the newest tag stays, and what is under 30 days old.

One request at a time, so that a test can tell which comes next.
"""

from collections.abc import Callable, Iterable
from typing import Any

from registry_gc.errors import RegistryGcError
from tests.harness import Outcome, run_gc
from tests.sandbox import Box

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30, "concurrency": 1}


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, **changes})


def tidy_anew(box: Box, **changes: Any) -> Outcome:
    """With nothing in the log from before."""
    box.faults.log.clear()
    return tidy(box, **changes)


def last_first(
    workers: int, work: Callable[[Any], Any], items: Iterable[Any]
) -> Iterable[tuple[Any, Any]]:
    """As `parallel.as_done` where note is taken of nothing before all is done, the last first."""

    def outcome(item: Any) -> Any:
        try:
            return work(item)
        except RegistryGcError as error:
            return error

    return [(item, outcome(item)) for item in items][::-1]
