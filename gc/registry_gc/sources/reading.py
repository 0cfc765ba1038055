"""One text, read window by window: every word that may mean something, in its surroundings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from registry_gc.sources import contexts, doubts
from registry_gc.sources.contexts import Naming
from registry_gc.sources.findings import ADVICE, Findings
from registry_gc.sources.source import Place
from registry_gc.sources.texts import Window
from registry_gc.sources.vocabulary import Meaning, Vocabulary

_WORD = re.compile(rb"[a-z0-9_.-]+")
_WORDS_ALONE = bytes(i if _WORD.fullmatch(bytes([i])) else 32 for i in range(256))
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}(?!\w)")
_NEAR = 600  # bytes between an image's name and a key of its tag
_NOWHERE = -1_000_000
MOST = 100_000  # words, and surroundings of words, that are remembered
_ENOUGH = 10_000  # times that a word which is a tag anyway is looked at for what else it says
_BEFORE, _BEHIND = 160, 80  # bytes around a word: where they are the same, it says the same


@dataclass(slots=True)
class Seen:
    """What was looked at in the texts of a root, so that no text costs more for repeating it."""

    dull: set[bytes] = field(default_factory=set)
    """words that mean nothing"""
    done: set[bytes] = field(default_factory=set)
    """words in their surroundings"""
    meanings: dict[bytes, Meaning] = field(default_factory=dict)
    """words that may mean something"""
    times: dict[bytes, int] = field(default_factory=dict)
    """how often words that are tags were looked at"""

    def limit(self) -> None:
        """Forget all when it is too much; what is looked at again says the same again."""
        for known in (self.dull, self.done, self.meanings):
            if len(known) > MOST:
                known.clear()


class Reading:
    """A text as it is written, or without its escapes."""

    def __init__(self, name: str, words: Vocabulary, findings: Findings, seen: Seen) -> None:
        self._name, self._words = name, words
        self._findings, self._seen = findings, seen
        self._text = self._low = b""
        self._offset = 0  # of `_text` in the whole text, in bytes
        self._line, self._counted = 1, 0  # the line of a place in the window, and that place
        self._named: tuple[int, Sequence[str]] = (_NOWHERE, ())  # where images were named last
        self._elsewhere: tuple[int, Place, str] = (_NOWHERE, ("", 0), "")  # a doubt about a tag
        self.says_something = False

    def skip(self, window: Window) -> None:
        """What is the same in another reading of the text."""
        self._line += window.body.count(b"\n")
        self._offset += len(window.body)

    def look(self, window: Window) -> None:
        """Adds what the window says to the findings."""
        self._text = window.before + window.body + window.after
        self._low = self._text.lower()
        start, stop = len(window.before), len(window.before) + len(window.body)
        line, offset = self._line, self._offset
        self._offset, self._counted = offset - start, start
        for found in _DIGEST.finditer(self._low, start, stop):
            has_key = contexts.is_sure(self._low, found.start(), b"")
            self._findings.digest(found[0].decode(), self._place(found.start()), has_key)
        self._line, self._counted = line, start
        words = set(self._low[start:stop].translate(_WORDS_ALONE).split())
        if meanings := self._meanings(words):
            for found in _WORD.finditer(self._low, start, stop):
                if meaning := meanings.get(found[0]):
                    self._examine(meaning, *found.span())
                    if self._is_settled(meaning):
                        del meanings[found[0]]
        self._line, self._offset = line, offset
        self.skip(window)
        self._seen.limit()

    def _meanings(self, words: set[bytes]) -> dict[bytes, Meaning]:
        """Those of a window's words that must be looked at where they stand."""
        free, known, dull = self._findings.free, self._seen.meanings, self._seen.dull
        self.says_something = self.says_something or not free.keys().isdisjoint(words)
        words = words - dull
        new = words - known.keys()
        known |= {meaning.word: meaning for meaning in self._words.meanings(new)}
        dull |= {word for word in new - known.keys() if len(word) <= contexts.SIGHT}
        return {word: known[word] for word in words & known.keys()}

    def _is_settled(self, meaning: Meaning) -> bool:
        """Whether a word that is found says nothing new, wherever else it stands."""
        if not meaning.is_tag_alone or meaning.word not in self._findings.free:
            return False
        times = self._seen.times[meaning.word] = self._seen.times.get(meaning.word, 0) + 1
        is_settled = meaning.word in self._findings.sure or times > _ENOUGH
        if is_settled:
            self._seen.dull.add(meaning.word)
        return is_settled

    def _examine(self, meaning: Meaning, start: int, end: int) -> None:
        if meaning.images:
            self._named = (self._offset + start, meaning.images)
        self.says_something = self.says_something or bool(meaning.images or meaning.packed)
        before = self._low[max(0, start - _BEFORE) : start]
        surroundings = before + b"\0" + self._low[start : end + _BEHIND]
        if surroundings in self._seen.done:
            return
        self._seen.done.add(surroundings)
        if meaning.is_key:
            self._key(meaning, start, end)
        if meaning.is_owner:
            self._computed_name(start, end)
        if meaning.images:
            at = start + meaning.begins
            self._image(meaning.images, at, at + meaning.length)
        for image, tag in meaning.packed:
            self._findings.mention([image], self._place(start), is_telling=False)
            self._findings.tag(image, tag, self._place(start))
        if meaning.tags:
            self._tag(meaning, start, end)

    def _tag(self, meaning: Meaning, start: int, end: int) -> None:
        """A word is spelled like a tag: of one image where it is plainly its, or of any."""
        images = contexts.tagged_images(self._words, self._text, self._low, start, end)
        if images is None:
            is_sure = not any(meaning.roles) and contexts.is_sure(self._low, start, meaning.word)
            for tag in meaning.tags:
                self._findings.word(tag, self._place(start), is_sure)
            self.says_something = True
        for image in images or ():
            for tag in meaning.tags:
                for owner, name in self._words.tags[tag]:
                    if owner == image:
                        self._findings.tag(image, name, self._place(start))

    def _image(self, images: Sequence[str], start: int, end: int) -> None:
        """A word is the last part of these images' names."""
        is_path = self._low[start - 1 : start] == b"/"
        place = self._place(start)
        self._findings.mention(images, place, is_telling=False)
        images = contexts.exactly(self._words, self._low, images, end)
        naming = contexts.naming(self._text, self._low, start, end)
        if naming is Naming.INSIDE or not images:
            return
        is_telling = contexts.is_telling(self._low, start, self._low[start:end])
        self._findings.mention(images, place, is_telling)
        at, where, text = self._elsewhere
        if self._offset + start - at <= _NEAR:
            self._say_elsewhere(images, where, text)
        if doubts.is_open(self._text, end, is_path):
            shown = doubts.reference(self._text, start, end)
            self._doubt_each(images, place, f"refers to {shown}, whose tag cannot be known: ")
        elif naming is not Naming.WITH_TAG:
            is_clear = is_path and naming is Naming.BARE
            for image in self._words.with_latest.intersection(images):
                self._findings.latest(image, place, is_clear)
        elif self._low[end : end + 1] == b"@":
            self._findings.told(images)

    def _computed_name(self, start: int, end: int) -> None:
        """The owner's name, and behind it an image's name that a variable is part of."""
        if found := contexts.BEHIND_OWNER.match(self._low, end):
            path = self._low[start:end] + b"/" + found[1]
            images = [i for i, known in self._words.paths.items() if known.startswith(path)]
            self._findings.mention(images, self._place(start), is_telling=False)
            shown = doubts.reference(self._text, start, end)
            text = f"refers to {shown}, whose image cannot be known: "
            self._doubt_each(images, self._place(start), text)

    def _key(self, meaning: Meaning, start: int, end: int) -> None:
        """A word may be a key whose value is a tag or an image."""
        if not self._findings.tells_more:
            return
        place = self._place(start)
        if meaning.is_tag_key and (text := doubts.computed_tag(self._text, start, end)):
            self._findings.doubt(place, f"sets {text}, which cannot be known: {ADVICE}")
        if meaning.is_image_key and (text := doubts.computed_image(self._text, start, end)):
            self._findings.doubt(place, f"has {text}, which cannot be known: {ADVICE}")
        text = doubts.tag_elsewhere(self._text, start, end)
        if text or (meaning.is_tag_key and doubts.is_empty(self._text, end)):
            at, images = self._named
            text = text and f"has {text}, which cannot be known: "
            if self._offset + start - at <= _NEAR:
                self._say_elsewhere(images, place, text)
            self._elsewhere = (self._offset + start, place, text)

    def _say_elsewhere(self, images: Sequence[str], place: Place, text: str) -> None:
        """Near these images is a key for their tag, with a doubt in words or without a value."""
        if text:
            self._doubt_each(images, place, text)
        else:
            self._findings.apart(images)

    def _doubt_each(self, images: Sequence[str], place: Place, text: str) -> None:
        for image in images:
            self._findings.doubt(place, text + ADVICE, image)

    def _place(self, at: int) -> Place:
        """Asked for in the order in which places stand in the window."""
        self._line += self._low.count(b"\n", self._counted, at)
        self._counted = at
        return (self._name, self._line)
