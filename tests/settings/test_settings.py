"""Settings mean what the README says, and wrong ones are all named at once, without the token."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.errors import UsageError
from registry_gc.settings.inputs import INPUTS, Settings
from registry_gc.settings.load import load
from registry_gc.settings.parse import Limit
from tests.settings.given import REQUIRED, SECRET, environment, problem, problems

DEFAULTS = Settings(
    token=SECRET,
    server_url="https://git.example.org",
    owner="acme",
    package=("app",),
    keep_days=180,
    keep_latest=6,
    keep_daily=0,
    keep_weekly=0,
    keep_monthly=0,
    keep_yearly=0,
    protect=("latest", "corpus-*"),
    policies=(),
    policy_file="",
    keep_untagged_days=180,
    protect_from=(),
    protect_from_repositories=(),
    repository="",
    max_delete=None,
    delete_at_most=None,
    trash_days=0,
    restore=(),
    dry_run=False,
    concurrency=32,
    measure_space=True,
    reclaim=False,
    report="",
    cache="",
    verbose=False,
)
NAMES = [declared.name for declared in INPUTS]
NUMBERS = ["keep-days", "keep-latest", "keep-daily", "keep-yearly", "keep-untagged-days"]
BOOLEANS = ["dry-run", "measure-space", "reclaim", "verbose"]


def loaded(**inputs: str) -> Settings:
    return load({}, environment({name.replace("_", "-"): text for name, text in inputs.items()}))


def value(name: str, text: str) -> Any:
    return getattr(load({}, environment({name: text})), name.replace("-", "_"))


# --- defaults and where a value comes from


def test_only_the_required_inputs_are_needed() -> None:
    assert loaded() == DEFAULTS


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in REQUIRED])
def test_an_empty_text_means_the_default(name: str, empty: str) -> None:
    assert load({}, environment({name: empty})) == DEFAULTS
    assert load({name.replace("-", "_"): empty}, environment({})) == DEFAULTS


def test_an_empty_keep_untagged_days_means_keep_days() -> None:
    assert loaded(keep_days="30").keep_untagged_days == 30
    assert loaded(keep_days="30", keep_untagged_days="0").keep_untagged_days == 0


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("empty", ["", " "])
def test_a_required_input_that_is_empty_is_missing(name: str, empty: str) -> None:
    assert problem(name, empty).startswith(f"{name}: is missing.")


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("token", ["INPUT_TOKEN", "GITEA_TOKEN"]),
        ("server-url", ["option", "INPUT_SERVER-URL", "GITEA_HOST", "GITHUB_SERVER_URL"]),
        ("owner", ["option", "INPUT_OWNER", "GITHUB_REPOSITORY_OWNER"]),
        ("package", ["option", "INPUT_PACKAGE"]),
        ("keep-days", ["option", "INPUT_KEEP-DAYS"]),
        ("max-delete", ["option", "INPUT_MAX-DELETE"]),
    ],
)
def test_an_option_beats_an_input_beats_what_stands_in_for_it(
    name: str, sources: list[str]
) -> None:
    field = name.replace("-", "_")
    form = "https://{}.example" if name == "server-url" else "{}"
    texts = {source: form.format(place) for place, source in enumerate(sources, 1)}
    for source in sources:
        env = environment({name: ""}) | texts
        found = getattr(load({field: texts.get("option")}, env), field)
        assert found == value(name, texts[source])
        texts[source] = " "  # counts as none: the next one has its turn


def test_what_else_the_runner_sets_is_no_input() -> None:
    runner = {"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "INPUTRC": "x", "INPUT_": "x"}
    assert load({}, environment({}) | runner) == DEFAULTS


# --- what a text means


@pytest.mark.parametrize("name", BOOLEANS)
def test_a_boolean_is_true_or_false_in_any_case(name: str) -> None:
    for text in ("true", "TRUE", "True", " true "):
        assert value(name, text) is True
    for text in ("false", "FALSE", "False", "false\n"):
        assert value(name, text) is False


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("text", ["maybe", "yes", "no", "1", "0", "on", "true,", "tru e"])
def test_nothing_else_is_a_boolean(name: str, text: str) -> None:
    assert problem(name, text) == f'{name}: "{text}" is not allowed: true or false.'


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_whole_and_not_negative(name: str) -> None:
    for text, number in (("0", 0), ("1", 1), (" 30 ", 30), ("007", 7), ("999999", 999_999)):
        assert value(name, text) == number


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "text", ["-1", "six", "1.5", "٣", "²", "1e3", "+5", "0x10", "1 000", "1000000", "9" * 5000]
)
def test_nothing_else_is_a_number(name: str, text: str) -> None:
    message = problem(name, text)
    assert text[:50] in message
    assert message.endswith("is not allowed: a whole number from 0 to 999999.")


@pytest.mark.parametrize("text", ["0", "33", "-1", "٣", "many", "100000"])
def test_concurrency_is_1_to_32(text: str) -> None:
    assert (value("concurrency", "1"), value("concurrency", "32")) == (1, 32)
    assert problem("concurrency", text).endswith("a whole number from 1 to 32.")


@pytest.mark.parametrize("text", ["0", "-1", "60%", "٣", "many", "1000000"])
def test_at_most_none_is_no_drain(text: str) -> None:
    """To some 0 means no limit, to others nothing at all."""
    assert (value("delete-at-most", ""), value("delete-at-most", " 1 ")) == (None, 1)
    assert "a whole number from 1 to 999999" in problem("delete-at-most", text)


PATTERNS = ["package", "protect", "protect-from"]  # lists, of which only the last may have spaces


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b ", ("a", "b")),
        ("a\nb", ("a", "b")),
        ("a,\nb", ("a", "b")),
        ("a, b\r\n\r\n  c\n", ("a", "b", "c")),
        ("v[0-9]*,[!a-c]?pp", ("v[0-9]*", "[!a-c]?pp")),
    ],
)
def test_patterns_stand_between_commas_or_on_lines(
    name: str, text: str, expected: tuple[str, ...]
) -> None:
    assert value(name, text) == expected


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("text", [",", "a,", ",a", "a,,b", "a, ,b", "a\n,\nb", "a,\nb,"])
def test_an_empty_pattern_is_a_mistake(name: str, text: str) -> None:
    assert "has an empty entry" in problem(name, text)


def test_patterns_are_compared_in_lower_case_but_paths_are_not() -> None:
    assert value("protect", "V*,Latest") == ("v*", "latest")
    assert value("package", "App") == ("app",)
    assert value("protect-from", "Deploy/*.yaml") == ("Deploy/*.yaml",)


@pytest.mark.parametrize("name", ["package", "protect"])
def test_a_space_inside_a_pattern_is_a_mistake_and_inside_a_path_is_not(name: str) -> None:
    message = problem(name, "latest, v* corpus-*")
    assert '"v* corpus-*"' in message
    assert "by commas or lines" in message
    assert value("protect-from", "my files/a.yaml") == ("my files/a.yaml",)


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("500", Limit(500, False), "500"),
        ("0", Limit(0, False), "0"),
        ("60%", Limit(60, True), "60%"),
        (" 60 % ", Limit(60, True), "60%"),
        ("0%", Limit(0, True), "0%"),
        ("100%", Limit(100, True), "100%"),
    ],
)
def test_max_delete_is_a_count_or_a_percentage(text: str, limit: Limit, shown: str) -> None:
    assert value("max-delete", text) == limit
    assert str(limit) == shown


@pytest.mark.parametrize(
    "text", ["101%", "-1", "%", "60%%", "%60", "1.5%", "٣", "5e2", "60 percent", "9" * 50, "5% 6"]
)
def test_nothing_else_is_a_max_delete(text: str) -> None:
    assert problem("max-delete", text).endswith("from 0% to 100% such as 60%.")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://git.example.org", "https://git.example.org"),
        ("https://git.example.org/", "https://git.example.org"),
        ("https://git.example.org/sub/path//", "https://git.example.org/sub/path"),
        (" http://gitea:3000\n", "http://gitea:3000"),
        ("http://[::1]:3000/git", "http://[::1]:3000/git"),
        ("HTTPS://Git.Example.org", "HTTPS://Git.Example.org"),
        ("https://git.bücher.example", "https://git.bücher.example"),
    ],
)
def test_an_address_keeps_its_path_and_loses_its_last_slash(text: str, address: str) -> None:
    assert value("server-url", text) == address


@pytest.mark.parametrize(
    "text",
    [
        "git.example.org",
        "git.example.org:3000",
        "//git.example.org",
        "ftp://git.example.org",
        "https://",
        "https:///path",
        "https://:3000",
        "https://git.example.org:port",
        "https://git.example.org:99999",
        "https://[::1",
        "https://git.exa mple.org",
        "https://git.exa\tmple.org",
    ],
)
def test_an_address_has_a_scheme_and_a_host(text: str) -> None:
    message = problem("server-url", text)
    assert "is not an address" in message
    assert "https://git.example.org" in message


@pytest.mark.parametrize(
    "text",
    [
        "https://git.example.org/?page=1",
        "https://git.example.org/#top",
        "https://git.example.org/#",
        "https://git.example.org?",
    ],
)
def test_an_address_has_no_query_and_no_fragment(text: str) -> None:
    assert "without ? and #" in problem("server-url", text)


@pytest.mark.parametrize("text", ["acme", "Acme-Org", "a.b_c", " acme "])
def test_an_owner_is_one_name(text: str) -> None:
    assert value("owner", text) == text.strip()
    assert loaded(owner=text).only_owner == text.strip()


@pytest.mark.parametrize("text", ["a, b*", "a,\nb*", "a\nb*\n", " a , b*,\na"])
def test_several_owners_are_names_and_patterns(text: str) -> None:
    found = loaded(owner=text)
    assert (found.owners, found.only_owner) == (("a", "b*"), "")


@pytest.mark.parametrize("text", ["*", "team-?", "[ab]c", "[!a]*"])
def test_a_pattern_may_fit_several_owners(text: str) -> None:
    assert (loaded(owner=text).owners, loaded(owner=text).only_owner) == ((text,), "")


@pytest.mark.parametrize(
    "text", ["a/b", "..", ".", "a b", "@acme", "acme/", "https://x", "[", "a]"]
)
def test_nothing_else_is_an_owner(text: str) -> None:
    assert f'"{text}" is not the name of a user or organisation' in problem("owner", text)
    assert f'has "{text}", which is not' in problem("owner", f"acme, {text}")


@pytest.mark.parametrize("owner", ["a, b", "*", "a*"])
def test_tags_are_put_back_for_one_owner_at_a_time(owner: str) -> None:
    (text,) = problems({"owner": owner, "restore": "app:v1"})
    assert text.startswith("restore: puts back tags of one owner only")


# --- the report of the settings


def test_the_public_settings_are_all_inputs_but_the_token() -> None:
    shown = loaded().public()
    assert list(shown) == [name for name in NAMES if name != "token"]
    assert shown["keep-days"] == 180
    assert SECRET not in repr(shown)


TEXTS = st.text(st.characters(), max_size=30) | st.text("a0,=%*-\n /:@?#[]tagskeepdy", max_size=30)


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from(NAMES), TEXTS),
    st.dictionaries(st.sampled_from(NAMES), TEXTS),
)
def test_no_text_whatever_is_answered_with_anything_but_a_usage_error(
    inputs: dict[str, str], options: dict[str, str]
) -> None:
    by_field = {n.replace("-", "_"): text for n, text in options.items() if n != "token"}
    try:
        found = load(by_field, environment(inputs))
    except UsageError as error:
        assert error.problems
        assert all("\n" not in message for message in error.problems)
        return
    assert isinstance(found, Settings)
