"""Regular expressions that cannot hang: the usual syntax, matched in time linear in the text.

Python's own engine backtracks and can take longer than a job lives; engines that do not are no pure
Python. A tag is short and has 39 different characters, so a simulated automaton serves: all ways to
go on are followed at once, and each state is visited once a character (Thompson, Pike). Left out is
what cannot be matched so: references back, and looking ahead or behind. What a
repetition of something that may be empty prefers can differ from Python's engine.
"""

import re
import string
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 128  # characters of an expression
LARGEST = 300  # instructions it may become, for a{100} is a hundred of them
_TAG = frozenset(string.ascii_lowercase + string.digits + "_.-")  # what a tag consists of
_CLASSES = {
    ".": _TAG,
    "\\d": frozenset(string.digits),
    "\\w": _TAG - set(".-"),
    "\\s": frozenset[str](),
    "\\D": _TAG - set(string.digits),
    "\\W": frozenset(".-"),
    "\\S": _TAG,
}
_PIECE = re.compile(
    r"\\[dwsDWS.+*?^$|(){}\[\]\\/_-]|\[\^?(?:\\.|[^\]\\])+\]|\((?:\?:)?|\)|\||\^|\$|\."
    r"|[*+?]\??|\{\d{1,3}(?:,\d{0,3})?\}\??|[A-Za-z0-9_-]"
)
_MEMBER = re.compile(r"(\\[dwsDWS])|\\?(.)(?:-\\?(.))?")


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction: take a character, or go on elsewhere, or note or ask where one is."""

    kind: str  # take, go, open, close, begin, end
    chars: frozenset[str] = frozenset()  # of take
    ways: tuple[int, ...] = ()  # of go: distances, the preferred one first


_Steps = tuple[_Step, ...]
_State = tuple[int, int, int]  # the step that is next, and where the group begins and ends


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression with one group."""

    steps: _Steps
    """What it was parsed into."""

    def group(self, tag: str) -> str | None:
        """What its group holds in the first, leftmost match in a tag in lower case; else None."""
        found: _State | None = None
        states: list[_State] = []
        for place in range(len(tag) + 1):
            begun = states if found else [*states, (0, -1, -1)]
            taking, end = self._follow(begun, place, place == len(tag))
            found = end or found
            char = tag[place : place + 1]
            states = [(at + 1, b, e) for at, b, e in taking if char in self.steps[at].chars]
        return tag[found[1] : found[2]] if found and found[2] >= 0 else None

    def _follow(
        self, states: list[_State], place: int, is_last: bool
    ) -> tuple[list[_State], _State | None]:
        """The states that take the next character, and the one that is through, preferred first.

        What is less preferred than one that is through is dropped.
        """
        taking: list[_State] = []
        seen: set[int] = set()
        stack = states[::-1]
        while stack:
            at, begin, end = state = stack.pop()
            if at == len(self.steps):
                return taking, state
            if at in seen:
                continue
            seen.add(at)
            step = self.steps[at]
            if step.kind == "take":
                taking.append(state)
            elif step.kind == "open":
                stack.append((at + 1, place, -1))
            elif step.kind == "close":
                stack.append((at + 1, begin, place))
            elif step.kind == "go":
                stack += [(at + way, begin, end) for way in reversed(step.ways)]
            elif is_last if step.kind == "end" else place == 0:
                stack.append((at + 1, begin, end))
        return taking, None


@lru_cache
def expression(text: str) -> Expression:
    """Reads an expression. Raises ValueError with what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError(f"is too long: at most {LONGEST} characters.")
    pieces: deque[str] = deque()
    place = 0
    while place < len(text):
        piece = _PIECE.match(text, place)
        if not piece or (piece[0] == "(" and text.startswith("(?", place)):
            raise ValueError(
                f"is no expression that can be used from {text[place:][:10]!r} on: allowed are "
                r"characters of tags, . \d \w [...] (...) (?:...) | * + ? {2,3} ^ $, and \ before "
                "a character that is meant as itself."
            )
        pieces.append(piece[0])
        place = piece.end()
    if pieces.count("(") != 1:
        raise ValueError(
            "must have exactly one group (...), which holds the name of a tag's group: write "
            "(?:...) for those that only belong together."
        )
    steps = _alternatives(pieces)
    if pieces:
        raise ValueError("has a ) without its (.")
    return Expression(steps)


def _alternatives(pieces: deque[str]) -> _Steps:
    steps = _sequence(pieces)
    if pieces and pieces[0] == "|":
        pieces.popleft()
        other = _alternatives(pieces)
        steps = (_go(1, len(steps) + 2), *steps, _go(len(other) + 1), *other)
    return _bounded(steps)


def _sequence(pieces: deque[str]) -> _Steps:
    steps: _Steps = ()
    while pieces and pieces[0] not in ("|", ")"):
        part = _part(pieces)
        if pieces and pieces[0][0] in "*+?{":
            part = _repeated(part, pieces.popleft())
        steps = _bounded(steps + part)
    return steps


def _part(pieces: deque[str]) -> _Steps:
    piece = pieces.popleft()
    if piece in ("^", "$"):
        return (_Step("begin" if piece == "^" else "end"),)
    if piece[0] in "*+?{":
        raise ValueError(f"has {piece} behind nothing that it could repeat.")
    if piece[0] == "(":
        inner = _alternatives(pieces)
        if not pieces:
            raise ValueError("has a ( without its ).")
        pieces.popleft()
        return (_Step("open"), *inner, _Step("close")) if piece == "(" else inner
    if piece[0] == "[":
        return (_Step("take", _members(piece)),)
    return (_Step("take", _CLASSES.get(piece) or frozenset(piece[-1].lower())),)


def _repeated(part: _Steps, piece: str) -> _Steps:
    """The part as often as `*`, `+`, `?`, `{2}`, `{2,}`, `{2,3}` say; `?` behind: rather less."""
    is_lazy = len(piece) > 1 and piece[-1] == "?"
    figures = {"*": "0,", "+": "1,", "?": "0,1"}.get(piece[0], piece.rstrip("?").strip("{}"))
    least, comma, most = figures.partition(",")
    if comma and most and int(most) < int(least):
        raise ValueError(f"has {piece}, whose second figure is less than its first.")

    def may(*ways: int) -> _Step:
        return _go(*(reversed(ways) if is_lazy else ways))

    size = len(part)
    if not comma:
        rest: _Steps = ()
    elif most:
        rest = (may(1, size + 1), *part) * (int(most) - int(least))
    else:
        rest = (may(1, size + 2), *part, _go(-size - 1))
    return _bounded(part * int(least) + rest)


def _members(piece: str) -> frozenset[str]:
    """The characters of `[a-z\\d_]` or `[^...]`."""
    is_all_but = piece.startswith("[^")
    chars: set[str] = set()
    for named, first, last in _MEMBER.findall(piece[1 + is_all_but : -1]):
        if named:
            chars |= _CLASSES[named]
        elif last and last < first:
            raise ValueError(f"has {first}-{last}, a range that ends before it begins.")
        else:
            chars |= {chr(n).lower() for n in range(ord(first), ord(last or first) + 1)}
    return _TAG - chars if is_all_but else _TAG & chars


def _go(*ways: int) -> _Step:
    return _Step("go", ways=tuple(ways))


def _bounded(steps: _Steps) -> _Steps:
    if len(steps) > LARGEST:
        raise ValueError("repeats so much that it would be slow: use smaller figures in {...}.")
    return steps
