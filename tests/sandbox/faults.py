"""What the sandbox does wrong on purpose, and the log of what it was asked."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    number: int
    """1 for the first since the last reset."""
    method: str
    target: str
    """Path and query exactly as sent, percent-encoding included."""
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Answer:
    """Answer this, do nothing."""

    status: int = 503
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drop:
    """Close the connection, do nothing."""


@dataclass(frozen=True)
class LoseAnswer:
    """Do what was asked, then close the connection without a word."""


@dataclass(frozen=True)
class CutBody:
    """Do what was asked, send half the body of the announced length, close the connection."""


@dataclass(frozen=True)
class HalfJson:
    """Do what was asked, answer properly with only the first half of the body."""


@dataclass(frozen=True)
class Hold:
    """Wait until the test sets the event, then do what was asked, or close the connection."""

    gate: threading.Event
    drops: bool = False


Fault = Answer | Drop | LoseAnswer | CutBody | HalfJson | Hold
Plan = Callable[[Request], Fault | None]


class Faults:
    """A script of faults, called for one request at a time, and the request log.

    `plan` and `before` may be set by a test and must not wait: other requests stand behind
    them (use Hold to make one request wait). `before` runs first, then `plan`.
    """

    log: list[tuple[str, str]]
    """(method, path with query as sent) of every request received, in order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.plan: Plan = lambda request: None
            self.before: Callable[[Request], object] = lambda request: None
            self.log = []
            self._numbers = itertools.count(1)

    def receive(self, method: str, target: str, headers: Mapping[str, str]) -> Fault | None:
        """Log a request and say what is to go wrong with it."""
        with self._lock:
            self.log.append((method, target))
            request = Request(next(self._numbers), method, target, headers)
            self.before(request)
            return self.plan(request)

    def count(self, method: str = "", containing: str = "") -> int:
        """How many logged requests have this method (any if empty) and this in their target."""
        with self._lock:
            return sum(
                method in ("", seen) and containing in target for seen, target in list(self.log)
            )


def first(n: int, fault: Fault, method: str = "", containing: str = "") -> Plan:
    """A plan: the first n requests with this method and text in their target meet the fault."""
    remaining = itertools.count(n, -1)

    def plan(request: Request) -> Fault | None:
        fits = method in ("", request.method) and containing in request.target
        return fault if fits and next(remaining) > 0 else None

    return plan
