"""The sandbox's repositories: what they hold, without any git."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import posixpath
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .rows import Owner

Files = dict[str, bytes]


@dataclass
class Repository:
    """A repository; a test changes it directly."""

    id: int
    owner: Owner
    name: str
    private: bool = False
    archived: bool = False
    default_branch: str = "main"
    has_pull_requests: bool = True
    has_code: bool = True
    """Whether those who see it may read its code."""
    branches: dict[str, Files] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    pulls: dict[int, str] = field(default_factory=dict)
    """Number -> `open` or `closed`."""
    links: set[str] = field(default_factory=set)
    """Paths whose content is where a symbolic link leads."""
    submodules: set[str] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        return f"{self.owner.name}/{self.name}"

    def refs(self) -> list[str]:
        heads = [f"refs/heads/{branch}" for branch in sorted(self.branches)]
        pulls = [f"refs/pull/{number}/head" for number in sorted(self.pulls)]
        return [*heads, *pulls, *(f"refs/tags/{tag}" for tag in sorted(self.tags))]

    def files(self, ref: str) -> Files | None:
        """The files of a branch, by its full or short name, or by the id of its last commit."""
        for branch, files in self.branches.items():
            if ref in (f"refs/heads/{branch}", branch, self.commit(files)):
                return files
        return None

    def below(self, sha: str) -> Files | None:
        """The files of a tree, which is a branch's or a folder's, by its id."""
        for files in self.branches.values():
            if sha == self.root(files):
                return files
            for row in self.tree(files):
                if row["type"] == "tree" and row["sha"] == sha:
                    start = f"{row['path']}/"
                    return {p[len(start) :]: files[p] for p in files if p.startswith(start)}
        return None

    def commit(self, files: Files) -> str:
        return _sha(f"{self.id} {self.root(files)}".encode())

    def root(self, files: Files) -> str:
        """The id of the tree that a branch's commit has."""
        return _sha(str([(path, blob_id(files[path])) for path in sorted(files)]).encode())

    def archive(self, files: Files, folder: str = "") -> bytes:
        """A tar.gz as git makes it: .gitattributes leaves files out, and changes their encoding.

        With a folder of the files it holds no others, and their paths stay what they are.
        """
        raw, attributes = io.BytesIO(), _attributes(files)
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for path, content in sorted(files.items()):
                if not path.startswith(f"{folder}/" if folder else ""):
                    continue
                info = tarfile.TarInfo(f"{self.name}/{path}")
                if path in self.links:
                    info.type, info.linkname = tarfile.SYMTYPE, content.decode()
                    tar.addfile(info)
                elif path not in self.submodules and not _has(path, "export-ignore", attributes):
                    is_other = _has(path, "working-tree-encoding=UTF-16LE", attributes)
                    body = content.decode().encode("utf-16-le") if is_other else content
                    info.size = len(body)
                    tar.addfile(info, io.BytesIO(body))
        return gzip.compress(raw.getvalue(), mtime=0)

    def tree(self, files: Files) -> list[dict[str, Any]]:
        """The entries of `git/trees?recursive=1`, by path."""
        folders = {p.rsplit("/", n)[0] for p in files for n in range(1, p.count("/") + 1)}
        rows = [_row(path, "040000", "tree", path.encode()) for path in folders]
        for path, content in files.items():
            if path in self.submodules:
                rows.append(_row(path, "160000", "commit", content))
            else:
                rows.append(
                    _row(path, "120000" if path in self.links else "100644", "blob", content)
                )
        return sorted(rows, key=lambda row: str(row["path"]))


class Forge:
    """All repositories of a sandbox."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.moved: dict[tuple[str, str], Repository] = {}
        """The names that repositories had before."""

    def add(
        self, owner: Owner, name: str, files: Mapping[str, str | bytes] | None = None, **about: Any
    ) -> Repository:
        """A repository; without any files it is empty."""
        made = Repository(len(self.repositories) + 1, owner, name, **about)
        if files:
            made.branches[made.default_branch] = {
                path: text.encode() if isinstance(text, str) else text
                for path, text in files.items()
            }
        self.repositories[owner.name.lower(), name.lower()] = made
        return made

    def rename(self, repository: Repository, name: str) -> None:
        old = repository.owner.name.lower(), repository.name.lower()
        self.moved[old] = self.repositories.pop(old)
        repository.name = name
        self.repositories[old[0], name.lower()] = repository


def blob_id(content: bytes) -> str:
    """The name that git gives the content."""
    return _sha(b"blob %d\0" % len(content) + content)


def _sha(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _row(path: str, mode: str, kind: str, content: bytes) -> dict[str, Any]:
    is_blob = kind == "blob"
    size, sha = (len(content), blob_id(content)) if is_blob else (0, _sha(content))
    return {"path": path, "mode": mode, "type": kind, "size": size, "sha": sha}


def _attributes(files: Files) -> list[tuple[str, list[str]]]:
    """Pattern of a path from the top -> attributes, of every .gitattributes."""
    found = []
    for path, content in files.items():
        folder, name = posixpath.split(path)
        for line in content.decode().splitlines() if name == ".gitattributes" else ():
            pattern, *attributes = line.split()
            found.append((posixpath.join(folder, pattern), attributes))
    return found


def _has(path: str, attribute: str, attributes: list[tuple[str, list[str]]]) -> bool:
    return any(attribute in has and fnmatch.fnmatchcase(path, glob) for glob, has in attributes)
