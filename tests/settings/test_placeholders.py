"""What {branch}, {pull} and {tag} stand for in a policy's patterns."""

import pytest

from registry_gc.settings import parse, policies
from registry_gc.settings.placeholders import Names, fits


@pytest.mark.parametrize(
    ("pattern", "tag", "does_fit"),
    [
        ("pr-{pull}*", "pr-12", True),
        ("pr-{pull}*", "pr-12-head", True),
        ("pr-{pull}*", "pr-next", False),
        ("pr-{pull}", "pr-12-head", False),
        ("{pull}", "12", True),
        ("{pull}", "v12", False),
        ("{branch}-*", "feature-login-abc", True),
        ("{branch}-*", "main", False),
        ("{branch}", "main", True),
        ("v{tag}", "v1.2.0", True),
        ("v{tag}", "1.2.0", False),
        ("[vr]{tag}-alpine", "r1-alpine", True),
        ("[vr]{tag}-alpine", "x1-alpine", False),
    ],
)
def test_a_policy_takes_the_tags_that_its_placeholder_can_stand_in(
    pattern: str, tag: str, does_fit: bool
) -> None:
    assert fits(tag, pattern) is does_fit


@pytest.mark.parametrize(
    ("pattern", "names", "tag", "name"),
    [
        ("pr-{pull}*", ("1",), "pr-12", None),
        ("pr-{pull}*", ("1",), "pr-1", "1"),
        ("pr-{pull}*", ("1",), "pr-1-head", "1"),
        ("pr-{pull}*", ("1", "12"), "pr-12-amd64", "12"),
        ("*{pull}", ("2",), "pr-12", None),
        ("*-{pull}*", ("2",), "pr-2", "2"),
        ("pr-{pull}*", ("12",), "pr-012", None),
        ("1{pull}", ("2",), "12", "2"),
        ("{pull}0", ("12",), "120", "12"),
        ("{branch}-*", ("feature", "feature-login"), "feature-login-abc", "feature-login"),
        ("{branch}-*", ("feature", "feature-login"), "feature-x", "feature"),
        ("{branch}-*", ("feature",), "feature", None),
        ("{branch}", ("a.c",), "abc", None),
        ("{branch}", (), "main", None),
        ("*{branch}", ("main",), "x-main", "main"),
    ],
)
def test_a_tag_is_matched_by_a_name_that_is_there(
    pattern: str, names: tuple[str, ...], tag: str, name: str | None
) -> None:
    assert Names(pattern, names).in_tag(tag) == name


@pytest.mark.parametrize("length", [124, 125, 126, 127, 128, 200])
def test_a_tag_cut_to_what_a_tag_may_have_is_still_matched(length: int) -> None:
    name = "b" * length
    for pattern, whole in (
        ("br-{branch}", f"br-{name}"),
        ("br-{branch}-amd64", f"br-{name}-amd64"),
    ):
        tag = whole[:128]
        assert Names(pattern, ["main", name]).in_tag(tag) == name


def test_only_a_tag_as_long_as_a_tag_may_be_is_taken_for_cut() -> None:
    assert Names("{branch}", ["b" * 200]).in_tag("b" * 127) is None
    assert Names("{branch}", ["main"]).in_tag("main-and-more") is None


@pytest.mark.parametrize("pattern", ["{branch}", "*{tag}", "{pull}", "{branch}*"])
def test_a_placeholder_alone_needs_a_figure_of_its_own(pattern: str) -> None:
    with pytest.raises(ValueError, match="keep-latest or keep-days"):
        policies.lines(f"tags={pattern}")
    assert policies.lines(f"tags={pattern},keep-days=0")[0].tags == (pattern,)
    assert policies.lines(f"tags={pattern},keep-latest=2")[0].keep_days == 0


def test_a_placeholder_with_more_around_it_needs_none() -> None:
    assert policies.lines("tags=PR-{Pull}*,tags=v{tag}")[0].tags == ("pr-{pull}*", "v{tag}")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("{pr}-*", "the placeholders are"),
        ("pr-{pull", "the placeholders are"),
        ("pr-{}", "the placeholders are"),
        ("{branch}-{pull}", "two placeholders"),
    ],
)
def test_other_braces_are_an_error(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        policies.lines(f"tags={pattern},keep-days=1")


def test_placeholders_stand_in_policies_only() -> None:
    with pytest.raises(ValueError, match="only stand in policies"):
        parse.patterns("latest, {branch}")


@pytest.mark.parametrize("text", ["my-org/*", "My-Org/Deploy", "*/deploy-[ab]", "*/*", "a.b/c_d-?"])
def test_repositories_are_owner_and_name_or_patterns_of_them(text: str) -> None:
    assert parse.repositories(text) == (text.lower(),)


@pytest.mark.parametrize(
    "text", ["*", "deploy", "my-org/", "/deploy", "a/b/c", "../x", "x/.", "{branch}/x"]
)
def test_what_is_no_owner_and_name_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match=r"owner/name|placeholder"):
        parse.repositories(text)


def test_one_repository_is_named_without_wildcards() -> None:
    assert parse.repository(" My-Org/App ") == "My-Org/App"
    for text in ("app", "my-org/*", "a/b/c", "my-org/..", "https://git.example.org/my-org/app"):
        with pytest.raises(ValueError, match="such as my-org/app"):
            parse.repository(text)
