"""The file in which a run finds what earlier ones read, and leaves what it read itself."""

from collections.abc import Callable
from pathlib import Path

from registry_gc import __version__
from registry_gc.errors import RegistryGcError
from registry_gc.registry import cache
from registry_gc.registry.memory import Memory
from registry_gc.report import files
from registry_gc.report.report import Problem
from registry_gc.run import problems
from registry_gc.server import version
from registry_gc.server.client import Client
from registry_gc.settings.inputs import Settings


class NotKept(RegistryGcError):
    """Nothing can be remembered of this server."""

    @classmethod
    def unknown(cls, found: str) -> "NotKept":
        """No release, or it does not tell."""
        what = f"is {found}, which is no release" if found else "does not tell its version"
        return cls(f"cache: neither read nor written, for the server {what}.")

    @classmethod
    def freezing(cls, found: str) -> "NotKept":
        """A tag that is pushed again is another there, and cannot be told from the old one."""
        return cls(
            f"cache: neither read nor written, for on {found} a version can change its content. "
            "Update the server."
        )


class Cache:
    """What is remembered of the versions of each owner, and the file it is kept in.

    A version never changes what it holds, on all servers but Gitea 1.25.0 and 1.25.1 (read in the
    sources of 1.21 to main and Forgejo: it is written in one transaction, and a push makes a new
    one). So both the server and the one that the file was written for must tell that they are
    another release, and the same: between two different ones there may have been one of those.
    """

    def __init__(self, path: Path | None, settings: Settings) -> None:
        self._path, self._settings = path, settings
        self._head: cache.Head | None = None
        self._found: dict[str, Memory] = {}
        self._used: dict[str, Memory] = {}

    def open(self, client: Client, note: Callable[[str], object]) -> None:
        """Reads the file, if there is one to use; what is not used is noted in a line.

        Raises Stop.
        """
        if self._path is None:
            return
        try:
            self._head = _head(client)
            self._found = cache.load(self._path, self._head, self._settings.token)
        except FileNotFoundError:
            pass
        except NotKept as error:
            note(str(error))
        except (cache.Useless, OSError) as error:
            why = getattr(error, "strerror", None) or error
            note(f"cache: {self._settings.cache} is not used: {why}. Everything is read anew.")

    def memory_of(self, owner: str) -> Memory:
        """What is remembered of the owner's versions, to be added to."""
        if self._head is None:
            return Memory()
        name = owner.lower()
        return self._used.setdefault(name, self._found.get(name, Memory(rows={})))

    def write(self) -> list[Problem]:
        """Replaces the file by what is remembered now; a warning when that cannot be done."""
        is_seen = any(memory.listed for memory in self._used.values())
        if self._path is None or self._head is None or not is_seen:
            return []
        try:
            lines = cache.lines(self._used, self._head, self._settings.token)
            files.replace(self._path, lines)
        except files.NotWritten as error:
            return [problems.not_remembered(error)]
        return []


def _head(client: Client) -> cache.Head:
    """What a file must be for. Raises NotKept, and Stop."""
    found = version.release_of(client)
    if not version.is_release(found):
        raise NotKept.unknown(found)
    if version.freezes_rows(found):
        raise NotKept.freezing(found)
    return {"program": __version__, "server": client.server_url, "server's version": found}
