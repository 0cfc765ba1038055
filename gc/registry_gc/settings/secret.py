"""The token where it should not be: pasted into another input, or with a line break in it."""

import re
from collections.abc import Mapping

VARIABLES = ("INPUT_TOKEN", "GITEA_TOKEN")
SHORTEST = 8  # characters; what is shorter is no token, and may well be part of a name
LONGEST = 1000  # characters that are looked for
_BREAK = r"(?:\s|\\[nrt])*"  # also as an error shows it


def lines(env: Mapping[str, str]) -> list[str]:
    """What the runner must mask, a line each: a token pasted with two lines is not shown either."""
    given = [env.get(name, "") for name in VARIABLES]
    return [line.strip() for token in given for line in token.splitlines() if line.strip()]


def is_in(text: str, env: Mapping[str, str]) -> bool:
    """Whether a token, or a line of one, is in the text: in any case, and over several lines."""
    return any(piece.search(text) for piece in _pieces(env))


def redacted(text: str, env: Mapping[str, str]) -> str:
    """The text with *** for every token in it."""
    for piece in _pieces(env):
        text = piece.sub("***", text)
    return text


def _pieces(env: Mapping[str, str]) -> list[re.Pattern[str]]:
    texts = [env.get(name, "") for name in VARIABLES] + lines(env)
    bare = dict.fromkeys("".join(text.split())[:LONGEST] for text in texts)
    return [
        re.compile(_BREAK.join(map(re.escape, piece)), re.IGNORECASE)
        for piece in sorted(bare, key=len, reverse=True)
        if len(piece) >= SHORTEST
    ]
