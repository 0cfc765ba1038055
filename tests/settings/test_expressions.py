"""Expressions mean what Python's own engine says they mean, and none of them takes long."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.settings.expressions import expression

ATOMS = st.sampled_from(
    ["a", "b", "1", ".", r"\d", r"\w", "[ab]", "[^a]", "[a-b1]", r"\.", "-", "B"]
)
TIMES = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?", "??", "{1,2}?"])


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # A repeated part that may be empty is where engines differ in what they prefer.
    repeated = st.tuples(parts, TIMES).map(
        lambda pair: "".join(pair) if re.fullmatch(pair[0], "") is None else pair[0]
    )
    plain = st.lists(repeated, min_size=1, max_size=4).map("".join)
    return plain | st.tuples(plain, plain).map("|".join)


INNER = joined(ATOMS | st.recursive(ATOMS, lambda p: joined(p).map("(?:{})".format), max_leaves=4))
EXPRESSIONS = st.tuples(
    st.sampled_from(["", "^"]), INNER, INNER, st.sampled_from(["", "?"]), INNER, st.just("")
) | st.tuples(INNER, st.just("a"), INNER, st.just(""), st.just("b"), st.sampled_from(["", "$"]))
TEXTS = st.text("ab1.-", max_size=9)


@settings(deadline=None, max_examples=200)
@given(EXPRESSIONS, st.lists(TEXTS, min_size=5, max_size=5))
def test_an_expression_finds_what_pythons_engine_finds(
    parts: tuple[str, ...], texts: list[str]
) -> None:
    first, before, inner, times, after, last = parts
    text = f"{first}(?:{before})({inner}){times}(?:{after}){last}"
    try:
        read = expression(text)
    except ValueError as error:
        assert "so much" in str(error) or "too long" in str(error)
        return
    for tag in texts:
        match = re.search(text.lower(), tag)
        assert read.group(tag) == (match[1] if match else None), (text, tag)


@pytest.mark.parametrize(
    ("text", "tag", "group"),
    [
        (r"(.*)-\d+", "feature-login-12", "feature-login"),
        (r"^v?(\d+\.\d+)", "v1.2.3", "1.2"),
        (r"^(\d+)", "v1", None),
        (r"(main|develop)-", "develop-3f2a1b", "develop"),
        (r"-(alpine|slim)?$", "1.2-", None),
        (r"([A-Z]+)_", "abc_1", "abc"),
        (r"(\D+)", "12ab", "ab"),
        (r"(\s)", "ab", None),
        (r"()", "ab", ""),
        (r"[\w.]+-([^.]+)\.", "a.b-c-d.e", "c-d"),
        (r"([-.])", "a.b", "."),
        (r"([\d-]{2,})$", "a1-2", "1-2"),
    ],
)
def test_an_expression_names_the_group_of_a_tag(text: str, tag: str, group: str | None) -> None:
    assert expression(text).group(tag) == group


@pytest.mark.parametrize(
    "text",
    [
        "(a*)*b",
        "((?:a+)+)b$",
        "(a|a|a|a)*b".replace("*", "{20}"),
        "(.*).*.*.*.*.*.*x",
        "(?:a?){50}(a){50}b",
        "^((?:.|.)*)*x$",
    ],
)
def test_no_expression_hangs(text: str) -> None:
    """Python's own engine would take longer than anyone lives for most of these."""
    start = time.process_time()
    assert expression(text).group("a" * 128) is None
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v*", "must have exactly one group (...)"),
        (r"(\d+)\.(\d+)", "must have exactly one group (...)"),
        ("(a", "has a ( without its )."),
        ("(a))", "has a ) without its (."),
        ("*(a)", "has * behind nothing that it could repeat."),
        ("(a)**", "has * behind nothing that it could repeat."),
        ("(|+)", "has + behind nothing"),
        (r"(a)\1", r"is no expression that can be used from '\\1' on"),
        ("(?=a)(b)", "is no expression that can be used from '(?=a)(b)' on"),
        ("(?P<x>b)", "is no expression"),
        ("(a b)", "from ' b)' on"),
        ("([b-a])", "has b-a, a range that ends before it begins."),
        ("([])", "is no expression"),
        ("(a{2,1})", "has {2,1}, whose second figure is less than its first."),
        ("(a{999})", "repeats so much that it would be slow"),
        ("((?:a{99}){99})", "repeats so much that it would be slow"),
        ("(" + "a" * 127 + ")", "is too long: at most 128 characters."),
    ],
)
def test_what_cannot_be_used_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        expression(text)
