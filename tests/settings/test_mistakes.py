"""Every wrong value is named, all at once, on one line each, without the token."""

import pytest

from registry_gc.errors import UsageError
from registry_gc.settings.load import load
from tests.settings.given import REQUIRED, SECRET, environment, problem, problems

WRONG = {
    "server-url": ("git.example.org", "https://"),
    "owner": ("a/b", "letters, digits"),
    "package": ("app,,web", "empty entry"),
    "keep-days": ("-1", "from 0 to"),
    "keep-latest": ("six", "from 0 to"),
    "protect": ("v* w*", "commas or lines"),
    "policies": ("v*=3", "tags=PATTERN"),
    "keep-untagged-days": ("1.5", "from 0 to"),
    "protect-from": (",", "empty entry"),
    "max-delete": ("most", "60%"),
    "delete-at-most": ("0", "from 1 to"),
    "dry-run": ("maybe", "true or false"),
    "concurrency": ("33", "1 to 32"),
    "measure-space": ("yes", "true or false"),
    "reclaim": ("1", "true or false"),
}


def test_all_wrong_values_are_named_at_once_with_what_is_allowed() -> None:
    found = problems({name: text for name, (text, _) in WRONG.items()})
    assert len(found) == len(WRONG)
    for message, (name, (text, allowed)) in zip(found, WRONG.items(), strict=True):
        assert message.startswith(f'{name}: "{text}" ')
        assert allowed in message


def test_nothing_but_mistakes_is_needed_to_name_them() -> None:
    with pytest.raises(UsageError) as caught:
        load({}, {})
    assert [message.partition(":")[0] for message in caught.value.problems] == list(REQUIRED)
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_a_wrong_value_is_shown_on_one_line_and_cut_when_long() -> None:
    assert '"a b"' in problem("dry-run", "a\n\n  b")
    assert len(problem("dry-run", "x" * 9000)) < 200


@pytest.mark.parametrize("text", [f"{SECRET} x", f"{SECRET}\nx", f"{SECRET}é", f"\x00{SECRET}"])
def test_a_wrong_token_is_not_shown(text: str) -> None:
    message = problem("token", text)
    assert SECRET not in message
    assert "copy it again" in message


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{SECRET}@git.example.org",
        f"https://{SECRET}@git.example.org",
        f"user:{SECRET}@git.example.org",
        f"https://user:{SECRET}@git.example.org:port",
        f"https://git.example.org/?token={SECRET}",
        f"git.example.org?access_token={SECRET}",
        f"https://git.example.org/#access_token={SECRET}",
    ],
)
def test_a_token_in_the_address_is_refused_and_not_shown(text: str) -> None:
    assert SECRET not in problem("server-url", text)


@pytest.mark.parametrize("name", ["keep-days", "dry-run", "policies", "protect"])
def test_a_token_that_was_put_into_a_wrong_input_too_is_not_shown(name: str) -> None:
    assert SECRET not in problem(name, f"{SECRET}, {SECRET} x")


@pytest.mark.parametrize(
    ("variable", "right"),
    [
        ("INPUT_KEEP_DAYS", "keep-days"),
        ("INPUT_KEEPDAYS", "keep-days"),
        ("INPUT_KEEP-DAY", "keep-days"),
        ("INPUT_KEEP-LAST", "keep-latest"),
        ("INPUT_DRYRUN", "dry-run"),
        ("INPUT_DRY_RUN", "dry-run"),
        ("INPUT_PROTECTED", "protect"),
        ("INPUT_MAX-DELETIONS", "max-delete"),
        ("INPUT_POLICES", "policies"),
        ("INPUT_POLICY", "policies"),
    ],
)
def test_a_misspelt_input_is_an_error_for_it_would_delete_by_the_default(
    variable: str, right: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load({}, environment({}) | {variable: "true"})
    (message,) = caught.value.problems
    assert message == (f"{variable[6:].lower()}: there is no such input. Did you mean {right}?")
    assert load({}, environment({}) | {variable: ""}) == load({}, environment({}))
