"""Bytes of any encoding, in pieces of any size, as a text that can be searched."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry_gc.errors import RegistryGcError

WINDOW = 1 << 18  # bytes of a text looked at in one go
AROUND = 512  # bytes of the text before and after them

_SAMPLE = 8 * 1024  # bytes at the beginning in which a NUL tells a binary at once
_BOMS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BREAKS = (b"\n", b" ", b'"', b",", b"<")  # never within a word or a reference to an image
_STRETCH = 1 << 16  # bytes without a break from which on words are cut
_ESCAPING = re.compile(  # what changes a word, or what it stands beside
    rb"%[0-9a-fA-F]{2}|\\(?:[abfnrtv][\w.-]|[/.-]|[\w](?<![abfnrtv]))"
    rb"|\.\d{1,9}(?:-[\w.-]{1,60})?\+\w|\$\{\w{1,100}:?[-=+?]",
    re.ASCII,
)
_ESCAPES = re.compile(
    rb"(?:%|\\++u00|\\++x)(?P<code>[0-9a-fA-F]{2})|\\++(?P<control>u[0-9a-fA-F]{4}|[abfnrtv])?"
    rb"|(?P<variable>\$\{\w{1,100}:?[-=+?])",
    re.ASCII,
)
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")


class NotText(RegistryGcError):
    """What was given as a text is none; the message is what a sentence about it ends in."""

    @classmethod
    def binary(cls) -> "NotText":
        """It holds a NUL, which no text does."""
        return cls("it is binary")

    @classmethod
    def compressed(cls) -> "NotText":
        """It begins as gzip, bzip2, xz, zstd and zip do."""
        return cls("it is compressed: unpack it first")


class Empty(NotText):
    """A text without anything in it."""

    def __init__(self) -> None:
        super().__init__("it is empty")


def plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text, UTF-16 and UTF-32 as UTF-8, all else as it is, with `\\n` for each end of a line.

    Raises NotText: at once when the beginning tells that it is none, and after all was given when
    only a later NUL does, for what stands there may be in use. Raises Empty, and what the chunks
    raise, at the end.
    """
    failures: list[Exception] = []
    pieces = _without_failure(chunks, failures)
    head = _beginning(pieces)
    if head.startswith(_COMPRESSED):
        raise NotText.compressed()
    coding = next((coding for bom, coding in _BOMS if head.startswith(bom)), "")
    if not coding and b"\0" in head[:_SAMPLE]:
        raise NotText.binary()
    decoder = codecs.getincrementaldecoder(coding)("replace") if coding else None
    is_binary, is_empty, held = False, True, b""
    for piece in _with_end(head, pieces):
        text = piece or b""
        if decoder:
            text = decoder.decode(text, piece is None).encode("utf-8", "replace")
        text = held + text
        # The line feed of a carriage return may be in the next piece.
        held = b"\r" if text.endswith(b"\r") and piece is not None else b""
        text = text[: len(text) - len(held)]
        is_binary = is_binary or b"\0" in text
        is_empty = is_empty and (not text or text.isspace() or text == codecs.BOM_UTF8)
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if failures:
        raise failures[0]
    if is_binary:
        raise NotText.binary()
    if is_empty:
        raise Empty


def _without_failure(pieces: Iterable[bytes], failures: list[Exception]) -> Iterator[bytes]:
    """The pieces up to where they fail, for what is read by then may be in use."""
    try:
        yield from pieces
    except (RegistryGcError, OSError) as error:
        failures.append(error)


def _beginning(pieces: Iterator[bytes]) -> bytes:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _SAMPLE:
            break
    return head


def _with_end(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    yield head
    yield from pieces
    yield None


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a text, cut where no word is, with what stands around it."""

    before: bytes
    """What stands before it in the text."""
    body: bytes
    """The piece itself."""
    after: bytes
    """What stands after it in the text."""


def windows(pieces: Iterable[bytes]) -> Iterator[Window]:
    """The text, in order, in windows of about `WINDOW` bytes, the only ones held at a time.

    Where it has no break for long, words are cut, and two windows have the bytes around the cut.
    What the pieces raise is raised after the window that holds the last of them.
    """
    before, held = b"", bytearray()
    failures: list[Exception] = []
    for piece in _without_failure(pieces, failures):
        held += piece
        while len(held) > WINDOW + AROUND:
            cut = max(held.rfind(sign, WINDOW - _STRETCH, WINDOW) for sign in _BREAKS) + 1
            stop = cut or WINDOW
            yield Window(before, bytes(held[:stop]), bytes(held[stop : stop + AROUND]))
            cut = cut or WINDOW - AROUND
            before = bytes(held[cut - AROUND : cut])
            del held[:cut]
    yield Window(before, bytes(held), b"")
    if failures:
        raise failures[0]


def unescaped(window: Window) -> Window:
    """The window without escapes of addresses, JSON and shells; its lines stay what they are.

    `%3A` and `\\u003a` are `:`, `\\/` is `/` and `\\n` a space; `1.2.0+7` is the tag `1.2.0_7`, as
    helm writes it; the default in `${TAG-v1}` is a word of its own. The same window when it has
    nothing of this.
    """
    if not _ESCAPING.search(window.body):
        return window
    parts = (window.before, window.body, window.after)
    return Window(*(_ESCAPES.sub(_meaning, part).replace(b"+", b"_") for part in parts))


def _meaning(escape: re.Match[bytes]) -> bytes:
    if code := escape["code"]:
        sign = bytes.fromhex(code[-2:].decode())
        return sign if b" " < sign < b"\x7f" else b" "
    if escape["variable"]:
        return b"${&"
    return b" " if escape["control"] else b""
