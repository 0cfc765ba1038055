"""Tests that install from the package index run only when asked for: `pytest -m pypi`."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "pypi: installs from the package index")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "pypi" in config.option.markexpr:
        return
    asked_for = [item for item in items if item.get_closest_marker("pypi")]
    config.hook.pytest_deselected(items=asked_for)
    items[:] = [item for item in items if item not in asked_for]
