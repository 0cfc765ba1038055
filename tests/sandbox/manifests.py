"""Reading a pushed manifest as far as the server does."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

IMAGE_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class Refused(Exception):
    """The registry's answer to a request it does not carry out."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(f"{status} {code} {message}")
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Reference:
    """One descriptor inside a manifest."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Parsed:
    """What a manifest refers to: children for an index, blobs (config first) for an image."""

    media_type: str
    children: tuple[Reference, ...] = ()
    blobs: tuple[Reference, ...] = ()


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def parse(raw: bytes, content_type: str) -> Parsed:
    """Read a manifest; raises Refused with the server's code (Gitea 1.21 to 1.25, measured)."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(500, "") from None
    if body.get("schemaVersion") != 2:
        raise Refused(501, "UNSUPPORTED", "Schema version is not supported")
    media_type = content_type if _known(content_type) else body.get("mediaType", "")
    if not _known(media_type):
        raise Refused(400, "MANIFEST_INVALID", "MediaType not recognized")
    if media_type in INDEX_TYPES:
        children = tuple(_reference(child) for child in body.get("manifests") or ())
        # the server knows no nested indexes
        if any(child.media_type not in IMAGE_TYPES for child in children):
            raise Refused(400, "MANIFEST_INVALID")
        return Parsed(media_type, children=children)
    if media_type in IMAGE_TYPES:
        parts = [body.get("config") or {}, *(body.get("layers") or ())]
        return Parsed(media_type, blobs=tuple(_reference(part) for part in parts))
    raise Refused(400, "MANIFEST_INVALID")


def _known(media_type: str) -> bool:
    return media_type.startswith(("application/vnd.docker.", "application/vnd.oci."))


def _reference(descriptor: dict[str, Any]) -> Reference:
    return Reference(
        descriptor.get("digest", ""), descriptor.get("size", 0), descriptor.get("mediaType", "")
    )
