"""The rows of the sandbox's database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from .manifests import digest_of, parse

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Blob:
    """Content, stored once however many files show it."""

    content: bytes
    created_at: datetime

    @cached_property
    def digest(self) -> str:
        return digest_of(self.content)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The checksums of `GET .../files`."""
        kinds = ("md5", "sha1", "sha256", "sha512")
        return {kind: hashlib.new(kind, self.content).hexdigest() for kind in kinds}


@dataclass
class File:
    """A file of a version: `manifest.json`, or `sha256_<hex>` for config and layers."""

    id: int
    name: str
    blob: Blob
    media_type: str = ""
    lead: bool = False
    """The one manifest.json that a pull by tag gets."""


@dataclass
class Version:
    """A row of the package API; `_upload` (id 0) holds blobs no manifest has claimed yet."""

    id: int
    image: Image
    name: str
    created_at: datetime
    downloads: int = 0
    files: list[File] = field(default_factory=list)

    @property
    def tagged(self) -> bool:
        return not self.name.startswith("sha256:")


@dataclass
class Image:
    """A container package; files are found by digest across all its versions."""

    name: str
    owner: Owner
    versions: dict[str, Version] = field(default_factory=dict)
    by_digest: dict[str, dict[int, tuple[Version, File]]] = field(default_factory=dict)
    repository: str = ""
    """The name of the repository of its owner that it is linked to."""
    uploads: Version = field(init=False)

    def __post_init__(self) -> None:
        self.uploads = Version(0, self, "_upload", datetime.min)

    def add_file(self, version: Version, file: File) -> None:
        version.files.append(file)
        self.by_digest.setdefault(file.blob.digest, {})[file.id] = (version, file)

    def drop_file(self, version: Version, file: File) -> None:
        version.files.remove(file)
        found = self.by_digest[file.blob.digest]
        del found[file.id]
        if not found:
            del self.by_digest[file.blob.digest]

    def drop_version(self, version: Version) -> None:
        """The row and its files; nothing asks whether an index still needs it."""
        for file in list(version.files):
            self.drop_file(version, file)
        del self.versions[version.name]

    def claim(self, version: Version, holder: Version, file: File, new: File) -> None:
        """Give a version a file that `holder` has; an upload is then no longer one."""
        if all(other.name != new.name for other in version.files):
            self.add_file(version, new)
        if holder is self.uploads and file in holder.files:
            self.drop_file(holder, file)

    def lead(self, version: Version, new: File) -> None:
        """Make this the manifest that a pull by tag gets."""
        for file in version.files:
            file.lead = False
        # a row that 1.25.0 froze and that had this manifest before is left without a lead
        if all(file.name != MANIFEST or file.blob is not new.blob for file in version.files):
            self.add_file(version, new)

    def clean(self, limit: datetime, untagged: bool) -> None:
        """The cron's work: uploads from before `limit`, and unreferenced `sha256:` versions."""
        for file in list(self.uploads.files):
            if file.blob.created_at < limit:
                self.drop_file(self.uploads, file)
        leads = [f for v in self.versions.values() for f in v.files if f.name == MANIFEST]
        parsed = [parse(file.blob.content, file.media_type) for file in leads]
        needed = {child.digest for manifest in parsed for child in manifest.children}
        for row in list(self.versions.values()):
            if untagged and not row.tagged and row.name not in needed:
                self.drop_version(row)

    def find(self, digest: str, manifest: bool = False) -> tuple[Version, File] | None:
        """The first file with this content, in any version or upload."""
        for version, file in self.by_digest.get(digest, {}).values():
            if not manifest or file.name == MANIFEST:
                return version, file
        return None


@dataclass
class Owner:
    """A user or organisation; `members` may write, anyone may read a public one."""

    id: int
    name: str
    members: set[str]
    public: bool = True
    readers: set[str] = field(default_factory=set)
    """Those in the organisation who may only read."""
    is_organization: bool = False
    images: dict[str, Image] = field(default_factory=dict)


@dataclass(frozen=True)
class Token:
    """A personal access token."""

    user: str
    scopes: frozenset[str]

    def allows(self, scope: str) -> bool:
        wider = scope.replace("read:", "write:")
        return not self.scopes.isdisjoint({"all", scope, wider})
