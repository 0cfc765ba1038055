"""Hypothesis' profiles: `quick` in every run, `soak` (10,000 examples in all) with `make soak`."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.program import fill
from tests.sandbox import Box, serve

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "quick", max_examples=60, deadline=None, derandomize=True, suppress_health_check=SLOW
)
settings.register_profile(
    "soak", max_examples=2500, deadline=None, print_blob=True, suppress_health_check=SLOW
)
settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "property: a promise tried on examples made by hypothesis")


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    """A sandbox for the tests of a file, which empty it before each."""
    with serve() as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    """An empty sandbox."""
    running.reset()
    return running


@pytest.fixture
def filled(running: Box) -> Box:
    """A sandbox with twelve versions, of which seven go."""
    fill(running)
    return running
