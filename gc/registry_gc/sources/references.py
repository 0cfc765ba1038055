"""Finds references to images in a text of any format: compose, manifests, values, scripts, JSON.

Protecting too much is safe, so whatever may be the tag of a reference counts as one. Not seen:
names that are put together elsewhere (`${IMAGE}:t17`, `${REGISTRY}/${IMAGE}:t17`, `"justin/" + x`),
the tag of a bare `justin/use` more than 10 lines away from it, or 400 characters in a long line,
and one under a key that does not end in tag, version or digest (`release: t17`, `appVersion: t17`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LINES = 10  # looked at above and below a bare reference
_AROUND = 400  # characters looked at in each of these lines
_LONGEST = 200  # characters of a reference that are repeated
_HOST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/\\-"

# Every repetition is bounded, so that a search stays linear in the length of a line.
_FLAGS = re.ASCII | re.IGNORECASE
_VARIABLE = (
    r"(?:\$?\{\{[^{}\n]{0,100}\}\}|\$\{[^{}\n]{0,100}\}|\$\([^()\n]{0,100}\)"
    r"|\$\w{1,100}|%\w{1,100}%|@\w{1,100}@|<[\w.-]{1,100}>)"
)
_DEFAULT = re.compile(r"\$\{\w{1,100}:?[-=][\"']?([^{}\n\"']{0,200})[\"']?\}", re.ASCII)
_NAME = re.compile(r"sha256:[0-9a-f]{64}(?!\w)|\w[\w.-]{0,127}", _FLAGS)
_END = r"(?!\.{0,9}[\w-]|\\?/)"  # of an image's name: neither `use-other` nor `use/sub`
_OPEN = re.compile(  # what goes on where a tag or digest should have ended
    r"\}?:[^\s/.\\]|[\"']?\$[\w{($]|\{|%\w|<\w|@(?:sha\d|[\"']?[${%<]|\w{1,100}@)", _FLAGS
)
_REST = re.compile(rf"(?:[:@]?[\"']?{_VARIABLE}|[:@])?[^\s\"'`,;|&()\[\]]{{0,200}}", _FLAGS)

# A key's value: `tag: t17`, `"tag": "t17"`, `tag = "t17"`, `TAG ?= t17`, `tag: &anchor t17`
_TO = r"[\"'\\]{0,2}[ \t]{0,40}(?:[:?]?=>?|:)[ \t]{0,40}(?:[&!]\S{1,40} )?[\"'\\]{0,2}"
_VALUE = re.compile(rf"{_TO}(?P<value>[^\s\"'\\,;)\]}}]{{0,220}})", _FLAGS)
_TAG_KEY = re.compile(  # also `name = "image.tag"` with `value = "t17"` after it
    r"(?<![a-z\d])(?:new|image)?(?:tag|version|digest)(?:[\"'\\,\s]{1,60}value)?" + _VALUE.pattern,
    _FLAGS,
)
_SPLIT_KEY = re.compile(  # its value is but the name: the tag has a key of its own, or is elsewhere
    rf"(?:(?i:repo|repository|name|value)|IMAGE|(?<!--)\bimage(?==)){_TO}\Z", re.ASCII
)
_VARIES = re.compile(r"[$%{<`]|@\w{1,100}@|\A(?:null|~)?\Z", _FLAGS)


@dataclass(frozen=True, slots=True)
class Reference:
    """One place in a text that refers to an image."""

    line: int  # from 1
    image: str  # as in the images asked for
    tags: frozenset[str]  # lower case
    digests: frozenset[str]  # "sha256:<hex>", lower case
    is_unknown: bool  # it may mean other tags too
    text: str  # the reference alone as written, at most 200 characters, one line


def references(text: str, owner: str, images: Sequence[str]) -> Iterator[Reference]:
    """Every reference to the owner's images (lower case), by any host; some more than once."""
    if not images:
        return
    pattern = _pattern(owner, images)
    for reading in _readings(text, owner, images):
        lines = reading.split("\n")
        for row, line in enumerate(lines):
            for match in pattern.finditer(line) if "/" in line else ():
                names = set(_NAME.findall(match["names"]))
                is_unknown = match["part"] is not None or bool(_OPEN.match(line, match.end()))
                if not names and not is_unknown:
                    names, is_unknown = _bare(match, lines, row)
                names |= {name.rstrip("._-") or name for name in names}  # it may end a sentence
                tags = frozenset(name.lower() for name in names if ":" not in name)
                digests = frozenset(name.lower() for name in names if ":" in name)
                for image in _meant(match, images):
                    yield Reference(row + 1, image, tags, digests, is_unknown, _shown(match))


def _pattern(owner: str, images: Sequence[str]) -> re.Pattern[str]:
    """Matches the owner, or a variable in its place, an image, and its tag and digest if any."""
    start = rf"(?:(?<![\w.-])|(?<=\\[nrt])){re.escape(owner)}\\?/"
    variable = rf"(?:{_VARIABLE}|[}})])[\"']?\\?/(?:{re.escape(owner)}\\?/)?"
    some = rf"(?P<part>[\w./-]{{0,60}}){_VARIABLE}[\w./${{}}-]{{0,60}}(?=:[\w$%{{@<]|@[s${{])"
    return re.compile(
        rf"(?:{start}{some}|(?:{start}|{variable})(?P<image>{_either(images)}){_END})"
        r"(?P<names>(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64}(?!\w))?)",
        _FLAGS,
    )


def _either(images: Sequence[str]) -> str:
    return "|".join(re.escape(image).replace("/", r"\\?/") for image in images)


def _readings(text: str, owner: str, images: Sequence[str]) -> Iterator[str]:
    """The text; with `${X:-default}` as its default; with `registry:` put before `repository:`."""
    plain = text
    for _ in range(3):  # defaults inside defaults
        plain = _DEFAULT.sub(r"\1", plain)
    end = r"/?(?![\w./-])"
    registry = rf"registry{_TO}(?:[^\s\"',]{{0,100}}/)?{re.escape(owner)}{end}"
    repository = rf"((?:repository|image){_TO})(?=(?:{_either(images)}){_END})"
    for reading in dict.fromkeys((text, plain)):
        yield reading
        if re.search(registry, reading, _FLAGS):
            yield re.sub(repository, lambda key: f"{key[1]}{owner}/", reading, flags=_FLAGS)


def _meant(match: re.Match[str], images: Sequence[str]) -> list[str]:
    """The image, or all that a variable in its name can mean."""
    if match["part"] is None:
        return [match["image"].lower().replace("\\", "")]
    return [image for image in images if image.startswith(match["part"].lower())]


def _bare(match: re.Match[str], lines: Sequence[str], row: int) -> tuple[set[str], bool]:
    """What a reference without tag and digest may mean, and whether that leaves a doubt."""
    line, begin = match.string, _begin(match)
    near = [
        *(other[:_AROUND] for other in lines[max(0, row - _LINES) : row]),
        line[max(0, match.start() - _AROUND) : match.end() + _AROUND],
        *(other[:_AROUND] for other in lines[row + 1 : row + 1 + _LINES]),
    ]
    keys = _TAG_KEY.finditer("\n".join(near))  # an empty digest is no doubt: there is none
    values = [key["value"] for key in keys if key["value"] or "digest" not in key[0].lower()]
    is_split = _SPLIT_KEY.search(line[max(0, begin - 100) : begin]) is not None
    is_page = line.startswith(("http://", "https://"), begin)
    own = _VALUE.match(line, match.end())  # the reference is itself a key: `justin/use: t17`
    is_lost = not values and ((is_split and not is_page) or (own is not None and not own["value"]))
    if own and own["value"]:
        values.append(own["value"])
    clear = [value for value in values if not _VARIES.search(value)]
    names = {name for value in clear for name in _NAME.findall(value)}
    return {"latest", *names}, is_lost or len(clear) < len(values)


def _begin(match: re.Match[str]) -> int:
    """Where the host before the owner begins."""
    head = match.string[max(0, match.start() - _LONGEST) : match.start()]
    return match.start() - len(head) + len(head.rstrip(_HOST))


def _shown(match: re.Match[str]) -> str:
    rest = _REST.match(match.string, match.end())
    text = match.string[_begin(match) : rest.end() if rest else match.end()]
    return "".join(sign for sign in text if sign.isprintable())[:_LONGEST]
