"""What versions hold, read through the client."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from registry_gc.errors import RegistryGcError, WrongAnswer
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.memory import Memory
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


class NotUnderstood(RegistryGcError):
    """What the server says of a version has another form than it should."""

    def __init__(self, what: str, version: Version, error: Exception) -> None:
        super().__init__(
            f"The {what} of {version.image}:{version.name} could not be understood: {error!r}."
        )


def read(
    client: Client,
    versions: Sequence[Version],
    memory: Memory,
    progress: Callable[[], None],
) -> dict[int, Manifest]:
    """The manifests of versions by id: a /files each, and of distinct indexes the manifest itself.

    What is remembered is not read again; `progress` is called after each /files. Raises Gone when
    one was deleted or replaced meanwhile, and RegistryGcError, naming the version, when one cannot
    be read or understood.
    """
    manifests = _without_children(client, versions, memory, progress)
    wanted = {
        (version.image, digest): version
        for version, manifest in manifests.items()
        if _may_be_index(manifest)
        for digest in manifest.digests
    }

    def fetch(key: tuple[str, str]) -> None:
        memory.indexes[key] = _children(client, wanted[key], key[1])

    client.in_order(fetch, [key for key in wanted if key not in memory.indexes])
    return {
        version.id: _with_children(version, manifest, memory)
        for version, manifest in manifests.items()
    }


def digests(
    client: Client, versions: Sequence[Version], memory: Memory, progress: Callable[[], None]
) -> frozenset[str]:
    """All digests that these versions can be pulled by: a /files each.

    Raises Gone and RegistryGcError as `read` does.
    """
    manifests = _without_children(client, versions, memory, progress)
    return frozenset(digest for manifest in manifests.values() for digest in manifest.digests)


def _without_children(
    client: Client, versions: Sequence[Version], memory: Memory, progress: Callable[[], None]
) -> dict[Version, Manifest]:
    """The manifests, in the order of the versions."""

    def look_up(version: Version) -> Manifest:
        manifest = _from_files(version, packages.files(client, version.image, version.name))
        memory.add(version, manifest)
        progress()
        return manifest

    known = {v: manifest for v in versions if (manifest := memory.recall(v))}
    new = [v for v in versions if v not in known]
    known |= zip(new, client.in_order(look_up, new), strict=True)
    return {v: known[v] for v in versions}


def _with_children(version: Version, manifest: Manifest, memory: Memory) -> Manifest:
    children, *older = (memory.indexes.get((version.image, d), ()) for d in manifest.digests)
    return replace(manifest, children=children, older=tuple(chain.from_iterable(older)))


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
        raise NotUnderstood("files", version, error) from error
    return Manifest(tuple(digests), (), tuple(blobs))


def _may_be_index(manifest: Manifest) -> bool:
    """An index has no config and no layers; 1.25.0 and 1.25.1 may mix its rows with older ones."""
    return len(manifest.blobs) == len(manifest.digests) or len(manifest.digests) > 1


def _children(client: Client, version: Version, digest: str) -> tuple[Child, ...]:
    """The children of a manifest of the version; none when it is an image.

    GET by digest finds older manifests of a version too (1.25.4: it does not ask which one leads).
    """
    raw, content_type = packages.manifest(client, version.image, digest)
    found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if found != digest:
        raise WrongAnswer.damaged(f"{version.image}:{version.name}", found, digest)
    try:
        return _entries(json.loads(raw), content_type)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotUnderstood("manifest", version, error) from error


def _entries(body: Any, content_type: str) -> tuple[Child, ...]:
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
    )
