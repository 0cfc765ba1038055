"""Searches the texts of one root, the workspace or a repository, for what they say is in use."""

from collections.abc import Iterable

from registry_gc.errors import RegistryGcError
from registry_gc.sources.references import references
from registry_gc.sources.source import Doubt, Found, Images
from registry_gc.sources.texts import decoded


class NotText(RegistryGcError):
    """What was given as a text is none; the message says in a word or two why: `binary`."""


class Search:
    """The search of one root: `read` each text of it, then ask what was `found`."""

    def __init__(self, owner: str, images: Images) -> None:
        """For images of this owner."""
        self._owner = owner
        self._names = sorted({image.lower() for image in images})
        self._tags: dict[str, dict[str, str]] = {}
        self._digests: dict[str, dict[str, str]] = {}
        self._doubts: dict[tuple[str, str], Doubt] = {}

    def read(self, name: str, chunks: Iterable[bytes]) -> bool:
        """Search one text, whose bytes come in pieces of any size.

        `name` begins its places: `deploy/compose.yaml` of `deploy/compose.yaml:12`.
        Returns whether the text mentions an image of the run; raises NotText for a binary one.
        """
        is_mentioned = False
        text = decoded(b"".join(chunks))
        if text is None:
            raise NotText("binary")
        for found in references(text, self._owner, self._names):
            is_mentioned = True
            place = f"{name}:{found.line}"
            for tag in found.tags:
                self._tags.setdefault(found.image, {}).setdefault(tag, place)
            for digest in found.digests:
                self._digests.setdefault(found.image, {}).setdefault(digest, place)
            if found.is_unknown:
                doubt = Doubt(
                    place,
                    f"refers to {found.text}, whose tag cannot be known: if a pin is behind it, "
                    "add that tag to protect",
                    found.image,
                )
                self._doubts.setdefault((place, found.image), doubt)
        return is_mentioned

    def found(self) -> Found:
        """What the texts read so far say is in use."""
        doubts = tuple(self._doubts.values())
        return Found(self._tags, self._digests, doubts)
