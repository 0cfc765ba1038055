"""A pattern that can match nothing is an error: what it was to protect would go."""

import pytest

from registry_gc.settings import parse, policies

TAGS = [
    "v1",
    "V*",
    "1.2.3-rc_1",
    "sha256-*.sig",
    "[0-9]*",
    "[!v]*",
    "[a-f0-9-]?",
    "_x",
    "*",
]
NO_TAGS = [
    '"v1"',
    "'latest'",
    "`v1`",
    "\u201cv1\u201d",
    "v1\u200b",
    "\ufeffv1",
    "v\u00ad1",
    "v1\u2013rc",  # a dash that a word processor made of a hyphen
    "v\u04301",  # a Cyrillic letter that looks like a Latin one
    "\u03bd1",  # a Greek letter that looks like a v
    "^v.*$",
    "[^0-9]*",
    "v(1|2)",
    "v1+build",
    "v[12",
    "v]",
    "[]",
    "[!]",
    "v\\*",
    "~v1",
    "#v1",
    "app:v1",
    "my-org/app",
    "team/v1",
    f"sha256:{'a' * 64}",
    "$TAG",
    "${TAG}",
    "%TAG%",
]


@pytest.mark.parametrize("text", TAGS)
def test_what_can_match_a_tag_is_a_pattern(text: str) -> None:
    assert parse.patterns(text) == (text.lower(),)
    assert policies.lines(f"tags={text},keep-days=1")[0].tags == (text.lower(),)
    assert parse.images(text) == (text.lower(),)


@pytest.mark.parametrize("text", NO_TAGS)
def test_what_can_match_no_tag_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"matches no tag|has braces") as caught:
        parse.patterns(f"latest, {text}")
    assert str(caught.value).isascii()  # a character that does not show is seen
    with pytest.raises(ValueError, match=r"matches no tag|has braces|Allowed are"):
        policies.lines(f"tags={text},keep-days=1")


@pytest.mark.parametrize("text", ["app", "team/app", "*", "team/*", "a.b_c-d/e", "[a-c]*/app"])
def test_an_image_may_have_slashes(text: str) -> None:
    assert parse.images(text) == (text,)


@pytest.mark.parametrize(
    "text", ["app:v1", "https://git.example.org/acme/app", '"*"', "app@sha256:1", "{tag}", "äpp"]
)
def test_what_can_match_no_image_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="matches no image"):
        parse.images(text)
