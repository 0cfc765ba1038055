"""All wanted files of a repository in few requests: folders packed, the rest one by one."""

import hashlib
import io
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO, Any

from registry_gc.errors import WrongAnswer
from registry_gc.server import contents
from registry_gc.server.client import Client
from registry_gc.server.contents import File, Tree
from registry_gc.server.forge import Unreadable

LARGEST = 24 << 20  # bytes of the files in a folder that is asked for packed
WORTH = 256 << 10  # bytes of such a folder that are as dear as a request for a file
FEW = 3  # files that are asked for one by one, wherever they are
_CHUNK = 1 << 16
_DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error)


def files(
    client: Client, name: str, tree: Tree, wanted: Mapping[str, File]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The path and the content of each wanted file of the tree, in pieces, to be read in turn.

    What came in an archive and is not what git has, for attributes such as `eol` may change it or
    it may be damaged, comes once more, and so does what an archive leaves out.
    """
    unproven = dict(wanted)
    for folder in _packed(tree, wanted):
        yield from _from_archive(client, name, tree, folder, unproven)
    for path, file in unproven.items():
        yield path, iter([contents.blob(client, name, file.sha)])


def _from_archive(
    client: Client, name: str, tree: Tree, folder: str, unproven: dict[str, File]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """What is left of the files below a folder; takes out what is proven to be what git has."""
    try:
        packed = contents.archive(client, name, tree.folders[folder])
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r|gz") as tar:
            for member in tar:
                path = _path(member.name, folder, unproven)
                content = tar.extractfile(member) if path in unproven else None
                if content is None:
                    continue
                digest = _git_name(unproven[path].sha, member.size)
                chunks = _chunks(content, digest)
                yield path, chunks
                for _ in chunks:  # to the end, however much of it was of interest
                    pass
                if digest.hexdigest() == unproven[path].sha:
                    del unproven[path]
    except (Unreadable, WrongAnswer, *_DAMAGED):
        return  # one by one, then


def _chunks(content: IO[bytes], digest: Any) -> Iterator[bytes]:
    def read() -> bytes:
        try:
            chunk = content.read(_CHUNK)
        except _DAMAGED:
            return b""
        digest.update(chunk)
        return chunk

    return iter(read, b"")  # not a generator, which whoever reads a part of it would close


def _git_name(sha: str, size: int) -> Any:
    """The beginning of what git names a file's content by: SHA-1, or SHA-256 by its length."""
    header = b"blob %d\0" % size
    if len(sha) == 64:
        return hashlib.sha256(header)
    return hashlib.sha1(header, usedforsecurity=False)


def _path(member: str, folder: str, unproven: Mapping[str, File]) -> str:
    """Where in the repository a member lies; the server may put a folder around all of them."""
    inside = str(PurePosixPath(folder, member.partition("/")[2]))
    return inside if inside in unproven else str(PurePosixPath(folder, member))


def _packed(tree: Tree, wanted: Mapping[str, File]) -> list[str]:
    """The folders that are cheaper as an archive than file by file; none is in another."""
    sizes, counts = Counter[str](), Counter[str]()
    for file in tree.files:
        for folder in _above(file.path):
            sizes[folder] += file.size
            counts[folder] += file.path in wanted
    below: dict[str, list[str]] = {}
    for folder in sorted(tree.folders.keys() - {""}):
        below.setdefault(next(iter(_above(folder))), []).append(folder)
    chosen, todo = [], [""]
    while todo:
        folder = todo.pop()
        if counts[folder] > FEW:
            if sizes[folder] <= min(LARGEST, counts[folder] * WORTH):
                chosen.append(folder)
            else:
                todo += below.get(folder, ())
    return chosen


def _above(path: str) -> list[str]:
    """The folders that a path lies in, the nearest first, the root, "", last."""
    parents = [str(parent) for parent in PurePosixPath(path).parents]
    return ["" if parent == "." else parent for parent in parents]
