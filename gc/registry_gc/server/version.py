"""Which server it is, as it says itself."""

import re

from registry_gc.errors import Right
from registry_gc.server.client import Client
from registry_gc.server.told import told

_ANY = Right.of_anyone("ask for the server's version")
# 1.25.4, and Forgejo's 9.0.3+gitea-1.22.0. What is between two releases may behave as neither.
_RELEASE = re.compile(r"(\d+\.\d+\.\d+)(?:\+gitea-(\d+\.\d+\.\d+))?", re.ASCII)
_FREEZING = ("1.25.0", "1.25.1")


def release_of(client: Client) -> str:
    """The server's version; "" when it does not tell.

    GET /api/v1/version (1.21 to main, Forgejo): `version`. It takes no scope. Raises Stop when the
    run is over.
    """
    found = told(lambda: client.json(client.api("GET", "/version", "version", _ANY)))
    version = found.get("version")
    return version if isinstance(version, str) else ""


def is_release(version: str) -> bool:
    """Whether it is a release, of which it is known what it does."""
    return _RELEASE.fullmatch(version) is not None


def freezes_rows(version: str) -> bool:
    """Whether a tag that is pushed again keeps its row, with other content (Gitea 1.25.0, .1)."""
    release = _RELEASE.fullmatch(version)
    return release is not None and any(part in _FREEZING for part in release.groups())
