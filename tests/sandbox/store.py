"""The sandbox registry's state and rules, without HTTP. Facts: Gitea 1.21 to 1.26, Forgejo 9."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from .accounts import Accounts
from .manifests import DIGEST, TAG, Parsed, Refused, digest_of, parse
from .profiles import PROFILES
from .repositories import Forge
from .rows import MANIFEST, Blob, File, Image, Owner, Version

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Store(Accounts):
    """A registry in memory; every method is safe to call from any thread.

    A test may set: `now` (the server's clock), `max_items` (page cap), `zone` (time zone of
    dates shown), `admins`, and `ties_descend` (profile 1.21 only: whether the n-th listing
    request shows the newer id first among versions of one second; alternates unless set).
    """

    def __init__(self, profile: str = "1.25") -> None:
        self.profile = PROFILES[profile]
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """Forget everything, settings included; ids and tokens start again as in a new store."""
        with self._lock:
            self.now = START
            self.zone: tzinfo = UTC
            self.max_items = 50
            self.page_size = 30
            self.max_blob = 10 << 20
            self.ties_descend: Callable[[int], bool] = lambda n: n % 2 == 1
            self._forget_accounts()
            self.forge = Forge()
            self._blobs: dict[str, Blob] = {}
            self._uploads: dict[str, bytes] = {}
            self._ids = itertools.count(1)
            self._listings = itertools.count()
            self._sorted: dict[tuple[str, str, bool], list[Version]] = {}

    # --- the package API

    def listing(
        self, owner: str, q: str = "", page: int = 1, limit: int = 0, exact: bool = False
    ) -> tuple[list[Version], int]:
        """One page and the total number of versions (`GET /packages/{owner}`)."""
        with self._lock:
            size = min(limit, self.max_items) if limit > 0 else self.page_size
            rows = self._listed(self.owner(owner), q.strip().lower(), exact)
            start = (max(page, 1) - 1) * size
            return rows[start : start + size], len(rows)

    def _listed(self, owner: Owner, q: str, exact: bool) -> list[Version]:
        descend = self.profile.ties == "id desc"
        if self.profile.ties == "none":
            descend = self.ties_descend(next(self._listings))
        key = (owner.name, f"={q}" if exact else q, descend)
        if key not in self._sorted:
            matches = _like(q) if not exact else re.compile(re.escape(q))
            rows = [
                version
                for name, image in owner.images.items()
                if matches.fullmatch(name)
                for version in image.versions.values()
            ]
            rows.sort(key=lambda row: row.id, reverse=descend)
            rows.sort(key=lambda row: row.created_at, reverse=True)
            self._sorted[key] = rows
        return self._sorted[key]

    def version(self, owner: str, image: str, version: str) -> Version:
        with self._lock:
            found = self.owner(owner).images.get(image.lower())
            if found is None or version.lower() not in found.versions:
                raise Refused(404, "", "GetVersionByNameAndVersion: package does not exist")
            return found.versions[version.lower()]

    def delete_version(self, owner: str, image: str, version: str) -> None:
        """That row only, whatever still refers to it; Refused 404 when it is not there."""
        with self._lock:
            row = self.version(owner, image, version)
            self._changed()
            row.image.drop_version(row)

    def delete_image(self, owner: str, image: str) -> None:
        """Every version (`DELETE /packages/{owner}/{type}/{name}`, Gitea 1.26)."""
        with self._lock:
            found = self._image(owner, image)
            self._changed()
            for row in list(found.versions.values()):
                found.drop_version(row)

    def cleanup(self) -> None:
        """What the cron `cleanup_packages` does without a cleanup rule."""
        with self._lock:
            self._changed()
            limit = self.now - timedelta(days=1)
            for owner in self._owners.values():
                for image in list(owner.images.values()):
                    image.clean(limit, untagged=self.profile.cron_deletes_untagged)
                    if not image.versions and not image.uploads.files:
                        del owner.images[image.name]
            used = {
                d for o in self._owners.values() for i in o.images.values() for d in i.by_digest
            }
            for digest, blob in list(self._blobs.items()):
                if digest not in used and blob.created_at < limit:
                    del self._blobs[digest]

    # --- the registry API

    def put_blob(self, owner: str, image: str, content: bytes, digest: str) -> None:
        """Store a blob where the image's next manifest finds it."""
        with self._lock:
            if digest_of(content) != digest:
                raise Refused(400, "DIGEST_INVALID")
            blob = self._blobs.setdefault(digest, Blob(content, self.now))
            self._add_upload(self._image(owner, image, create=True), blob)

    def mount_blob(self, owner: str, image: str, digest: str, source: str) -> bool:
        """Take over a blob of `{owner}/{image}`; False when there is none."""
        with self._lock:
            source_owner, _, source_image = source.partition("/")
            try:
                blob = self.blob(source_owner, source_image, digest).blob
            except Refused:
                return False
            self._add_upload(self._image(owner, image, create=True), blob)
            return True

    def _add_upload(self, image: Image, blob: Blob) -> None:
        name = blob.digest.replace(":", "_")
        if all(file.name != name for file in image.uploads.files):
            image.add_file(image.uploads, File(next(self._ids), name, blob))

    def blob(self, owner: str, image: str, digest: str) -> File:
        """A blob that some version or fresh upload of this image has; else Refused 404."""
        with self._lock:
            found = self.owner(owner).images.get(image)
            hit = found.find(digest) if found else None
            if hit is None:
                raise Refused(404, "BLOB_UNKNOWN")
            return hit[1]

    def put_manifest(
        self, owner: str, image: str, reference: str, raw: bytes, media_type: str = ""
    ) -> str:
        """Push a manifest under a tag or digest; returns its digest.

        What it refers to is checked first, and only then does it replace the version of that
        name, so an index may replace the very tag that one of its children was.
        """
        with self._lock:
            if not DIGEST.fullmatch(reference) and not TAG.fullmatch(reference):
                raise Refused(400, "MANIFEST_INVALID", "Tag is invalid")
            parsed = parse(raw, media_type)
            holder = self.owner(owner)
            found = holder.images.get(image) or Image(image, holder)
            parts = self._check(found, parsed)
            holder.images[image] = found
            row = self._row_for(found, reference.lower(), index=not parsed.blobs)
            for file, version, part_type in parts:
                name = file.blob.digest.replace(":", "_")
                found.claim(row, version, file, File(next(self._ids), name, file.blob, part_type))
            blob = self._blobs.setdefault(digest_of(raw), Blob(raw, self.now))
            found.lead(row, File(next(self._ids), MANIFEST, blob, parsed.media_type, lead=True))
            return blob.digest

    def _check(self, image: Image, parsed: Parsed) -> list[tuple[File, Version, str]]:
        for child in parsed.children:
            if image.find(child.digest, manifest=True) is None:
                raise Refused(404, "MANIFEST_BLOB_UNKNOWN")
        parts = []
        for part in parsed.blobs:
            hit = image.find(part.digest)
            if hit is None:
                raise Refused(404, "BLOB_UNKNOWN")
            if len(hit[1].blob.content) != part.size:
                raise Refused(400, "SIZE_INVALID")
            parts.append((hit[1], hit[0], part.media_type))
        return parts

    def _row_for(self, image: Image, name: str, index: bool) -> Version:
        self._changed()
        old = image.versions.get(name)
        young = old is not None and old.created_at >= self.now - timedelta(days=1)
        if old and self.profile.freezes_repush and (young or not index):
            return old
        if old:
            image.drop_version(old)
        row = Version(next(self._ids), image, name, self.now.replace(microsecond=0))
        row.downloads = old.downloads if old else 0
        image.versions[name] = row
        return row

    def manifest(self, owner: str, image: str, reference: str, count: bool = False) -> File:
        """The manifest of a tag or digest; `count` raises its version's download count."""
        with self._lock:
            hits = self._holders(owner, image, reference)
            if not hits:
                raise Refused(404, "MANIFEST_UNKNOWN")
            version, file = hits[0]
            version.downloads += count and file.lead
            return file

    def _holders(self, owner: str, image: str, reference: str) -> list[tuple[Version, File]]:
        found = self.owner(owner).images.get(image)
        if found is None:
            return []
        if DIGEST.fullmatch(reference):
            hits = found.by_digest.get(reference, {}).values()
            return [(version, file) for version, file in hits if file.name == MANIFEST]
        row = found.versions.get(reference.lower())
        return [(row, file) for file in row.files if file.lead] if row else []

    def delete_manifest(self, owner: str, image: str, reference: str) -> None:
        """A tag, or for a digest EVERY version that holds the manifest."""
        with self._lock:
            hits = self._holders(owner, image, reference)
            if not hits:
                raise Refused(404, "MANIFEST_UNKNOWN")
            self._changed()
            for version in {version.id: version for version, _ in hits}.values():
                version.image.drop_version(version)

    def tags(self, owner: str, image: str) -> list[str]:
        with self._lock:
            found = self.owner(owner).images.get(image)
            if found is None:
                raise Refused(404, "NAME_UNKNOWN")
            return sorted(row.name for row in found.versions.values() if row.tagged)

    # --- chunked uploads

    def start_upload(self) -> str:
        with self._lock:
            key = f"upload-{next(self._ids)}"
            self._uploads[key] = b""
            return key

    def append_upload(self, key: str, chunk: bytes) -> bytes:
        """All that has arrived so far."""
        with self._lock:
            if key not in self._uploads:
                raise Refused(404, "BLOB_UPLOAD_UNKNOWN")
            self._uploads[key] += chunk
            return self._uploads[key]

    def end_upload(self, key: str) -> None:
        with self._lock:
            if self._uploads.pop(key, None) is None:
                raise Refused(404, "BLOB_UPLOAD_UNKNOWN")

    # --- for tests

    def age(self, image: str, version: str, days: float, owner: str = "acme") -> None:
        """Make a version `days` old by the store's clock, as no real server lets one do."""
        with self._lock:
            row = self.version(owner, image, version)
            row.created_at = (self.now - timedelta(days=days)).replace(microsecond=0)
            self._changed()

    def versions(self, image: str, owner: str = "acme") -> dict[str, int]:
        """Name and id of every version of an image; empty for an unknown one."""
        with self._lock:
            found = self.owner(owner).images.get(image)
            return {row.name: row.id for row in found.versions.values()} if found else {}

    def downloads(self, image: str, version: str, owner: str = "acme") -> int:
        return self.version(owner, image, version).downloads

    def has_blob(self, digest: str) -> bool:
        """Whether the content still takes up disk space."""
        return digest in self._blobs

    def _image(self, owner: str, image: str, create: bool = False) -> Image:
        holder = self.owner(owner)
        if create and image not in holder.images:
            holder.images[image] = Image(image, holder)
        if image not in holder.images:
            raise Refused(404, "", "package does not exist")
        return holder.images[image]

    def _changed(self) -> None:
        self._sorted.clear()


def _like(q: str) -> re.Pattern[str]:
    """SQL LIKE: `_` and `%` are live, and a `%` at either end replaces the ones put around."""
    if q[:1] != "%" and q[-1:] != "%":
        q = f"%{q}%"
    return re.compile("".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in q))
