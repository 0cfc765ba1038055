"""The placeholders in a policy's patterns: what a repository has, in the place of a wildcard."""

import re
from collections.abc import Collection, Iterable
from fnmatch import translate
from functools import lru_cache

LONGEST_TAG = 128
_PLACEHOLDER = re.compile(r"\{(branch|pull|tag)\}")
_NOUNS = {"branch": "branch", "pull": "pull request", "tag": "git tag"}
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")


def kind_of(pattern: str) -> str:
    """`branch`, `pull` or `tag`, what the pattern's placeholder stands for; "" without one."""
    found = _PLACEHOLDER.search(pattern)
    return found[1] if found else ""


def check(pattern: str) -> None:
    """Raises ValueError when the pattern's braces are none of the placeholders, or several."""
    braces = _BRACES.findall(pattern)
    if [brace for brace in braces if not _PLACEHOLDER.fullmatch(brace)]:
        raise ValueError(
            f'has braces in "{pattern}": the placeholders are {{branch}}, {{pull}} and {{tag}}.'
        )
    if len(braces) > 1:
        raise ValueError(f'has two placeholders in "{pattern}": make a pattern of each.')


def check_has_figures(patterns: Iterable[str], figures: Collection[str]) -> None:
    """Raises ValueError when a policy takes every tag and has no figures of its own."""
    for pattern in patterns:
        if not figures and kind_of(pattern) and not _PLACEHOLDER.sub("", pattern).strip("*"):
            raise ValueError(
                f'takes with "{pattern}" tags that never had a {_NOUNS[kind_of(pattern)]} too: say '
                "with keep-latest or keep-days how many of them stay, or how long."
            )


def fits(name: str, pattern: str) -> bool:
    """Whether the pattern matches the whole name, whatever its placeholder would stand for."""
    return _with_any(pattern).fullmatch(name) is not None


class Names:
    """A pattern with the names that its placeholder stands for, each as a tag has it."""

    def __init__(self, pattern: str, names: Iterable[str]) -> None:
        before, middle, after = _PLACEHOLDER.split(pattern)
        longest_first = sorted(names, key=lambda name: (-len(name), name))
        either = "|".join(map(re.escape, longest_first))
        first, last = _bounds(middle, before, after)
        self._whole = re.compile(f"{_glob(before)}{first}({either}){last}{_glob(after)}")
        # Of a tag as long as a tag may be, the end may be missing.
        room = LONGEST_TAG - len(before.replace("*", ""))
        cut = "|".join(re.escape(name[:room]) for name in longest_first)
        self._begin = re.compile(f"{_glob(before)}({cut})")
        self._cut_names = {name[:room]: name for name in reversed(longest_first)}
        self._is_any = bool(longest_first)

    def in_tag(self, tag: str) -> str | None:
        """The name that makes the pattern match the tag, the longest if several do."""
        if not self._is_any:
            return None
        if found := self._whole.fullmatch(tag):
            return found[1]
        if len(tag) == LONGEST_TAG and (found := self._begin.match(tag)):
            return self._cut_names[found[1]]
        return None


@lru_cache(maxsize=1024)
def _with_any(pattern: str) -> re.Pattern[str]:
    if not kind_of(pattern):
        return re.compile(_glob(pattern))
    before, middle, after = _PLACEHOLDER.split(pattern)
    first, last = _bounds(middle, before, after)
    some = "[0-9]+" if middle == "pull" else ".+"
    return re.compile(f"{_glob(before)}{first}{some}{last}{_glob(after)}")


def _bounds(kind: str, before: str, after: str) -> tuple[str, str]:
    """A number ends where its digits do, or 1 would be in `pr-12`."""
    if kind != "pull":
        return "", ""
    first = "" if before[-1:].isdigit() else "(?<![0-9])"
    return first, "" if after[:1].isdigit() else "(?![0-9])"


def _glob(text: str) -> str:
    """The expression for a shell-style pattern, without the end of the text that it implies."""
    return translate(text)[len("(?s:") : -len(r")\Z")]
