"""Searches the texts of one root, the workspace or a repository, for what they say is in use.

The rule: a tag or digest of an image stays when a text of a root mentions it as a whole word, and
any text of that root mentions the image. A word that is plainly the tag of one image is no other's.
It keeps too much rather than too little, whatever the format, and tells what it cannot know.
The cost is linear in the text, whatever the number of tags; memory does not grow with the text.
"""

import re
from collections.abc import Collection, Iterable

from registry_gc.sources.findings import Findings
from registry_gc.sources.reading import Reading, Seen
from registry_gc.sources.source import Found
from registry_gc.sources.texts import plain, unescaped, windows
from registry_gc.sources.vocabulary import Vocabulary


class Search:
    """The search of one root: `read` each text of it, then ask what was `found`."""

    def __init__(self, words: Vocabulary) -> None:
        """`words` are those of the images of the run, made once for all roots."""
        self._words = words
        self._findings = Findings(words)
        self._seen = Seen()

    @property
    def mentioned(self) -> Collection[str]:
        """The images that the texts read so far mention, in lower case."""
        return self._findings.mentioned.keys()

    def found(self) -> Found:
        """What the texts read so far say is in use."""
        return self._findings.answer()

    def read(self, name: str, chunks: Iterable[bytes]) -> bool:
        """Search one text, whose bytes come in pieces of any size.

        `name` begins its places: `deploy/compose.yaml` of `deploy/compose.yaml:12`.
        Returns whether it mentions an image of the run or one of their tags. Raises NotText when
        it is none, after all of it was searched where only its end tells; TooManyDigests.
        """
        for part in re.findall(rb"[\w-]+", name.lower().encode("utf-8", "replace")):
            self._findings.mention_beside(self._words.images.get(part, ()))
        as_written = Reading(name, self._words, self._findings, self._seen)
        without_escapes = Reading(name, self._words, self._findings, self._seen)
        for window in windows(plain(chunks)):
            as_written.look(window)
            plainer = unescaped(window)
            if plainer is window:
                without_escapes.skip(window)
            else:
                without_escapes.look(plainer)
        return as_written.says_something or without_escapes.says_something
