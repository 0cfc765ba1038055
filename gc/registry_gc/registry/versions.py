"""A version, as plain data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

Pushed = tuple[datetime, int]
"""When a version was pushed, and its id: the greatest is the newest."""


@dataclass(frozen=True, slots=True)
class Version:
    """One row of the package API."""

    id: int
    """New for every push of a tag, even of the same digest (Gitea 1.25.0 and .1 excepted)."""
    image: str
    """The image's name, lower case."""
    name: str
    """A tag, or `sha256:<hex>` when untagged."""
    created: datetime
    """UTC."""

    @property
    def pushed(self) -> Pushed:
        """What puts versions in order: of two of one second, the higher id is the newer."""
        return self.created, self.id


def newest_first(versions: Iterable[Version]) -> list[Version]:
    """The versions in that order, the newest first."""
    return sorted(versions, key=lambda version: version.pushed, reverse=True)
