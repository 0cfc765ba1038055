"""The names of the trash: a tag that goes is kept as `gc-trash.<tag>` for a while.

Where that name is too long or taken, it ends in a mark instead, made of the tag and its digest, so
that every tag has a name in the trash and nothing in the trash is written over.
"""

import hashlib
from collections.abc import Mapping

PREFIX = "gc-trash."
MARK = 16  # hexadecimal digits
LONGEST = 128  # characters of a tag (OCI distribution specification)


def is_in_trash(name: str) -> bool:
    """Whether a version's name is one of the trash."""
    return name.startswith(PREFIX)


def trash_name(tag: str, digest: str, taken: Mapping[str, str]) -> str:
    """The name under which a tag with this digest goes into the trash.

    `taken` has the digest of each name in the image's trash, "" where it is not known. A name
    that holds the same digest is used again: a run that ended early left it.
    """
    plain = PREFIX + tag
    if len(plain) <= LONGEST and taken.get(plain, digest) == digest:
        return plain
    return _marked(tag, digest)


def is_name_of(name: str, tag: str, digest: str) -> bool:
    """Whether a name in the trash, which holds this digest, is that of the tag."""
    return name in (PREFIX + tag, _marked(tag, digest))


def is_marked(name: str, tag: str) -> bool:
    """Whether a name in the trash ends in a mark and may be that of the tag."""
    start, dot, mark = original(name).rpartition(".")
    return len(mark) == MARK and bool(dot) and tag.startswith(start)


def original(name: str) -> str:
    """The tag that a name in the trash stands for, as far as the name alone tells."""
    return name.removeprefix(PREFIX)


def _marked(tag: str, digest: str) -> str:
    mark = "." + hashlib.sha256(f"{tag}\n{digest}".encode()).hexdigest()[:MARK]
    return PREFIX + tag[: LONGEST - len(PREFIX) - len(mark)] + mark
