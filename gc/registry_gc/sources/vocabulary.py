"""The words that a search looks for: made once, used for every root."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry_gc.registry.version_names import is_digest
from registry_gc.sources.source import Images

EDGES = (b".", b"_", b"-")
"""What a tag may have at its ends, and what a sentence or Markdown puts there."""
_IMAGE_KEYS = (b"image", b"container", b"from")
_KEYS = (b"tag", b"version", b"semver", b"range", b"revision", *_IMAGE_KEYS)
_LONGEST = 400  # bytes of a word that can mean something: tags have 128, images' names 255
_ENDINGS = (b".tgz", b".tar.gz", b".tar", b".zip")  # of a packed chart: `app-1.2.0.tgz`
_ODD_ENDS = (*EDGES, *_KEYS)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the words of a text may mean; all in lower case."""

    owners: frozenset[bytes]
    """Of the images."""
    paths: Mapping[str, bytes]
    """image -> its name behind its owner's: `my-org/team/app`"""
    tags: Mapping[bytes, Sequence[tuple[str, str]]]
    """a tag, and the same with or without its `v` -> (image, tag)"""
    images: Mapping[bytes, Sequence[str]]
    """the last part of an image's name -> the images that end in it"""
    parts: frozenset[bytes]
    """of these last parts: `web` of `shop-web`"""
    with_latest: frozenset[str]
    """the images that have a tag `latest`"""
    digests: Mapping[str, frozenset[str]]
    """image -> its untagged versions, `sha256:<hex>`"""

    @classmethod
    def for_images(cls, owner: str, images: Images) -> "Vocabulary":
        """For this owner's images; with "" each is named behind its own: `my-org/team/app`."""
        tags: dict[bytes, list[tuple[str, str]]] = {}
        lasts: dict[bytes, list[str]] = {}
        digests: dict[str, frozenset[str]] = {}
        for image, names in images.items():
            lasts.setdefault(last_part(image.lower().encode()), []).append(image.lower())
            digests[image.lower()] = frozenset(filter(is_digest, names))
            for tag in {name.lower() for name in names if not is_digest(name)}:
                other = tag[1:] if tag.startswith("v") else f"v{tag}"
                for spelled in (tag, other):
                    tags.setdefault(spelled.encode(), []).append((image.lower(), tag))
        with_latest = frozenset(image for image, tag in tags.get(b"latest", ()) if tag == "latest")
        parts = frozenset(part for name in lasts for part in re.split(rb"[._-]", name))
        start = f"{owner.lower()}/" if owner else ""
        paths = {image: f"{start}{image}".encode() for image in digests}
        owners = frozenset(path.partition(b"/")[0] for path in paths.values())
        return cls(owners, paths, tags, lasts, parts, with_latest, digests)

    def meanings(self, words: Iterable[bytes]) -> Iterator["Meaning"]:
        """Those of a text's words that may mean something, with all that they may mean."""
        for word in (word for word in words if len(word) <= _LONGEST):
            is_odd = word.startswith(EDGES) or word.endswith(_ODD_ENDS)
            is_known = word in self.tags or word in self.images or word in self.owners
            is_packed = b"-" in word and any(self._packed(word))
            if is_odd or is_known or is_packed:
                meaning = self._meaning(word)
                if meaning.tags or any(meaning.roles):
                    yield meaning

    def _meaning(self, word: bytes) -> "Meaning":
        images: Sequence[str] = ()
        name = b""
        for spelled in spellings(word):
            if spelled in self.images:
                name, images = spelled, self.images[spelled]
        tags = tuple(spelled for spelled in spellings(word) if spelled in self.tags)
        packed = () if images else tuple(self._packed(word))
        is_owner = word in self.owners
        return Meaning(word, tags, packed, images, word.find(name), len(name), is_owner)

    def _packed(self, word: bytes) -> Iterator[tuple[str, str]]:
        """Each (image, tag) of a word that has both: `app-1.2.0`, `app-1.2.0.tgz`."""
        end = next((len(e) for e in _ENDINGS if word.endswith(e)), 0)
        word = word[: len(word) - end]
        cut = word.find(b"-")
        while cut > 0:
            if images := self.images.get(word[:cut]):
                for spelled in spellings(word[cut + 1 :]):
                    yield from (pair for pair in self.tags.get(spelled, ()) if pair[0] in images)
            cut = word.find(b"-", cut + 1)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one word may mean, wherever it stands."""

    word: bytes
    """As it stands in the text, in lower case."""
    tags: Sequence[bytes]
    """as the vocabulary spells them: keys of its `tags`"""
    packed: Sequence[tuple[str, str]]
    """(image, tag), both of which are in it"""
    images: Sequence[str]
    """whose names end in it"""
    begins: int
    """where in the word that name begins, and its length"""
    length: int
    """Of the name that begins there."""
    is_owner: bool
    """Whether it is the name of an owner."""

    @property
    def roles(self) -> tuple[bool, ...]:
        """Whether it may be a key, the owner, images, or both an image and a tag."""
        return (self.is_key, self.is_owner, bool(self.images), bool(self.packed))

    @property
    def is_key(self) -> bool:
        """Whether the value that follows may be a tag or an image."""
        return self.word.endswith(_KEYS)

    @property
    def is_tag_key(self) -> bool:
        """Whether the value that follows is a tag."""
        return self.word.endswith(b"tag")

    @property
    def is_image_key(self) -> bool:
        """Whether the value that follows is an image."""
        return self.word.endswith(_IMAGE_KEYS)

    @property
    def is_tag_alone(self) -> bool:
        """Whether it may mean a tag, spelled so, and nothing else."""
        return self.word in self.tags and not any(self.roles)


def spellings(word: bytes) -> Iterator[bytes]:
    """The word, and the word without what may belong to the text around it."""
    yield word
    if word.startswith(EDGES) or word.endswith(EDGES):
        edges = b"".join(EDGES)
        yield from {word.strip(edges), word.rstrip(edges), word.lstrip(edges)} - {word, b""}


def last_part(name: bytes) -> bytes:
    """`use` of `team/use`."""
    return name.rpartition(b"/")[2]
