"""What differs between the servers that the sandbox can stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Profile:
    """One server line. Where nothing is said here, all lines behave alike."""

    version: str
    """What `GET /api/v1/version` says."""
    ties: Literal["none", "id asc", "id desc"]
    """Order of versions created in the same second; "none" changes from request to request."""
    size_key: Literal["Size", "size"]
    """Key of a file's size in `GET .../files`."""
    lists_by_name: bool
    """Has `GET /packages/{owner}/{type}/{name}` (Gitea 1.24 and later)."""
    freezes_repush: bool = False
    """PUT on an existing tag keeps row and date and adds a manifest.json (1.25.0 and 1.25.1)."""
    deletes_whole_image: bool = False
    """Has `DELETE /packages/{owner}/{type}/{name}` (Gitea 1.26 and later)."""
    tells_scopes: bool = False
    """Has `GET /token` (Gitea 1.27 and later)."""
    cron_deletes_untagged: bool = False
    """`cleanup_packages` deletes unreferenced `sha256:` versions of any age (Forgejo 9)."""


PROFILES = {
    "1.21": Profile("1.21.11", "none", "Size", lists_by_name=False),
    "1.22": Profile("1.22.6", "id asc", "Size", lists_by_name=False),
    "1.24": Profile("1.24.7", "id desc", "size", lists_by_name=True),
    "1.25.0": Profile("1.25.0", "id desc", "size", lists_by_name=True, freezes_repush=True),
    "1.25": Profile("1.25.4", "id desc", "size", lists_by_name=True),
    "main": Profile("1.26.0", "id desc", "size", lists_by_name=True, deletes_whole_image=True),
    "1.27": Profile(
        "1.27.0",
        "id desc",
        "size",
        lists_by_name=True,
        deletes_whole_image=True,
        tells_scopes=True,
    ),
    "forgejo": Profile(
        "9.0.3+gitea-1.22.0", "id asc", "Size", lists_by_name=False, cron_deletes_untagged=True
    ),
}
