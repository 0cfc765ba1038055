"""A running sandbox with one image, and a web without any server."""

from collections.abc import Iterator

import pytest
import requests_mock as rm

from tests.sandbox import Box
from tests.server.clients import ROW


@pytest.fixture
def box(running: Box) -> Box:
    running.reset()
    running.push.image("app", "v1", 1)
    assert running.store.versions("app") == {"v1": ROW}
    return running


@pytest.fixture
def web() -> Iterator[rm.Mocker]:
    with rm.Mocker() as mocker:
        yield mocker
