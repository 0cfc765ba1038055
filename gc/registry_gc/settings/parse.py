"""Text to value, one function a kind of input; each raises ValueError with what is allowed."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from registry_gc.settings import placeholders

# What an input that was left out means, by field; required ones and those with a default text
# never come here.
EMPTY: dict[str, Any] = {
    "policies": (),
    "policy_file": "",
    "keep_untagged_days": None,
    "protect_from": (),
    "protect_from_repositories": (),
    "repository": "",
    "max_delete": None,
    "delete_at_most": None,
    "restore": (),
    "report": "",
    "cache": "",
}
_IMAGE_TAG = re.compile(r"[a-z0-9][a-z0-9._/-]*:[a-z0-9_][a-z0-9._-]{0,127}", re.ASCII)
MOST_DAYS = 999_999
_GITEA_TOKEN = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{40}(?![0-9a-fA-F])")
_TAG_PATTERN = re.compile(r"([a-z0-9._*?-]|\[!?[a-z0-9._-]+\]|[{}])+")
_IMAGE_PATTERN = re.compile(r"([a-z0-9._/*?-]|\[!?[a-z0-9._/-]+\])+")
_OWNER_PATTERN = re.compile(r"([\w.*?-]|\[!?[\w.-]+\])+")
_NOT_IN = {
    "tag": "image, digest or quotes",
    "image": "host, owner, tag or quotes",
    "repository": "host, placeholder or quotes",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How much of a stream of tags is kept."""

    tags: tuple[str, ...]
    """Patterns; empty for the default policy, which takes all tags."""
    keep_latest: int
    """So many of the newest."""
    keep_days: int
    """Those younger than so many days."""
    keep_daily: int = 0
    """Of so many of the last days that have a build, the newest; likewise the next three."""
    keep_weekly: int = 0
    """Weeks are those of ISO 8601."""
    keep_monthly: int = 0
    """Of the calendar, in UTC, as all of these."""
    keep_yearly: int = 0
    """Likewise."""
    group_by: str = ""
    """`major`, `minor` or a regular expression with one group: all figures hold for each group."""
    by_version: bool = False
    """Whether the newest is the highest version, instead of what was pushed last."""

    def __str__(self) -> str:
        return ", ".join(self.tags) or "*"

    def settings(self) -> dict[str, Any]:
        """By the names that people write, without what it does not use."""
        names = ("keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "group_by")
        used = {name.replace("_", "-"): value for name in names if (value := getattr(self, name))}
        return {
            "tags": self.tags,
            "keep-latest": self.keep_latest,
            "keep-days": self.keep_days,
            **used,
            **({"order": "version"} if self.by_version else {}),
        }


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may be deleted: a count for the run, or a percentage of an image's versions."""

    figure: int
    """How many, or how much per cent."""
    is_percentage: bool
    """Of the versions of each image, not a count for the run."""

    def __str__(self) -> str:
        return f"{self.figure}%" if self.is_percentage else str(self.figure)


def is_pattern(text: str) -> bool:
    """Whether it may fit several names."""
    return bool(set("*?[") & set(text))


def shown(text: str) -> str:
    """A wrong value as the error shows it: quoted, on one line, cut when long.

    What looks like a token of Gitea's is hidden: it may have been put there by mistake.
    """
    quoted = '"' + _GITEA_TOKEN.sub("***", " ".join(text.split())) + '"'
    return quoted if len(quoted) <= 80 else quoted[:79] + "…"


def check_text(text: str) -> None:
    """Raises ValueError for bytes that are no UTF-8, and for characters that no name has."""
    if any(unicodedata.category(c) in ("Cs", "Cc") and not c.isspace() for c in text):
        raise ValueError(
            "has bytes that are no text (UTF-8), or control characters: copy it again."
        )


def token(text: str) -> str:
    """A token: printable ASCII without spaces, as HTTP headers want it."""
    text = text.strip()
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("has spaces or characters that no token has: copy it again.")
    return text


def server_url(text: str) -> str:
    """An http(s) address without user, query or fragment; the slash at its end is dropped."""
    text = text.strip().rstrip("/")
    try:
        url = urlsplit(text)
        _ = url.port  # a port that is no number is found only when asked for
    except ValueError as error:
        raise ValueError("is not an address such as https://git.example.org.") from error
    if (
        url.scheme not in ("http", "https")
        or not url.hostname
        or " " in text
        or not text.isprintable()
    ):
        raise ValueError(
            "is not an address: begin with https:// (or http://), as in https://git.example.org."
        )
    if "@" in url.netloc:
        raise ValueError("holds a user name or a token: pass the token as the input token only.")
    if "?" in text or "#" in text:
        raise ValueError("must be the root address only, without ? and #.")
    return text


def owner(text: str) -> str:
    """Names of users or organisations, or shell-style patterns of them, comma or line separated.

    As one text again, `acme, team-*`: see Settings.owners.
    """
    found = paths(text)
    for part in found:
        if not _OWNER_PATTERN.fullmatch(part) or set(part) == {"."}:
            which = f"has {shown(part)}, which " if len(found) > 1 else ""
            raise ValueError(
                f"{which}is not the name of a user or organisation (letters, digits, - _ .), nor "
                "a pattern of such names."
            )
    return ", ".join(dict.fromkeys(found))


def repository(text: str) -> str:
    """`owner/name`, as it stands in the repository's address."""
    text = text.strip()
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", text) or {".", ".."} & set(text.split("/")):
        raise ValueError("is not the name of a repository such as my-org/app.")
    return text


def repositories(text: str) -> tuple[str, ...]:
    """`owner/name` or patterns of it, comma or line separated, in lower case."""
    found = _patterns(text, _IMAGE_PATTERN, "repository")
    for part in found:
        if part.count("/") != 1 or not all(name.strip(".") for name in part.split("/")):
            raise ValueError(f"{shown(part)} is not owner/name, as in my-org/* or ops/deploy.")
    return found


def number(text: str) -> int:
    """A whole number, 0 or more."""
    return _whole(text, 0, MOST_DAYS)


def count(text: str) -> int:
    """A whole number, 1 or more."""
    return _whole(text, 1, MOST_DAYS, " Leave it out for no limit.")


def in_flight(text: str) -> int:
    """A number of requests, 1 to 32."""
    return _whole(text, 1, 32)


def _whole(text: str, least: int, most: int, hint: str = "") -> int:
    text = text.strip()
    # Python itself refuses to read thousands of digits.
    is_short = text.isascii() and text.isdigit() and len(text) <= 12
    if not (is_short and least <= int(text) <= most):
        raise ValueError(f"is not allowed: a whole number from {least} to {most}.{hint}")
    return int(text)


def boolean(text: str) -> bool:
    """`true` or `false` in any case."""
    values = {"true": True, "false": False}
    if text.strip().lower() not in values:
        raise ValueError("is not allowed: true or false.")
    return values[text.strip().lower()]


def limit(text: str) -> Limit:
    """`500` or `60%`."""
    figure, sign, rest = text.strip().partition("%")
    figure = figure.strip()
    fits = figure.isascii() and figure.isdigit() and len(figure) <= 9 and not rest
    if not fits or (sign and int(figure) > 100):
        raise ValueError(
            "is not allowed: a count such as 500, or a percentage from 0% to 100% such as 60%."
        )
    return Limit(int(figure), bool(sign))


def images(text: str) -> tuple[str, ...]:
    """Names of images, or shell-style patterns of them, comma or line separated, in lower case."""
    return _patterns(text, _IMAGE_PATTERN, "image")


def patterns(text: str) -> tuple[str, ...]:
    """Names of tags, or shell-style patterns of them, comma or line separated, in lower case."""
    found = policy_patterns(text)
    for part in found:
        if placeholders.kind_of(part):
            raise ValueError(f"has {shown(part)}: a placeholder can only stand in policies.")
    return found


def policy_patterns(text: str) -> tuple[str, ...]:
    """The same, and a placeholder may stand in each: see `placeholders`."""
    found = _patterns(text, _TAG_PATTERN, "tag")
    for part in found:
        placeholders.check(part)
    return found


def _patterns(text: str, form: re.Pattern[str], noun: str) -> tuple[str, ...]:
    """Raises ValueError for a pattern that can match nothing: what it is to protect would go."""
    found = tuple(part.lower() for part in paths(text))
    for part in found:
        if re.search(r"\s", part):
            raise ValueError(
                f"has a space inside {shown(part)}: separate patterns by commas or lines."
            )
        if not form.fullmatch(part):
            raise ValueError(
                f"has {shown(ascii(part)[1:-1])}, which matches no {noun}: write it without "
                f"{_NOT_IN[noun]}, of letters, digits, . _ - and * ? [abc] [!abc]."
            )
    return found


def tags(text: str) -> tuple[str, ...]:
    """Tags with their image, comma or line separated: `app:v1.2, team/app:v1.3`; lower case."""
    found = tuple(part.lower() for part in paths(text))
    for part in found:
        if not _IMAGE_TAG.fullmatch(part):
            raise ValueError(f"has {shown(part)}, which is no image with a tag, such as app:v1.2.")
    return found


def paths(text: str) -> tuple[str, ...]:
    """Files or patterns, comma or line separated."""
    lines = [line.strip() for line in text.strip().splitlines()]
    joined = ",".join(line.removesuffix(",") for line in lines[:-1] if line)
    joined = f"{joined},{lines[-1]}" if joined else lines[-1]
    found = tuple(part.strip() for part in joined.split(","))
    if not all(found):
        raise ValueError("has an empty entry: remove the comma that is too much.")
    return found


def path(text: str) -> str:
    """One path."""
    text = text.strip()
    if not text.isprintable():
        raise ValueError("is not one path on one line.")
    return text
