"""What versions hold, read through the client."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from registry_gc.errors import RegistryGcError
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.version_names import is_digest
from registry_gc.registry.versions import Version
from registry_gc.server import packages
from registry_gc.server.client import Client

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
IMAGE_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    }
)
_DIGEST = re.compile(r"[a-z0-9+._-]+:[0-9a-f]{32,}")


Indexes = dict[tuple[str, str], tuple[Child, ...]]
"""(image, reference) -> children of what it refers to, filled while reading: fetched once."""


def read(
    client: Client,
    versions: Sequence[Version],
    indexes: Indexes,
    progress: Callable[[], None],
) -> dict[int, Manifest]:
    """The manifests of versions by id: a /files each, and of distinct indexes the manifest itself.

    Raises Gone when one was deleted or replaced meanwhile, and RegistryGcError, naming the version,
    when one cannot be read or understood.
    """

    def files_of(version: Version) -> Manifest:
        manifest = _from_files(version, packages.files(client, version.image, version.name))
        progress()
        return manifest

    manifests = dict(zip(versions, client.in_order(files_of, versions), strict=True))
    wanted = {
        _key(version, manifest): (version, manifest)
        for version, manifest in manifests.items()
        if _may_be_index(manifest)
    }
    todo = [key for key in wanted if key not in indexes]
    fetched = client.in_order(lambda key: _fetch_children(client, *wanted[key]), todo)
    indexes.update(zip(todo, fetched, strict=True))
    return {
        version.id: replace(manifest, children=indexes.get(_key(version, manifest), ()))
        for version, manifest in manifests.items()
    }


def _from_files(version: Version, rows: Any) -> Manifest:
    """A manifest without its children, from GET /packages/{owner}/{type}/{name}/{version}/files.

    `manifest.json` is the manifest; the size's key is `Size` up to 1.23 and on Forgejo.
    """
    try:
        digests = []
        blobs = []
        for row in sorted(rows, key=lambda row: -row["id"]):
            digest, size = sys.intern(f"sha256:{row['sha256']}"), row.get("size", row.get("Size"))
            if not is_digest(digest) or not isinstance(size, int):
                raise ValueError("a file without a digest or a size")
            blobs.append((digest, size))
            if row["name"] == "manifest.json":
                digests.append(digest)
        if not digests:
            raise ValueError("no manifest.json")
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise RegistryGcError(
            f"The files of {version.image}:{version.name} could not be understood: {error!r}."
        ) from error
    return Manifest(tuple(digests), (), tuple(blobs))


def _may_be_index(manifest: Manifest) -> bool:
    """An index has no config and no layers; 1.25.0 and 1.25.1 may mix its rows with older ones."""
    return len(manifest.blobs) == len(manifest.digests) or len(manifest.digests) > 1


def _key(version: Version, manifest: Manifest) -> tuple[str, str]:
    """What a manifest is fetched by: its digest, or where there are several the name that pulls."""
    only_one = len(manifest.digests) == 1
    return version.image, manifest.digests[0] if only_one else version.name


def _fetch_children(client: Client, version: Version, manifest: Manifest) -> tuple[Child, ...]:
    """The children of what a pull of the version gets; none when it is an image."""
    raw, content_type = packages.manifest(client, *_key(version, manifest))
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if digest not in manifest.digests:
        raise RegistryGcError(
            f"The manifest of {version.image}:{version.name} arrived damaged: its digest is "
            f"{digest}, not {manifest.digests[0]}. Does a proxy change what it passes on?"
        )
    try:
        return _children(json.loads(raw), content_type)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RegistryGcError(
            f"The manifest of {version.image}:{version.name} could not be understood: {error!r}."
        ) from error


def _children(body: Any, content_type: str) -> tuple[Child, ...]:
    media_type = body.get("mediaType") or content_type
    if media_type in IMAGE_TYPES:
        return ()
    if media_type not in INDEX_TYPES:
        raise ValueError(f"unknown media type {media_type}")
    return tuple(_child(entry) for entry in body["manifests"])


def _child(entry: Any) -> Child:
    if not _DIGEST.fullmatch(entry["digest"]):
        raise ValueError(f"a child without a digest: {entry['digest']}")
    platform = entry.get("platform") or {}
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return Child(
        sys.intern(entry["digest"]),
        "/".join(str(part) for part in parts if part),
        entry.get("mediaType") in IMAGE_TYPES,
    )
