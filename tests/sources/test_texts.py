"""Texts of any size and encoding are searched whole, in pieces, and in bounded memory."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.sources import findings, reading, texts
from registry_gc.sources.findings import Findings, TooManyDigests
from registry_gc.sources.mentions import Search
from registry_gc.sources.reading import Reading, Seen
from registry_gc.sources.source import Found
from registry_gc.sources.texts import NotText, Window, plain, windows
from registry_gc.sources.vocabulary import Vocabulary
from tests.sources.roots import DIGEST

WORDS = Vocabulary.for_images(
    "justin", {"use": ["t17", "t18", "1", "a"], "team/app": ["t17", "x-y"]}
)
LONG = texts.WINDOW + texts.AROUND


def read(*pieces: bytes, words: Vocabulary = WORDS) -> Found:
    search = Search(words)
    search.read("f", pieces)
    return search.found()


def repeated(unit: bytes, size: int) -> Iterator[bytes]:
    piece = unit * (65536 // len(unit))
    for _ in range(size // len(piece)):
        yield piece


# What costs most where a search goes back and forth: words without end, and their beginnings.
@pytest.mark.parametrize("unit", [
    b"justin/", b"registry:/", b"${A:-/", b"$a/", b"tag /", b"justin/use ", b"use:", b"1:", b"a-",
    b"x", b"\\", b"%41", b"\\n", b"\\u00", b".", b"-", b"use-", b"tag: ", b"image: {{ ", b"{{",
    b"sha256:", b"postgres:1 ", b"use@sha256:", b"image: $A/", b"\xe9", b"'\"", b"+", b"a+",
    b"image", b"tag=tag=", b"@a", b"%a", b"<a", b"`", b"\r", b"use$", b"~", b"v1.x ",
])  # fmt: skip
def test_a_long_text_is_searched_to_its_end(unit: bytes) -> None:
    """Hangs, instead of failing, when the search is no longer linear."""
    found = read(*repeated(unit, 400_000), b" justin/team/app:t17")
    assert found.tags["team/app"]["t17"].startswith("f:")


@pytest.mark.parametrize("word", [b"justin/use:t17", b"$R/use:t17", f"use@{DIGEST}".encode()])
@pytest.mark.parametrize("before", [b"x ", b"\n", b'"', b"="])
def test_what_lies_across_the_end_of_a_window_is_found(before: bytes, word: bytes) -> None:
    """Also where the text has no break at all for long."""
    for place in range(LONG - 2 * len(word), LONG + 2, 7):
        filled = (before * place)[: place - 1] + b" "
        found = read(filled, word, b" x" * 300)
        assert found.tags.get("use", {}).get("t17") or found.digests["use"]
    for place in range(LONG - 100, LONG + 2, 9):
        assert read(b"=" * place, word, b"=" * 600).tags or b"@" in word


def test_a_line_is_counted_over_windows_of_every_reading() -> None:
    line = b"x: 0123456789 \\/ %20\n"
    lines = 3 * LONG // len(line)
    found = read(line * lines, b"justin%2Fuse%3At17\n", line * lines, b"justin/use:t18")
    assert found.tags["use"] == {"t17": f"f:{lines + 1}", "t18": f"f:{2 * lines + 2}"}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_the_pieces_of_a_text_make_no_difference(sizes: list[int]) -> None:
    text = (
        b"\r\n# a\r\nimage: justin/use:t17\r\nx: %6Austin/team%2Fapp:x-y\rtag: ${T}\r\n"
        b'{"a":"justin\\/use:t18\\n"}\r\n' + DIGEST.encode()
    )
    for coded in (text, text.decode().encode("utf-16"), text.decode().encode("utf-32")):
        pieces, at = [], 0
        for size in sizes:
            pieces.append(coded[at : at + size])
            at += size
        assert read(*pieces, coded[at:]) == read(coded)


def test_no_more_than_a_window_of_a_text_is_held() -> None:
    for unit in (b"x", b"x y ", b"x\n"):
        sizes = [len(w.before + w.body + w.after) for w in windows(repeated(unit, 10 * LONG))]
        assert max(sizes) < LONG + 2 * texts.AROUND
        assert len(sizes) > 9
    assert len(list(windows([b"x" * 10 * LONG]))) > 9


def test_what_is_remembered_of_a_text_does_not_grow_with_it() -> None:
    """Whatever is in it: words of its own, doubts, mentions, surroundings."""
    seen, found = Seen(), Findings(WORDS)
    text = Reading("f", WORDS, found, seen)
    with patch.object(reading, "MOST", 500):
        for place in range(20):
            lines = (
                b'{"uid":"%032x","image":"justin/use:%x","tag":"${A%x}","_1":1}' % (n * 7919, n, n)
                for n in range(place * 200, place * 200 + 200)
            )
            text.look(Window(b"", b",".join(lines), b""))
            assert max(len(seen.dull), len(seen.done), len(seen.meanings)) <= 500
    assert len(found.answer().doubts) < 100


def test_more_digests_than_can_be_remembered_end_the_run() -> None:
    lines = [b"sha256:%064x\n" % n for n in range(101)]
    with patch.object(findings, "MOST_DIGESTS", 100):
        assert len(read(b"justin/use\n", *lines[1:]).digests["use"]) == 100
        with pytest.raises(TooManyDigests, match=r"f:102: .* more than 100 digests"):
            read(b"justin/use\n", *lines)


def test_the_number_of_tags_makes_no_difference() -> None:
    """Hangs, instead of failing, when each tag is looked for by itself."""
    many = Vocabulary.for_images("justin", {"use": [f"v1.{n}.0" for n in range(20_000)]})
    found = read(
        *repeated(b"some words, and 1.2 numbers 3.4\n", 3_000_000), b"use 1.777.0", words=many
    )
    assert list(found.tags["use"]) == ["v1.777.0"]


@pytest.mark.parametrize("data", [b"\0", b"a" * 9000 + b"\0", b"\x1f\x8b\x08", b"PK\x03\x04", b""])
def test_what_is_no_text_is_refused_however_it_comes(data: bytes) -> None:
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        with pytest.raises(NotText):
            list(plain(pieces))
