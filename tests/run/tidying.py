"""The run that most tests of its steps make: the newest tag stays, and what is under 30 days old.

One request at a time, so that a test can tell which comes next.
"""

from typing import Any

from tests.harness import Outcome, run_gc
from tests.sandbox import Box

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30, "concurrency": 1}


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, **changes})


def tidy_anew(box: Box, **changes: Any) -> Outcome:
    """With nothing in the log from before."""
    box.faults.log.clear()
    return tidy(box, **changes)
