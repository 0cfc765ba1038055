"""Texts in memory, searched as one root."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from registry_gc.sources.mentions import Search
from registry_gc.sources.source import Found, Images
from registry_gc.sources.texts import Empty
from registry_gc.sources.vocabulary import Vocabulary

OWNER = "Justin"
DIGEST = "sha256:" + "0123456789abcdef" * 4
TAGS = ("latest", "t17", "t18", "t1", "main", "5000")
IMAGES: Images = {"use": TAGS, "Use-Other": TAGS, "team/app": TAGS}
Tags = set[tuple[str, str]]


def searched(
    *texts: str | bytes, images: Images = IMAGES, names: Iterable[str] = "fghijklmn"
) -> Found:
    """What the texts, called `f`, `g`, `h` unless they have names, say together."""
    search = Search(Vocabulary.for_images(OWNER, images))
    for name, text in zip(names, texts, strict=False):
        with suppress(Empty):
            search.read(name, [text.encode() if isinstance(text, str) else text])
    return search.found()


def pairs(known: Mapping[str, Mapping[str, str]]) -> Tags:
    """(image, tag) or (image, digest), without the places."""
    return {(image, name) for image, places in known.items() for name in places}


def tags(*texts: str | bytes, images: Images = IMAGES) -> Tags:
    """The (image, tag) that are in use."""
    return pairs(searched(*texts, images=images).tags)


def doubted(found: Found) -> list[str]:
    """The images that there are doubts about, "" for one of whatever image."""
    return [doubt.image for doubt in found.doubts]


def told(text: str | bytes) -> tuple[Tags, set[str], Sequence[str]]:
    """The tags, the digests and the doubted images of one text."""
    found = searched(text)
    return pairs(found.tags), {name for _, name in pairs(found.digests)}, doubted(found)
