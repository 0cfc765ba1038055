"""The policy file: the settings in YAML, for all images and by image.

Read as docs/policy-file.md tells it; docs/policy-file.schema.json is for editors.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry_gc.settings import policies, secret
from registry_gc.settings.inputs import INPUTS, Input
from registry_gc.settings.parse import Policy, check_text, images, shown
from registry_gc.settings.yaml_file import Part, Problems, parts

LARGEST = 64 * 1024  # bytes; what people write by hand is far smaller
OUTSIDE = {
    "token": "must not stand in a file: store it as a secret and pass it as the input token.",
    "server-url": "is an input only: a file must not send the token elsewhere.",
    "policy-file": "is an input only: one file cannot name another.",
    "restore": "is for a single run: pass it as an input.",
}
"""The inputs that a file may not have, and why."""
FILE_INPUTS = {i.name: i for i in INPUTS if i.name not in OUTSIDE}
IMAGE_INPUTS = {i.name: i for i in INPUTS if i.by_image}


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a policy file says."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """By input, for all images."""
    images: tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...] = ()
    """Patterns of names, and what the images that they match have by input instead."""
    mentioned: frozenset[str] = frozenset()
    """The inputs that it has, rightly or not; all when it could not be read."""
    problems: tuple[str, ...] = ()
    """A sentence each, with file and line."""


def read(name: str, workspace: Path, env: Mapping[str, str]) -> PolicyFile:
    """Reads a file of the workspace; what is wrong with it is in what it returns."""
    try:
        text = _text(name, workspace)
        if secret.is_in(text, env):
            raise ValueError("*** holds the token, or a part of it: take it out of the file.")
    except ValueError as error:
        problem = f"policy-file: {shown(name)} {error}"
        return PolicyFile(mentioned=frozenset(FILE_INPUTS), problems=(problem,))
    problems = Problems()
    top = parts(text, problems)
    if top is None and problems:
        return PolicyFile(mentioned=frozenset(FILE_INPUTS), problems=problems.sentences(name))
    written = _keys(top, problems) if top else {}
    values = _values(written, FILE_INPUTS, {"images"}, problems)
    images = _images(written["images"], problems) if "images" in written else ()
    mentioned = frozenset(written.keys() & FILE_INPUTS.keys())
    return PolicyFile(values, images, mentioned, problems.sentences(name))


def _text(name: str, workspace: Path) -> str:
    """Raises ValueError when there is no such text in the workspace."""
    top = Path(os.path.realpath(workspace))
    path = Path(os.path.realpath(top / name))
    if not path.is_relative_to(top):
        raise ValueError(f"is not in the workspace ({top}): write its path from there.")
    try:
        if path.is_dir():
            raise ValueError("is a folder: name the file in it.")
        if path.exists() and not path.is_file():  # reading a pipe might never end
            raise ValueError("is no regular file: is it the right one?")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ValueError(
            f"is not in the workspace ({top}): check out the repository that has it before this "
            "step, and write its path from the top of the workspace."
        ) from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}.") from error
    if len(raw) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 1024} KiB: is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is no text in UTF-8: is it the right file?") from error


def _keys(part: Part, problems: Problems) -> Mapping[str, Part]:
    if part.content is None:
        return {}
    if isinstance(part.content, Mapping):
        return part.content
    problems.add(part.line, "should be settings, one a line, such as keep-latest: 6.")
    return {}


def _images(part: Part, problems: Problems) -> tuple[tuple[tuple[str, ...], Any], ...]:
    found = []
    for entry in _list(part, "images", "begin each entry with `- match:`", problems):
        written = _keys(entry, problems)
        values = _values(written, IMAGE_INPUTS, {"match"}, problems)
        match = _parsed("match", images, written["match"], problems) if "match" in written else None
        if "match" not in written and not isinstance(entry.content, str | tuple):
            problems.add(entry.line, "match: is missing: say which images this entry is for.")
        found.append((match or (), values))
    return tuple(found)


def _list(part: Part, name: str, how: str, problems: Problems) -> tuple[Part, ...]:
    if isinstance(part.content, tuple):
        return part.content
    problems.add(part.line, f"{name}: should be a list: {how}.")
    return ()


def _values(
    written: Mapping[str, Part], known: Mapping[str, Input], others: set[str], problems: Problems
) -> dict[str, Any]:
    """The values by input, of those that are right."""
    found = {}
    for name, part in written.items():
        if name in others:
            continue
        if name not in known:
            problems.add(part.line, f"{name}: {_unknown(name, known, others)}")
        elif name == "policies" and isinstance(part.content, tuple):
            found[name] = tuple(p for item in part.content if (p := _policy(item, problems)))
        else:
            found[name] = _parsed(name, known[name].parse, part, problems, known[name].many)
    return {name: value for name, value in found.items() if value is not None}


def _unknown(name: str, known: Mapping[str, Input], others: set[str]) -> str:
    if name in OUTSIDE:
        return OUTSIDE[name]
    if name in FILE_INPUTS:
        return "is a setting of the whole run: put it above images."
    if name == "match":
        return "stands in the entries of images only."
    return f"there is no such setting.{policies.guess(name, [*known, *others])}"


def _policy(part: Part, problems: Problems) -> Policy | None:
    if not isinstance(part.content, Mapping):
        problems.add(part.line, "policies: each should be keys and values: begin with `- tags:`.")
        return None
    values = {}
    for name, written in part.content.items():
        if name in policies.KEYS:
            values[name] = _parsed(name, policies.KEYS[name], written, problems, name == "tags")
        else:
            what = f"{name}: a policy has no such key.{policies.guess(name, policies.KEYS)}"
            problems.add(written.line, what)
    if None in values.values():
        return None
    try:
        return policies.policy(values)
    except ValueError as error:
        problems.add(part.line, f"policies: {error}")
    return None


def _none(name: str) -> tuple[str, ...]:
    if name in ("package", "owner", "match", "tags"):
        raise ValueError("names nothing: put one into its list at least.")
    return ()


def _parsed(name: str, parse: Any, part: Part, problems: Problems, many: bool = True) -> Any:
    """The value of a text, or of a list of texts where there may be many; None when it is wrong."""
    content = part.content
    text = ""
    try:
        if content is None or (isinstance(content, str) and not content.strip()):
            raise ValueError("says nothing: give it a value, or take the line out.")
        if isinstance(content, Mapping):
            raise ValueError("has keys below it, and takes a value.")
        if isinstance(content, tuple):
            texts = [item.content for item in content]
            if not many:
                raise ValueError("is a list, and takes one value.")
            if not all(isinstance(text, str) and text.strip() for text in texts):
                raise ValueError("has something in its list that is no text.")
            if not texts:
                return _none(name)
            text = "\n".join(map(str, texts))
        else:
            text = content
        check_text(text)
        return parse(text)
    except ValueError as error:
        problems.add(part.line, f"{name}:{f' {shown(text)}' if text else ''} {error}")
    return None
