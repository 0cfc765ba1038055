"""What differs between the servers that the sandbox can stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    says_last_is_truncated: bool = False
    """`truncated` of a tree is true on all of several pages (up to Gitea 1.23; Forgejo)."""
    redirect: int = 301
    """Status for a renamed repository: 307 on Gitea up to 1.22 and Forgejo 7."""
    archives_paths: bool = False
    """`GET .../archive/{ref}` takes `path` (Gitea 1.26 and later)."""
    archives_trees: bool = True
    """`GET .../archive/{sha}` takes the id of a tree (up to Gitea 1.26; Forgejo)."""
    tells_tree: bool = False
    """`sha` of a tree is its own id, and not the commit's (Gitea 1.28)."""
    cron_deletes_untagged: bool = False
    """`cleanup_packages` deletes unreferenced `sha256:` versions of any age (Forgejo 9)."""


_1_21 = Profile(
    "1.21.11",
    "none",
    "Size",
    lists_by_name=False,
    says_last_is_truncated=True,
    redirect=307,
)
_1_25 = Profile("1.25.4", "id desc", "size", lists_by_name=True)
_1_26 = replace(_1_25, version="1.26.0", deletes_whole_image=True, archives_paths=True)
_1_27 = replace(_1_26, version="1.27.0", tells_scopes=True, archives_trees=False)

PROFILES = {
    "1.21": _1_21,
    "1.22": replace(_1_21, version="1.22.6", ties="id asc"),
    "1.24": replace(_1_25, version="1.24.7"),
    "1.25.0": replace(_1_25, version="1.25.0", freezes_repush=True),
    "1.25": _1_25,
    "main": _1_26,
    "1.27": _1_27,
    "1.28": replace(_1_27, version="1.28.0", tells_tree=True),
    "forgejo": replace(
        _1_21, version="9.0.3+gitea-1.22.0", ties="id asc", cron_deletes_untagged=True
    ),
}
