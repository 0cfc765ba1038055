"""All wanted files of a repository in few requests: folders packed, the rest one by one."""

import hashlib
import io
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
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
    for top, packed in _archives(client, name, tree, _packed(tree, wanted)):
        yield from _from_archive(packed, top, unproven)
    for path, file in unproven.items():
        yield path, iter([contents.blob(client, name, file.sha)])


def _archives(
    client: Client, name: str, tree: Tree, folders: Iterable[str]
) -> Iterator[tuple[str, bytes]]:
    """Folders packed, each with the folder that the paths in it begin at; one may stay away.

    They are asked for by their ids, and where the server takes none (1.27 on) of the branch: if
    that has moved meanwhile, what is another file now comes one by one.
    """
    takes_ids = True
    for folder in folders:
        if takes_ids:
            try:
                yield folder, contents.archive(client, name, tree.folders[folder])
            except Unreadable:
                takes_ids = False
            except WrongAnswer:
                continue
        if not takes_ids:
            with suppress(Unreadable, WrongAnswer):
                yield "", contents.archive(client, name, f"refs/heads/{tree.branch}", folder)


def _from_archive(
    packed: bytes, top: str, unproven: dict[str, File]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """What an archive has of the files; takes out what is proven to be what git has."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r|gz") as tar:
            for member in tar:
                path = _path(member.name, top, unproven)
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
    except _DAMAGED:
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


def _path(member: str, top: str, unproven: Mapping[str, File]) -> str:
    """Where in the repository a member lies; the server may put a folder around all of them."""
    inside = str(PurePosixPath(top, member.partition("/")[2]))
    return inside if inside in unproven else str(PurePosixPath(top, member))


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
