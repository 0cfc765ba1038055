"""Text from outside made safe to show, and figures as people read them."""

import re
import unicodedata

_LINE_BREAKS = re.compile(r"[ \t]*[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
# What reorders, hides or joins what is around it, or drives a terminal: control, format
# (bidirectional marks are among them), surrogate, private-use and unassigned characters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SYNTAX = re.compile(r"[\\`*_{}\[\]|~$]")
_BLOCK = re.compile(r"^([#+=-]|\d+(?=[.)]))")
# Gitea links @name, #1, !1, addresses and [[pages]], and turns :name: into a picture, in the
# text that Markdown left: a comment in between, which is not shown, keeps it from that.
_LIVE = re.compile(r"@|[#!](?=\d)|:(?=//|[\w+-]+:)|\[(?=\\\[)")
_UNITS = ("kB", "MB", "GB", "TB", "PB")
_TAME = re.compile(r"[\w.:/+-]+", re.ASCII)


def plain(text: str) -> str:
    """The text on one line, every character of it visible: `\\x1b` for an escape character."""
    folded = _LINE_BREAKS.sub(" ", text).strip()
    if folded.isascii() and folded.isprintable():
        return folded
    return "".join(_seen(c) for c in folded)


def one_line(text: str) -> str:
    """As `plain`, and nothing in it is a command to the runner: no `::` and no `##[`."""
    return re.sub(r":(?=:)", ": ", plain(text)).replace("##[", "## [")


def markdown(text: str) -> str:
    """The text as Gitea's Markdown shows it literally, in a table's cell, a list or a sentence."""
    shown = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = _SYNTAX.sub(r"\\\g<0>", shown)
    shown = _BLOCK.sub(lambda m: m[0] + "\\" if m[0].isdigit() else "\\" + m[0], shown)
    return _LIVE.sub(r"\g<0><!-- -->", shown)


def code(text: str) -> str:
    """As `markdown`, in the type of names and commands."""
    if not text:
        return ""
    return f"`{text}`" if _TAME.fullmatch(text) else f"<code>{markdown(text)}</code>"


def cut(text: str, most: int) -> str:
    """The text, or its first characters and `…`: `most` in all."""
    return text if len(text) <= most else text[: most - 1] + "…"


def size(count: int) -> str:
    """Bytes in decimal units with one digit after the point: `3.2 GB`."""
    if count < 1000:
        return f"{count} B"
    power = 1
    while count / 1000**power >= 999.95 and power < len(_UNITS):
        power += 1
    return f"{count / 1000**power:.1f} {_UNITS[power - 1]}"


def plural(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _seen(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN:
        return character.encode("unicode_escape").decode("ascii")
    return character
