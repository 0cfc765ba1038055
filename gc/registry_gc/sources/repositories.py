"""Searches the default branches of repositories on the server, each a root of its own.

Left out, and counted: files that are binary by their name or their content, files over 10 MiB,
symbolic links, and submodules, which are repositories of their own. Of files in Git LFS only the
names of their contents are there.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from registry_gc.errors import RegistryGcError, Stop
from registry_gc.server import checkout, contents, forge, parallel
from registry_gc.server.client import Client
from registry_gc.server.forge import Repository
from registry_gc.settings.parse import is_pattern
from registry_gc.sources.mentions import Search
from registry_gc.sources.source import Doubt, Found, Images, LookedAt, Progress, counted, together
from registry_gc.sources.texts import Empty, NotText
from registry_gc.sources.vocabulary import Vocabulary

LARGEST = 10 << 20  # bytes of a file; servers give no more of one (DEFAULT_MAX_BLOB_SIZE)
AT_ONCE = 8  # repositories: more gain nothing, and each may hold an archive
_BINARY = re.compile(  # the names of files that are no texts: they are not even asked for
    r".*\.(7z|avi|bin|blend|bmp|bz2|class|db|deb|dll|dylib|eot|exe|flac|gif|gz|ico|iso|jar|jpeg|jpg|"
    r"mkv|mov|mp3|mp4|ogg|onnx|otf|parquet|pdf|png|psd|pyc|qcow2|rar|rpm|so|sqlite|tar|tgz|tif|tiff|"
    r"ttf|war|wasm|wav|webm|webp|whl|woff|woff2|xcf|xz|zip|zst)",
    re.IGNORECASE | re.DOTALL,
)


class Unsearched(RegistryGcError):
    """Repositories that were to be searched and were not: nothing may be deleted."""

    @classmethod
    def unknown(cls, pattern: str) -> "Unsearched":
        """No repository has such a name."""
        return cls(
            f"protect-from-repositories: {pattern} names no repository that the token's user sees. "
            "Correct it, or let that user read the repository."
        )

    @classmethod
    def failed(cls, what: str, error: RegistryGcError) -> "Unsearched":
        """One could not be read, or not listed."""
        return cls(f"protect-from-repositories: {what} was not searched. {error}")


def search(client: Client, patterns: Sequence[str], images: Images, progress: Progress) -> Found:
    """Search the repositories that the patterns name for what they use of the owner's images.

    Raises Unsearched for a pattern that names none, and for a repository that cannot be read.
    """
    if not patterns:
        return Found()
    repositories, words = _named(client, patterns), Vocabulary.for_images(client.owner, images)

    with progress("searching repositories", len(repositories)) as advance:

        def look(repository: Repository) -> _Look:
            try:
                return _look(client, repository, Search(words))
            except Stop:
                raise
            except RegistryGcError as error:
                raise Unsearched.failed(repository.name, error) from error
            finally:
                advance()

        looks = parallel.in_order(min(AT_ONCE, client.concurrency), look, repositories)
    return together([*(look.found for look in looks), Found(looked_at=tuple(_counted(looks)))])


def _named(client: Client, patterns: Iterable[str]) -> list[Repository]:
    """Every repository that a pattern names, by name."""
    found: dict[str, Repository] = {}
    listed: dict[str, list[Repository]] = {}  # what is asked for -> what was answered
    for pattern in patterns:
        owner = pattern.partition("/")[0]
        asked = pattern if not is_pattern(pattern) else "" if is_pattern(owner) else owner
        try:
            known = listed[asked] = listed.get(asked) or _listed(client, asked)
        except Stop:
            raise
        except RegistryGcError as error:
            raise Unsearched.failed(pattern, error) from error
        named = [r for r in known if _fits(r.name, pattern)]
        if not named:
            raise Unsearched.unknown(pattern)
        found |= {repository.name: repository for repository in named}
    return [found[name] for name in sorted(found)]


def _listed(client: Client, asked: str) -> list[Repository]:
    """One repository, those of an owner, or with "" all that the token's user sees."""
    if "/" in asked:
        return [forge.repository(client, asked)]
    return forge.repositories_of(client, asked) if asked else forge.repositories(client)


def _fits(name: str, pattern: str) -> bool:
    parts = zip(name.lower().split("/"), pattern.split("/"), strict=True)
    return all(fnmatchcase(part, glob) for part, glob in parts)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a repository says, and what of it was searched."""

    found: Found = field(default_factory=Found)
    at: datetime | None = None
    counts: tuple[int, ...] = (0, 0, 0, 0, 0)
    """Of what _NOUNS says."""


_NOUNS = (
    ("file in them", "files in them"),
    ("binary file left out", "binary files left out"),
    ("file over 10 MiB left out", "files over 10 MiB left out"),
    ("symbolic link left out", "symbolic links left out"),
    ("submodule left out", "submodules left out"),
)


def _look(client: Client, repository: Repository, texts: Search) -> _Look:
    if repository.is_empty:
        return _Look()
    place = f"{repository.name}@{repository.branch}:"
    tree = contents.tree(client, repository.name, repository.branch)
    links = [file.path for file in tree.files if file.is_link]
    large = [file.path for file in tree.files if file.size > LARGEST]
    binary = {file.path for file in tree.files if _BINARY.fullmatch(file.path)} - {*links, *large}
    left_out = binary.union(links, large)
    wanted = {file.path: file for file in tree.files if file.path not in left_out}
    for path, chunks in checkout.files(client, repository.name, tree, wanted):
        binary.discard(path)
        try:
            texts.read(f"{place} {path}", chunks)
        except Empty:
            continue
        except NotText:
            binary.add(path)
    searched = wanted.keys() - binary
    counts = tuple(map(len, (searched, binary, large, links, tree.submodules)))
    found = together([texts.found(), Found(doubts=_doubts(place, large))])
    return _Look(found, tree.at, counts)


def _doubts(place: str, large: Sequence[str]) -> tuple[Doubt, ...]:
    if not large:
        return ()
    names = ", ".join(large[:3]) + (", …" if len(large) > 3 else "")
    return (Doubt(place, f"{names}: not searched, for it is over 10 MiB"),)


def _counted(looks: Collection[_Look]) -> Iterator[LookedAt]:
    at = min((look.at for look in looks if look.at), default=None)
    yield counted(len(looks), "repository", "repositories", at)
    columns = zip(*(look.counts for look in looks), strict=True)
    for (one, many), total in zip(_NOUNS, map(sum, columns), strict=True):
        if total:
            yield counted(total, one, many)
