"""What a run remembers for the next, as the lines of a file.

JSON, a line each: the head, then for each owner its name, its versions and its indexes, and last
the seal, a MAC of all before it with the token as key. So nothing is taken from a file that was
cut, damaged, changed by hand or written by someone else, and what was checked when it was read from
the server (an index against its digest) needs no second check: this very version of the program
did that. The token itself is not in it, and cannot be found from the seal: it is 160 random bits.
"""

import hmac
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from registry_gc.errors import RegistryGcError
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.memory import Memory
from registry_gc.registry.versions import Version

SCHEMA = 1
START = b'{"registry-gc cache": '
"""How every such file begins."""
LARGEST = 256 << 20  # bytes; 20,000 versions take about 10 MiB

Head = Mapping[str, str]
"""What must be the same for the file to say anything: the program, the server and its version."""


class Useless(RegistryGcError):
    """Nothing is taken from a file; the message says why, in a few words."""

    @classmethod
    def damaged(cls) -> "Useless":
        """Not as it was written, or not written with this token."""
        return cls("it is damaged, or another token wrote it")

    @classmethod
    def other(cls, what: str, there: object, here: str) -> "Useless":
        """Written for something else."""
        return cls(f"it is for the {what} {there}, and this is {here}")


def lines(memories: Mapping[str, Memory], head: Head, token: str) -> Iterator[str]:
    """The lines of a file with what is remembered of each owner's versions.

    What was not listed is forgotten, unless nothing of that owner was.
    """
    seal = _seal(token)
    for body in _bodies(memories, head):
        line = json.dumps(body) + "\n"
        seal.update(line.encode())
        yield line
    yield _last(seal)


def load(path: Path, head: Head, token: str) -> dict[str, Memory]:
    """What is remembered of each owner's versions. Raises Useless, and OSError."""
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise Useless(f"it has more than {LARGEST >> 20} MiB")
    end = raw.rfind(b"\n", 0, -1) + 1
    seal = _seal(token)
    seal.update(memoryview(raw)[:end])
    if not hmac.compare_digest(raw[end:], _last(seal).encode()):
        raise Useless.damaged()
    bodies = (json.loads(line) for line in BytesIO(raw) if line != raw[end:])
    _check(next(bodies), head)
    return _memories(bodies)


def _bodies(memories: Mapping[str, Memory], head: Head) -> Iterator[Any]:
    yield {"registry-gc cache": SCHEMA, **head}
    for owner, memory in memories.items():
        yield {"owner": owner}
        digests: set[tuple[str, str]] = set()
        for v, manifest in (memory.rows or {}).items():
            if v.id in memory.listed or not memory.listed:
                digests.update((v.image, digest) for digest in manifest.digests)
                created = v.created.isoformat()
                yield [v.id, v.image, v.name, created, manifest.digests, manifest.blobs]
        for (image, digest), children in memory.indexes.items():
            if (image, digest) in digests:
                yield [image, digest, [(child.digest, child.platform) for child in children]]


def _check(found: Mapping[str, object], head: Head) -> None:
    for what, there in found.items():
        here = str(SCHEMA) if what == "registry-gc cache" else head.get(what, "")
        if str(there) != here:
            raise Useless.other(what, there, here)


def _memories(bodies: Iterator[Any]) -> dict[str, Memory]:
    found: dict[str, Memory] = {}
    for body in bodies:
        match body:
            case {"owner": owner}:
                rows: dict[Version, Manifest] = {}
                memory = found[owner] = Memory(rows=rows)
            case [number, image, name, created, digests, blobs]:
                version = Version(number, image, name, datetime.fromisoformat(created))
                rows[version] = Manifest(_shared(digests), (), _sizes(blobs))
            case [image, digest, children]:
                listed = tuple(Child(sys.intern(child), where) for child, where in children)
                memory.indexes[image, sys.intern(digest)] = listed
    return found


def _shared(digests: list[str]) -> tuple[str, ...]:
    return tuple(map(sys.intern, digests))


def _sizes(blobs: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple((sys.intern(digest), size) for digest, size in blobs)


def _seal(token: str) -> hmac.HMAC:
    return hmac.new(token.encode(), digestmod="sha256")


def _last(seal: hmac.HMAC) -> str:
    return json.dumps({"seal": seal.hexdigest()}) + "\n"
