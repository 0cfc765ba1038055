"""A version, as plain data."""

from dataclasses import dataclass
from datetime import datetime


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
