"""Push images the way docker, buildx and cosign do, over HTTP or straight into a Store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import requests

from .manifests import Refused, digest_of
from .store import Store

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
BASE_LAYER = b"the base layer that all images share"


class Registry(Protocol):
    """Where a Pusher pushes to."""

    def has_blob(self, name: str, digest: str) -> bool: ...

    def put_blob(self, name: str, content: bytes) -> None: ...

    def manifest(self, name: str, ref: str) -> bytes | None:
        """The raw manifest, or None when there is none."""

    def put_manifest(self, name: str, ref: str, raw: bytes, media_type: str) -> None: ...


class Pusher:
    """Builds and pushes OCI content; the same arguments always give the same digests.

    Works against any registry, over the given session if there is one (the caller closes it);
    `Pusher.into` pushes without HTTP.
    """

    def __init__(
        self, url: str, owner: str, token: str, session: requests.Session | None = None
    ) -> None:
        self.registry: Registry = _Wire(f"{url}/v2/{owner}", (owner, token), session)

    @classmethod
    def into(cls, store: Store, owner: str) -> Pusher:
        """A pusher that calls the store itself: nothing is logged, nothing goes wrong."""
        made = cls.__new__(cls)
        made.registry = _Direct(store, owner)
        return made

    def image(
        self,
        name: str,
        tag: str | None,
        seed: str | int,
        arch: str = "amd64",
        layer_size: int = 64,
        subject: str | None = None,
    ) -> str:
        """Push an image of one base layer and one own layer of `layer_size` bytes, under a tag
        or (None) its digest; `subject` is a digest in the same image. Returns the digest."""
        own = hashlib.shake_128(f"{seed}/{arch}".encode()).digest(layer_size)
        config = {"architecture": arch, "os": "linux", "config": {"Labels": {"seed": str(seed)}}}
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": self._blob(name, json.dumps(config).encode(), CONFIG),
            "layers": [self._blob(name, part, LAYER) for part in (BASE_LAYER, own)],
        }
        if subject:
            manifest["subject"] = self._descriptor(name, subject)
        return self._put(name, tag, manifest)

    def index(
        self,
        name: str,
        tag: str | None,
        children: Iterable[tuple[str, str]],
        called: str | None = None,
    ) -> str:
        """Push an index of (digest, architecture) children that are there already, which it calls
        what they are, or this media type."""
        entries = [
            {
                **self._descriptor(name, digest),
                **({"mediaType": called} if called else {}),
                "platform": {"architecture": arch, "os": "linux"},
            }
            for digest, arch in children
        ]
        return self._put(name, tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})

    def multiarch(
        self,
        name: str,
        tag: str | None,
        seed: str | int,
        platforms: Sequence[str] = ("amd64", "arm64"),
    ) -> tuple[str, list[str]]:
        """As buildx: children pushed by digest, then their index. Returns index and children."""
        children = [self.image(name, None, seed, arch) for arch in platforms]
        return self.index(name, tag, zip(children, platforms, strict=True)), children

    def signature(self, name: str, digest: str, kind: str = ".sig") -> str:
        """As cosign: an image tagged `sha256-<hex>.sig` (or .att, .sbom). Returns the tag."""
        tag = digest.replace(":", "-") + kind
        self.image(name, tag, seed=tag)
        return tag

    def referrers(self, name: str, digest: str, count: int = 1) -> tuple[str, list[str]]:
        """As OCI's fallback: the tag `sha256-<hex>`, an index of manifests pushed by digest whose
        subject is `digest`. Returns the tag and those manifests."""
        tag = digest.replace(":", "-")
        children = [
            self.image(name, None, seed=f"{tag}-{n}", arch="unknown", subject=digest)
            for n in range(count)
        ]
        self.index(name, tag, [(child, "unknown") for child in children])
        return tag, children

    def manifest_create(
        self, name: str, tag: str, parts: Iterable[str], called: str | None = None
    ) -> str:
        """As `docker manifest create`: an index whose children are there as tags only."""
        digests = [digest_of(self._raw(name, part)) for part in parts]
        children = [(digest, f"arch{n}") for n, digest in enumerate(digests)]
        return self.index(name, tag, children, called)

    def missing(self, name: str, ref: str) -> list[str]:
        """Everything that a full pull of ref would not find; [] when it is whole."""
        raw = self.registry.manifest(name, ref)
        if raw is None:
            return [f"{name}: manifest {ref}"]
        body = json.loads(raw)
        missing = [
            line
            for child in body.get("manifests", ())
            for line in self.missing(name, child["digest"])
        ]
        blobs = [body["config"], *body["layers"]] if "config" in body else []
        return missing + [
            f"{name}: blob {blob['digest']} of {ref}"
            for blob in blobs
            if not self.registry.has_blob(name, blob["digest"])
        ]

    def _blob(self, name: str, content: bytes, media_type: str) -> dict[str, Any]:
        digest = digest_of(content)
        if not self.registry.has_blob(name, digest):
            self.registry.put_blob(name, content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _put(self, name: str, tag: str | None, manifest: dict[str, Any]) -> str:
        raw = json.dumps(manifest).encode()
        digest = digest_of(raw)
        self.registry.put_manifest(name, tag or digest, raw, manifest["mediaType"])
        return digest

    def _descriptor(self, name: str, digest: str) -> dict[str, Any]:
        raw = self._raw(name, digest)
        return {"mediaType": json.loads(raw)["mediaType"], "digest": digest, "size": len(raw)}

    def _raw(self, name: str, ref: str) -> bytes:
        raw = self.registry.manifest(name, ref)
        if raw is None:
            raise Refused(404, "MANIFEST_UNKNOWN", f"{name}:{ref}")
        return raw


class _Wire:
    def __init__(self, base: str, auth: tuple[str, str], session: requests.Session | None) -> None:
        self.base, self.auth = base, auth
        self.request = session.request if session else requests.request

    def has_blob(self, name: str, digest: str) -> bool:
        return self._send("HEAD", f"{name}/blobs/{digest}", 200, 404).ok

    def put_blob(self, name: str, content: bytes) -> None:
        self._send("POST", f"{name}/blobs/uploads/?digest={digest_of(content)}", 201, data=content)

    def manifest(self, name: str, ref: str) -> bytes | None:
        answer = self._send("GET", f"{name}/manifests/{ref}", 200, 404)
        return answer.content if answer.ok else None

    def put_manifest(self, name: str, ref: str, raw: bytes, media_type: str) -> None:
        self._send("PUT", f"{name}/manifests/{ref}", 201, data=raw, media_type=media_type)

    def _send(
        self, method: str, path: str, *expected: int, data: bytes = b"", media_type: str = ""
    ) -> requests.Response:
        answer = self.request(
            method,
            f"{self.base}/{path}",
            data=data or None,
            headers={"Content-Type": media_type} if media_type else {},
            auth=self.auth,
            timeout=30,
        )
        if answer.status_code not in expected:
            raise Refused(answer.status_code, "", f"{method} {path}: {answer.text}")
        return answer


class _Direct:
    def __init__(self, store: Store, owner: str) -> None:
        self.store, self.owner = store, owner

    def has_blob(self, name: str, digest: str) -> bool:
        try:
            self.store.blob(self.owner, name, digest)
        except Refused:
            return False
        return True

    def put_blob(self, name: str, content: bytes) -> None:
        self.store.put_blob(self.owner, name, content, digest_of(content))

    def manifest(self, name: str, ref: str) -> bytes | None:
        try:
            return self.store.manifest(self.owner, name, ref).blob.content
        except Refused:
            return None

    def put_manifest(self, name: str, ref: str, raw: bytes, media_type: str) -> None:
        self.store.put_manifest(self.owner, name, ref, raw, media_type)
