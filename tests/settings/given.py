"""Settings as a runner passes them, and what is said of wrong ones."""

import pytest

from registry_gc.errors import UsageError
from registry_gc.settings.load import load

SECRET = "f00dfeed5ec7e7"
REQUIRED = {
    "token": SECRET,
    "server-url": "https://git.example.org",
    "owner": "acme",
    "package": "app",
}


def environment(inputs: dict[str, str]) -> dict[str, str]:
    """What act_runner passes: upper case, hyphens kept."""
    return {f"INPUT_{name.upper()}": text for name, text in (REQUIRED | inputs).items()}


def problems(inputs: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        load({}, environment(inputs))
    return caught.value.problems


def problem(name: str, text: str) -> str:
    (only,) = problems({name: text})
    assert only.startswith(f"{name}:")
    return only
