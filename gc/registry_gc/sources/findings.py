"""What the search of one root has come upon so far, and what that means in the end."""

from collections.abc import Iterable

from registry_gc.errors import RegistryGcError
from registry_gc.sources.source import Doubt, Found, Place
from registry_gc.sources.vocabulary import Vocabulary

MOST_DIGESTS = 500_000  # of one root: some 150 MB
MOST_DOUBTS = 50  # of one root

ADVICE = "if a pin is behind it, add that tag to protect"


class TooManyDigests(RegistryGcError):
    """More than can be remembered, and forgetting one could delete what is in use."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            f"{_shown(place)}: up to here there are more than {MOST_DIGESTS} digests, too many to "
            "be held against the registry: search only texts that say which images are in use."
        )


class Findings:
    """Filled while texts are read. Places are those that are told; the first one counts."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self.mentioned: dict[str, Place] = {}
        """image -> the place that mentions it"""
        self._telling: dict[str, Place] = {}  # the same, where it is hardly another word
        self._beside: set[str] = set()  # images that the name of a text mentions
        self._tags: dict[tuple[str, str], Place] = {}  # (image, tag), where the text has both
        self.free: dict[bytes, Place] = {}
        """a tag of whatever image, as the vocabulary spells it -> the place"""
        self.sure: set[bytes] = set()
        """those of them that are hardly anything but a tag"""
        self._digests: dict[str, Place] = {}
        self._told: set[str] = set()  # images with a tag or digest beside their name
        self._bare: set[str] = set()  # images that are named without, and mean `latest`
        self._apart: set[str] = set()  # images with an empty key for a tag beside their name
        self._has_digest_key = False
        self._doubts: dict[str, Doubt] = {}  # by what they say, each once
        self._doubted: set[tuple[Place, str]] = set()  # (place, image)

    def mention(self, images: Iterable[str], place: Place, is_telling: bool) -> None:
        """A text names these images, or one of them; not `is_telling` when it may be a word."""
        for image in images:
            self.mentioned.setdefault(image, place)
            if is_telling:
                self._telling.setdefault(image, place)

    def mention_beside(self, images: Iterable[str]) -> None:
        """The name of a text names these images: its tags may be theirs."""
        self._beside.update(images)

    def tag(self, image: str, tag: str, place: Place) -> None:
        """A text uses this tag of this image."""
        self._tags.setdefault((image, tag), place)
        self._told.add(image)

    def latest(self, image: str, place: Place, is_clear: bool) -> None:
        """A text names the image without a tag; not `is_clear` when that may stand elsewhere."""
        self._tags.setdefault((image, "latest"), place)
        if is_clear:
            self._bare.add(image)

    def word(self, tag: bytes, place: Place, is_sure: bool) -> None:
        """A word is a tag of whatever image, as the vocabulary spells it."""
        self.free.setdefault(tag, place)
        if is_sure:
            self.sure.add(tag)

    def digest(self, digest: str, place: Place, has_key: bool) -> None:
        """A text holds this digest; `has_key` when a key says that it is one."""
        self._digests.setdefault(digest, place)
        self._has_digest_key = self._has_digest_key or has_key
        if len(self._digests) > MOST_DIGESTS:
            raise TooManyDigests(place)

    def apart(self, images: Iterable[str]) -> None:
        """These images are named beside an empty key for their tag: it is not `latest`."""
        self._apart.update(images)

    def told(self, images: Iterable[str]) -> None:
        """These images are named with a digest."""
        self._told.update(images)

    @property
    def tells_more(self) -> bool:
        """Whether another doubt would be told."""
        return len(self._doubts) <= MOST_DOUBTS

    def doubt(self, place: Place, text: str, image: str = "") -> None:
        """Something cannot be known; told once, however often it is written."""
        key = f"{image} {text}"
        if self.tells_more and (place, image) not in self._doubted and key not in self._doubts:
            self._doubted.add((place, image))
            if len(self._doubts) == MOST_DOUBTS:
                text = "is one of more places with a tag that cannot be known: they are not told"
            self._doubts[key] = Doubt(_shown(place), text, image)

    def answer(self) -> Found:
        """What it comes to: nothing where no image is mentioned."""
        known = self.mentioned.keys() | self._beside
        tags: dict[str, dict[str, str]] = {}
        for (image, tag), place in self._tags.items():
            tags.setdefault(image, {})[tag] = _shown(place)
        clear = self._told | (self._bare - self._apart)
        for word, place in self.free.items():
            for image, tag in self._words.tags[word]:
                if image in known:
                    tags.setdefault(image, {}).setdefault(tag, _shown(place))
                    if word in self.sure:
                        clear.add(image)
        places = {digest: _shown(place) for digest, place in self._digests.items()}
        digests = dict.fromkeys(known, places) if places else {}
        of_images = {doubt.place for doubt in self._doubts.values() if doubt.image}
        doubts = [d for d in self._doubts.values() if d.image or d.place not in of_images]
        doubts = [*doubts, *self._unclear(clear)] if known else []
        return Found(tags, digests, tuple(doubts))

    def _unclear(self, clear: set[str]) -> Iterable[Doubt]:
        doubted = {doubt.image for doubt in self._doubts.values()}
        for image, place in self._telling.items():
            has_digest = self._has_digest_key or self._digests.keys() & self._words.digests[image]
            if image not in clear and image not in doubted and not has_digest:
                yield Doubt(
                    _shown(place),
                    f"mentions {image}, and nothing that was searched with it holds what is "
                    f"plainly a tag or digest of {image}: {ADVICE}",
                    image,
                )


def _shown(place: Place) -> str:
    name, line = place
    return f"{name}:{line}"
