"""What a text says of tags that cannot be known from it. Bounded as `contexts` is."""

import re

from registry_gc.sources.contexts import SIGHT, TO, VARIABLE

_LONGEST = 200  # bytes of a text that are repeated in a report
_FLAGS = re.ASCII | re.IGNORECASE
_STARTS = rb"(?:\$[\w{(]|\{\{|`\w|%(?![0-9a-fA-F]{2}%)[a-zA-Z_]\w{0,60}%|@\w{1,60}@|<\w)"
_PIECE = rb"(?:[\w.-]{0,127}[._-])?"  # of a tag that goes on with a variable

_OPEN = re.compile(
    rb"\}?:[\w.-]{0,128}(?:\$[\w{($]|\{\{|\\{1,9}\(|@\w{1,64}@|[\"'] ?\$)"  # app:${TAG}, app:v1-$X
    rb"|\}?:" + _PIECE + rb"`\w"
    rb"|\}?:(?:[~^*]|[\w.-]{0,100}\.[x*](?![\w.-]))"  # app:~1.2, app:1.x
    rb"|\$[\w{(]|\{\{"  # app$COLON_AND_TAG
    rb"|(?::\w[\w.-]{0,127})?@(?:sha\d{1,3}+(?!:[0-9a-f]{64}(?!\w))|[\"']?[${%<]|\w{1,100}@)",
    _FLAGS,
)
_OPEN_AFTER_PATH = re.compile(  # what may be something else behind a word alone
    rb"\}?:" + _PIECE + rb"(?:<\w|%\w|\{|[\"']\s{0,3}[+~&%.,])"  # me/app:%s, "me/app:" + tag
    rb"|\}?:\s{1,4}[\"']?(?:\$[\w{(]|\{\{|%\w)",  # me/app: ${TAG}
    _FLAGS,
)
_COMPUTED = re.compile(TO + rb"(?=[\w.-]{0,60}" + _STARTS + rb")", _FLAGS)
_ELSEWHERE = re.compile(  # an alias, an identifier, a range of versions
    TO + rb"(?=\*\w|[a-z_]\w{0,60}(?:\.[a-z_]\w{0,60}){1,8}(?:[\s,;)}]|\Z)"
    rb"|[~^<>]=?\s?v?\d|~>|v?\d{1,9}(?:\.\d{1,9}){0,3}\.[x*]|\*(?:[\s\"']|\Z))",
    _FLAGS,
)
_EMPTY = re.compile(
    rb"[\"'\\]{0,2}[ \t]{0,8}[:=][ \t]{0,8}(?:\"\"|''|\\\"\\\"|null|~)?[ \t]{0,8}"
    rb"(?=[,}\])#\r\n]|\Z)",
    _FLAGS,
)
_VARIABLE = re.compile(VARIABLE, _FLAGS)
_TO_OR_FROM = re.compile(TO + rb"|\s{1,8}(?:--\S{1,60} )?", _FLAGS)
_VALUE = re.compile(rb"(?:" + VARIABLE + rb"|[^\s\"'`,;|&()\[\]{}]){1,200}", _FLAGS)
_FIELD = re.compile(rb"\{\{-?\s{0,4}(?:[.$(]|include|template|tpl|printf|default|with|if)", _FLAGS)
_HOST = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/\\-"
_REST = re.compile(
    rb"(?::\w[\w.-]{0,127})?(?:[:@]?\s{0,4}[\"']?"
    + VARIABLE
    + rb"|[:@])?[^\s\"'`,;|&()\[\]]{0,200}",
    _FLAGS,
)
_VARIABLES = re.compile(rb"(?:" + VARIABLE + rb"/?)+\Z", _FLAGS)


def is_open(text: bytes, end: int, is_path: bool) -> bool:
    """Whether an image's name that ends there goes on with a tag or digest that is not written."""
    return bool(_OPEN.match(text, end) or (is_path and _OPEN_AFTER_PATH.match(text, end)))


def computed_tag(text: bytes, start: int, end: int) -> str:
    """`image.tag=${TAG}`: the key from `start` to `end` with its value, if a variable is in it."""
    found = _COMPUTED.match(text, end)
    return _key_and_value(text, start, found) if found else ""


def tag_elsewhere(text: bytes, start: int, end: int) -> str:
    """`tag = var.app_tag`, `version: ^1.2`: the same, if the value is a name or a range."""
    found = _ELSEWHERE.match(text, end)
    return _key_and_value(text, start, found) if found else ""


def is_empty(text: bytes, end: int) -> bool:
    """Whether a key that ends there has no value: `tag: ""`."""
    return _EMPTY.match(text, end) is not None


def computed_image(text: bytes, start: int, end: int) -> str:
    """`image: ${IMAGE}`: the same, if a variable is in the last part of an image's name.

    Not `{{ .Values.image }}`: a chart's values say what that is, or the command that sets them.
    """
    found = _TO_OR_FROM.match(text, end)
    value = _VALUE.match(text, found.end()) if found else None
    if not found or not value or _FIELD.search(value[0]):
        return ""
    path = _VARIABLE.sub(b"$", value[0])
    name = re.match(rb"(?:[^/]{0,100}/){0,9}([^/:@]{0,100})", path)
    return _key_and_value(text, start, found) if name and b"$" in name[1] else ""


def reference(text: bytes, start: int, end: int) -> str:
    """The reference around an image's name, from its host to where its tag ends, and no more."""
    head = text[max(0, start - SIGHT) : start]
    begin = start - len(head) + len(head.rstrip(_HOST))
    if variables := _VARIABLES.search(text, max(0, begin - SIGHT), begin):
        begin = variables.start()
    return _shown(text, begin, _REST.match(text, end))


def _key_and_value(text: bytes, start: int, found: re.Match[bytes]) -> str:
    return _shown(text, start, _VALUE.match(text, found.end()) or found)


def _shown(text: bytes, begin: int, found: re.Match[bytes] | None) -> str:
    shown = text[begin : found.end() if found else begin].decode("utf-8", "replace")
    return "".join(sign for sign in shown if sign.isprintable())[:_LONGEST]
