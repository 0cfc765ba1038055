"""Finds which tags and digests of the images the files of `protect-from` refer to.

Files are searched as text, whatever their format, and in doubt a tag counts as in use:
protecting too much is safe. What this cannot see: a name that is only put together elsewhere
(`${IMAGE}:t17`, `"justin/" + name`), a tag that stands in another file or mapping than the bare
`image: justin/use` it belongs to, and a link to a directory met below `**`, which is named.
"""

import codecs
import os
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from registry_gc.errors import RegistryGcError

_LARGEST = 5 * 1024 * 1024  # bytes
_SAMPLE = 8 * 1024  # bytes looked at for a NUL
_AROUND = 400  # characters looked at on either side of a reference
_ROWS = 40  # lines looked at above and below a bare repository
_LONGEST = 200  # characters of a reference that are repeated

_BOMS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Every repetition is possessive or bounded, so that a search stays linear in the length of a line.
_FLAGS = re.ASCII | re.IGNORECASE
_VARIABLE = (
    r"(?:\$?\{\{[^}\n]{0,200}+\}\}|\$\{[^{}\n]{0,200}+\}|\$\([^)\n]{0,200}+\)"
    r"|\$\w++|%\w++%|@\w++@|<[\w.-]++>)"
)
_DIGEST = r"(?P<digest>sha256:[0-9a-f]{64})(?!\w)"
_MORE = (  # what goes on where a tag should have ended
    r"(?P<more>[\"']?\$[\w{($@*]|\{|%\w*+%|%[sdv]|@(?:sha\d|[\"']?[${%<]|\w++@)"
    r"|:(?![/.]|\\[nrt])\S)?"
)
_QUOTE = r"(?:\\?[\"'])?"
_TO = rf"{_QUOTE}[ \t]*+[:=][ \t]*+{_QUOTE}"
_KEY = re.compile(
    rf"(?<![\w.-])([\w.-]++){_QUOTE}[ \t]*+(?:[:?]?=>?|:(?=[\s\"'\\])|(?<=[\"']):)", _FLAGS
)
_VALUE = re.compile(
    rf"[ \t]*+(?:[&!]\S*+[ \t]++)?{_QUOTE}(?:(?P<tag>\w[\w.-]*+)(?!:))?@?(?:{_DIGEST})?{_MORE}",
    _FLAGS,
)
_AFTER_KEY = re.compile(rf"\s*+(?:[&!]\S*+\s++)?{_QUOTE}", _FLAGS)
_AS_KEY = re.compile(rf"{_QUOTE}[ \t]*+:(?=[\s\"'\\])|[\"'}}]:")
_TAG_KEY = re.compile(r".*(?:tag|version|digest)", _FLAGS)
_OWN_TAG_KEY = re.compile(r"(?:.*\.)?(?:new|image)?[_-]?(?:tag|version|digest)", _FLAGS)
_WORD = re.compile(rf"(?:{_VARIABLE}|[^\s\"'=,;()\[\]{{}}`])++", _FLAGS)
_DEFAULT = re.compile(r"\$\{\w++:?[-=][\"']?([^{}\n\"']*+)[\"']?\}", re.ASCII)
_ITEM = re.compile(r"[\s#]*+-[ \t]")
_MARGIN = re.compile(r"[\s#]*+(?:-[ \t]++)*+")
_BALANCED = re.compile(r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*+")
_MIRROR = str.maketrans("{}", "}{")
_WHOLE_KEYS = {"image", "Image", "--image", "container", "uses"}  # here no tag means latest


@dataclass(frozen=True, slots=True)
class Unknown:
    """A reference to an image whose tag cannot be told from the files."""

    place: str  # "deploy/compose.yaml:12"
    text: str  # the reference as written, at most 200 characters, one line
    image: str  # lower case


@dataclass(frozen=True, slots=True)
class InUse:
    """What the files refer to."""

    tags: Mapping[tuple[str, str], str]  # (image, tag), lower case -> place first found
    digests: Mapping[tuple[str, str], str]  # (image, "sha256:<hex>") -> place first found
    unknown: tuple[Unknown, ...]  # at most one for each line and image
    skipped: tuple[str, ...]  # what was matched but not searched, with why: "big.bin: binary"


class _Found(NamedTuple):
    line: int  # from 1
    image: str
    names: set[str]  # tags and digests
    unknown: str  # the reference as written, empty when it is clear


class _Value(NamedTuple):
    """What a key such as `tag` or `digest` beside a repository says."""

    names: set[str]
    variable: bool
    own: bool  # the key is one of an image, such as newTag, and not just any such as DB_TAG


def search(patterns: Sequence[str], workspace: Path, owner: str, images: Collection[str]) -> InUse:
    """Search the files that the patterns name for references to the owner's images.

    A pattern is a path relative to the workspace, with `*`, `?`, `[...]` and `**`, hidden files
    included and `.git` left out; a directory stands for every file below it.
    Raises RegistryGcError for a pattern that leaves the workspace or matches no file, and for
    a file or directory that cannot be read.
    """
    names = sorted({image.lower() for image in images})
    pattern = _reference(owner, names)
    tags: dict[tuple[str, str], str] = {}
    digests: dict[tuple[str, str], str] = {}
    unknown: dict[tuple[str, str], Unknown] = {}
    skipped: dict[str, None] = {}  # a set that keeps its order
    for name in _files(patterns, workspace, skipped):
        for reading in _readings(_text(workspace, name, skipped), owner, names):
            for found in _found_in(reading, pattern, names):
                place = f"{name}:{found.line}"
                for ref in sorted(found.names):
                    (digests if ":" in ref else tags).setdefault((found.image, ref), place)
                if found.unknown:
                    mark = Unknown(place, found.unknown, found.image)
                    unknown.setdefault((place, found.image), mark)
    return InUse(tags, digests, tuple(unknown.values()), tuple(skipped))


def _files(patterns: Sequence[str], workspace: Path, skipped: dict[str, None]) -> list[str]:
    """Names of the files that the patterns match, each once, relative to the workspace."""
    names: dict[str, None] = {}
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        if not pattern.strip() or ".." in parts or pattern.startswith("/"):
            raise RegistryGcError(
                f"protect-from: {pattern!r} is not a path inside the workspace: write it relative "
                "to the top of the repository, without '..' and without a leading slash"
            )
        missed: dict[str, None] = {}
        try:
            matches = sorted(set(_matches(workspace, "", parts, missed)))
        except OSError as error:
            raise _unreadable(os.path.relpath(error.filename, workspace), error) from error
        if not matches and not missed:
            raise RegistryGcError(
                f"protect-from: {pattern} matches no file in the workspace: is the repository "
                "checked out before this step? If it is, correct the path: it is relative to "
                "the top of the repository, with upper and lower case as they are there"
            )
        names.update(dict.fromkeys(matches))
        skipped.update(missed)
    return list(names)


def _unreadable(name: str, error: OSError) -> RegistryGcError:
    return RegistryGcError(
        f"protect-from: {name} cannot be read ({error.strerror}): let the user that runs this "
        "step read it, or name only the files that refer to images"
    )


def _matches(
    workspace: Path, name: str, parts: Sequence[str], missed: dict[str, None]
) -> Iterator[str]:
    """Files at or below `name` that the remaining parts of a pattern match."""
    path = workspace / name
    # os.path.realpath, for Path.resolve fails on a loop of links
    if not Path(os.path.realpath(path)).is_relative_to(workspace.resolve()):
        missed[f"{name}: leads outside the workspace"] = None
    elif path.is_dir():
        yield from _matches_in(workspace, name, parts or ("**",), missed)
    elif path.is_file() and not parts:
        yield name
    elif not path.is_file() and name:
        missed[f"{name}: not a file"] = None


def _matches_in(
    workspace: Path, name: str, parts: Sequence[str], missed: dict[str, None]
) -> Iterator[str]:
    """Files in the directory `name` that the parts of a pattern match."""
    head, rest = parts[0], parts[1:]
    if head == "**" and rest:
        yield from _matches(workspace, name, rest, missed)
    for child in _children(workspace / name, head):
        inner = f"{name}/{child}" if name else child
        directory = (workspace / inner).is_dir()
        if head != "**":
            yield from _matches(workspace, inner, rest, missed)
        elif directory and (workspace / inner).is_symlink():
            missed[f"{inner}: link to a directory, searched only when named"] = None
        elif directory or not rest:
            yield from _matches(workspace, inner, parts if rest else (), missed)


def _children(directory: Path, part: str) -> list[str]:
    """Names in the directory that one part of a pattern matches; `.git` only by its full name."""
    if not any(sign in part for sign in "*?["):
        return [part] if (directory / part).exists() or (directory / part).is_symlink() else []
    names = (child.name for child in directory.iterdir())
    return sorted(name for name in names if name != ".git" and fnmatchcase(name, part))


def _text(workspace: Path, name: str, skipped: dict[str, None]) -> str:
    """The file's text with plain line ends; empty, and named, when it is not text or too large."""
    path = workspace / name
    try:
        if path.stat().st_size > _LARGEST:
            skipped[f"{name}: larger than {_LARGEST // 1024**2} MiB"] = None
            return ""
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(name, error) from error
    coding = next((coding for bom, coding in _BOMS if data.startswith(bom)), "utf-8-sig")
    if coding == "utf-8-sig" and b"\0" in data[:_SAMPLE]:
        skipped[f"{name}: binary"] = None
        return ""
    text = data.decode(coding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _readings(text: str, owner: str, images: Sequence[str]) -> Iterator[str]:
    """The text; with `${X:-default}` as its default; with `registry:` put before `repository:`."""
    yield text
    plain = text
    for _ in range(4):  # defaults inside defaults
        plain = _DEFAULT.sub(r"\1", plain)
    if plain != text:
        yield plain
    registry = rf"registry{_TO}(?:[^\s\"',]{{0,200}}/)?{re.escape(owner)}/?(?=[\s\"',}}\\]|$)"
    if re.search(registry, plain, _FLAGS):
        image = "|".join(map(re.escape, images)) or "(?!)"
        repository = rf"((?:repository|image|imageName){_TO})(?=(?:{image})(?![\w/-]))"
        yield re.sub(repository, lambda match: f"{match[1]}{owner}/", plain, flags=_FLAGS)


def _reference(owner: str, images: Sequence[str]) -> re.Pattern[str]:
    """One pattern for references to any of the images, on any host, by any owner variable."""
    start = rf"(?:(?<![\w.-])|(?<=\\[nrt])){re.escape(owner)}"
    image = "|".join(re.escape(image).replace("/", r"\\?/") for image in images) or "(?!)"
    return re.compile(
        rf"(?:(?P<owner>{start})|(?<=\}})|\$\w++|%\w++%|@\w++@)\\?/(?:"
        rf"(?(owner)(?P<part>[\w./-]{{0,200}}+)(?:{_VARIABLE}[\w./-]{{0,200}}+){{1,9}}+"
        rf"(?=:[\w$%{{@<]|@)|(?!))"
        rf"|(?P<image>{image})(?![\w-]|\.++[\w-]|\\?/))"
        rf"(?::(?P<tag>\w[\w.-]*+))?+(?:@{_DIGEST})?+{_MORE}",
        _FLAGS,
    )


def _found_in(text: str, pattern: re.Pattern[str], images: Sequence[str]) -> Iterator[_Found]:
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for match in pattern.finditer(text):
        line, names, shown = bisect_right(starts, match.start()), _names(match), ""
        clear = match["part"] is None and match["more"] is None
        if not (clear and names):
            begin, key = _before(text, match.start())
            if clear:
                names, clear = _bare(match, key, begin, lines, line - 1)
            word = _WORD.match(text, match.start(), match.start() + _LONGEST)
            if not clear:
                shown = text[begin : word.end() if word else match.end()][:_LONGEST]
        if match["part"] is None:
            found = [match["image"].lower().replace("\\", "")]
        else:
            found = [image for image in images if image.startswith(match["part"].lower())]
        for image in found:
            yield _Found(line, image, names, shown)


def _names(match: re.Match[str]) -> set[str]:
    """The tag, also without punctuation that may end a sentence, and the digest; lower case."""
    names = {match["digest"]}
    if not match["more"] or match["more"][0] in ":@":  # else a variable goes on with the tag
        names |= {match["tag"], (match["tag"] or "").rstrip("._-")}
    return {name.lower() for name in names if name}


def _before(text: str, at: int) -> tuple[int, re.Match[str] | None]:
    """Where the reference begins with its host, and the key whose value it is."""
    pos = max(0, at - _LONGEST)
    ends = (word for word in _WORD.finditer(text, pos, at) if word.end() == at)
    begin = next((word.start() for word in ends), at)
    for key in _KEY.finditer(text, pos, begin):
        if _AFTER_KEY.fullmatch(text, key.end(), begin):
            return begin, key
    return begin, None


def _bare(
    match: re.Match[str], key: re.Match[str] | None, begin: int, lines: Sequence[str], row: int
) -> tuple[set[str], bool]:
    """What a reference without tag and digest means, and whether that is clear.

    `latest` in any case; also the tags and digests that stand in keys beside it. Not clear when
    one of these is a variable, or when the reference is the value of a key such as `repository`
    and no tag stands beside it: it may come from another file, such as a chart's appVersion.
    """
    text, names = match.string, {"latest"}
    as_key = _AS_KEY.match(text, match.end())
    if key and not (match["owner"] or re.search("repo|image", key[1], re.I)):
        key = None  # `dir=$HOME/use`: hardly an image
    if not (key or as_key):
        return names, True
    beside = [_enclosing(text, match.start(), match.end()), *_siblings(lines, row)]
    values = [value for near in beside for value in _tags_in(near)]
    if as_key:
        values.append(_value(text, as_key.end(), own=True))
    names = names.union(*(value.names for value in values))
    own = [value for value in values if value.own]
    known, empty = any(value.names for value in own), any(not value.names for value in own)
    variable = any(value.variable for value in own)
    whole = key is None or (key[1] in _WHOLE_KEYS and key[0] != "image=")
    split = not whole and not text.startswith(("http://", "https://"), begin)
    return names, not variable and (known or not (split or empty))


@lru_cache(maxsize=1024)  # neighbours share the lines around them
def _tags_in(near: str) -> tuple[_Value, ...]:
    keys = (key for key in _KEY.finditer(near) if _TAG_KEY.fullmatch(key[1]))
    return tuple(
        _value(near, key.end(), _OWN_TAG_KEY.fullmatch(key[1]) is not None) for key in keys
    )


def _value(text: str, at: int, own: bool) -> _Value:
    value = _VALUE.match(text, at)
    if value is None:
        return _Value(set(), False, own)
    return _Value(_names(value) - {"null"}, bool(value["more"]), own)


def _enclosing(text: str, start: int, end: int) -> str:
    """The innermost braces around a reference, or else its line; at most 400 characters a side."""
    left, right = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    before = _inside(left[::-1].translate(_MIRROR))[::-1].translate(_MIRROR)
    return before + text[start:end] + _inside(right)


def _inside(text: str) -> str:
    """The text up to the brace that closes more than was opened, or else its first line."""
    inside = _BALANCED.match(text)
    length = inside.end() if inside else 0
    return text[:length] if text[length : length + 1] == "}" else text.split("\n", 1)[0]


def _siblings(lines: Sequence[str], row: int) -> Iterator[str]:
    """The lines of the same mapping by indentation, comments included, cut to 400 characters."""
    depth = _depth(lines[row])
    if not _ITEM.match(lines[row]):
        yield from _level(lines[max(0, row - _ROWS) : row][::-1], depth, upward=True)
    yield from _level(lines[row + 1 : row + 1 + _ROWS], depth, upward=False)


def _level(lines: Sequence[str], depth: int, upward: bool) -> Iterator[str]:
    for line in lines:
        comment, level = line.lstrip().startswith("#"), _depth(line)
        begins = level == depth and _ITEM.match(line) is not None
        if not line.strip() or (level > depth and not comment):
            continue
        if not comment and (level < depth or (begins and not upward)):
            return
        yield line[:_AROUND]
        if begins and not comment:
            return


def _depth(line: str) -> int:
    """The column of the key, behind the marks of a comment and of a list item."""
    margin = _MARGIN.match(line)
    return margin.end() if margin else 0
