"""What stands around a word of a text: which image it is the tag of, how an image is named.

Every function takes a text in lower case and places in it, and looks at most `SIGHT` bytes far;
no pattern repeats anything without a bound: the cost stays linear in the length of a line.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto

from registry_gc.sources.vocabulary import Vocabulary, last_part

SIGHT = 300

# From a key to its value: `tag: t17`, `"tag": "t17"`, `tag = "t17"`, `TAG ?= t17`, `tag: &a >-`
TO = (
    rb"[\"'\\]{0,2}\s{0,40}(?:[:?]?=>?|:)\s{0,80}(?:&\w{1,40}\s{1,9})?(?:[|>][+-]?\s{1,80})?"
    rb"[\"'\\]{0,2}"
)
VARIABLE = (
    rb"(?:\$?\{\{[^{}\n]{0,100}\}\}|\$\{[^{}\n]{0,100}\}|\$\([^()\n]{0,100}\)"
    rb"|\$\w{1,100}|%(?![0-9a-fA-F]{2}%)[a-zA-Z_]\w{0,60}%|@\w{1,100}@|<[\w.-]{1,100}>)"
)

BEHIND_OWNER = re.compile(
    rb"\\?/([\w./-]{0,60})" + VARIABLE + rb"[\w./${}-]{0,60}(?::[\w$%{@<]|@[s${])", re.ASCII
)
"""An image's name with a variable in it, and a tag or digest; the group is what comes before."""

_NO_TAG = re.compile(rb"\\*[/:]")  # a port, or the middle of something: `registry:5000/app`
_OF_VARIABLES = (b"$", b"}", b"@", b"%")
_NO_IMAGE = re.compile(  # `version:1.2`, `env:prod`, `localhost:80`, `git.example.org:80`, `12:30`
    rb"(?:tag|ver|version|release|rev|revision|digest|ref|branch|commit|sha|channel|stage|env|build"
    rb"|app|service|container|image|chart|package|name|value|default|localhost|prod|production"
    rb"|staging|live|current|stable|next|previous|deploy|deployed)\Z|\.|\A[\d_-]*\Z",
    re.ASCII,
)
_HOST = re.compile(rb"[a-z0-9-]+(?:\.[a-z0-9-]+)+|\d{2,5}")  # or its port: `registry:5000/me/app`
_TAG_KEYS = (b"tag", b"version", b"digest", b"revision", b"release", b"value")
_IMAGE_KEYS = (b"image", b"repository", b"repo", b"chart", b"name")
_SPLIT_KEYS = (b"repository", b"repo", b"name", b"value")  # a tag has a key of its own
_INSIDE = re.compile(rb"\\?/[\w$%{<]", re.ASCII)
_WITH_TAG = re.compile(rb"\}?:\w|@sha256:[0-9a-f]{64}(?!\w)", re.ASCII)

_IN_KEY = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_IN_PATH = _IN_KEY + b"/\\"
_IN_REFERENCE = _IN_PATH + b":@${}()%<>"


class Naming(Enum):
    """How a text names an image."""

    INSIDE = auto()
    """As a part of a path that goes on: `charts/use/values.yaml`."""
    WITH_TAG = auto()
    """With a tag or digest behind it."""
    BARE = auto()
    """Without: it speaks of `latest`."""
    SPLIT = auto()
    """Without, under a key for the name alone: a tag may stand elsewhere."""


def naming(text: bytes, low: bytes, start: int, end: int) -> Naming:
    """How the image's name from `start` to `end` is used."""
    if _INSIDE.match(low, end):
        return Naming.INSIDE
    if _WITH_TAG.match(low, end):
        return Naming.WITH_TAG
    head = text[max(0, start - SIGHT) : start]
    key, between = key_before(text, start - len(head) + len(head.rstrip(_IN_REFERENCE)))
    is_split = key.lower().endswith(_SPLIT_KEYS) or key.endswith(b"IMAGE")
    return Naming.SPLIT if is_split or key + between == b"image=" else Naming.BARE


def is_telling(low: bytes, start: int, name: bytes) -> bool:
    """Whether a name, perhaps a common word, is hardly anything but the image's."""
    return (
        low[start - 1 : start] == b"/"
        or not name.isalpha()
        or key_before(low, start)[0].endswith(_IMAGE_KEYS)
    )


def is_sure(low: bytes, start: int, word: bytes) -> bool:
    """Whether a word that stands alone is hardly anything but a tag."""
    if len(word) > 4 and not word.isalpha():
        return True
    key = key_before(low, start)[0]
    return key.endswith(_TAG_KEYS) and not key.endswith(b"apiversion")


def key_before(text: bytes, start: int) -> tuple[bytes, bytes]:
    """The key whose value begins there, and all that is between them: `tag` and `: "`, or nothing.

    Also with a YAML anchor, or the sign of a block, before the value.
    """
    whole = text[max(0, start - SIGHT) : start]
    head = whole.rstrip(b" \t\n\"'\\>|+-")
    anchor = head.rfind(b"&")
    if anchor > 0 and head[anchor + 1 :].isalnum():
        head = head[:anchor].rstrip()
    if not head.endswith((b":", b"=")):
        return b"", b""
    head = head.rstrip(b":=?").rstrip(b" \t\"'\\")
    return head[len(head.rstrip(_IN_KEY)) :], whole[len(head) :]


def tagged_images(
    words: Vocabulary, text: bytes, low: bytes, start: int, end: int
) -> Sequence[str] | None:
    """The images that a word is plainly a tag of: none of the run's when it is another image's.

    None when the word may be the tag of any image. `text` is the same as it was written.
    """
    if low[start - 1 : start] != b":" or _NO_TAG.match(low, end):
        return None
    head = low[max(0, start - SIGHT) : start - 1]
    outside = head.rstrip(_IN_PATH)
    path = head[len(outside) :].replace(b"\\", b"").lstrip(b"-.")
    name = last_part(path)
    if not name or (b"/" not in path and outside.endswith(_OF_VARIABLES)):
        return None
    if images := words.images.get(name):
        return exactly(words, low, images, start - 1)
    if b"/" not in path and (name in words.parts or _NO_IMAGE.search(name)):
        return None
    written = text[start - 1 - len(name) : start - 1]
    return () if written == name else None  # images are named in lower case


def exactly(words: Vocabulary, low: bytes, images: Sequence[str], end: int) -> Sequence[str]:
    """Which of the images a path that ends there may mean.

    None whose owner's name is in it with another image behind it; and if it names an image from its
    host on, none of another owner.
    """
    head = low[max(0, end - SIGHT) : end]
    parts = head[len(head.rstrip(_IN_PATH)) :].replace(b"\\", b"").split(b"/")
    owned = {  # what an owner's name begins -> whether a host is before it
        b"/".join(parts[i:]): i > 0 and _HOST.fullmatch(parts[i - 1]) is not None
        for i, part in enumerate(parts[:-1])
        if part in words.owners
    }
    named = {path.partition(b"/")[0] for path in owned}
    is_whole = any(owned.get(words.paths[image]) for image in images)

    def may_be_meant(path: bytes) -> bool:
        return path in owned or not (is_whole or path.partition(b"/")[0] in named)

    return [image for image in images if may_be_meant(words.paths[image])]
