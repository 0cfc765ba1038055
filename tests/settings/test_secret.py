"""A token that was pasted where none belongs is refused there, and shown nowhere."""

import pytest

from registry_gc.errors import UsageError
from registry_gc.settings import secret
from registry_gc.settings.inputs import INPUTS
from registry_gc.settings.load import load

TOKEN = "f00dfeed5ec7e7f00dfeed5ec7e7f00dfeed5ec7"
REQUIRED = {
    "INPUT_TOKEN": TOKEN,
    "INPUT_SERVER-URL": "https://git.example.org",
    "INPUT_OWNER": "acme",
    "INPUT_PACKAGE": "app",
}
OTHERS = [declared for declared in INPUTS if declared.name != "token"]
FORMS = [
    TOKEN,
    TOKEN.upper(),
    f"{TOKEN[:17]}\n{TOKEN[17:]}",
    f"{TOKEN[:17]}\r\n  {TOKEN[17:]}\n",
    f"{TOKEN}\n{TOKEN}",
    f"app, {TOKEN}",
    f"https://git.example.org/{TOKEN}",
    f"https://{TOKEN}@git.example.org",
    f"tags={TOKEN},keep-days=3",
    f"out/{TOKEN}.json",
]


def problems(env: dict[str, str], **options: str) -> tuple[str, ...]:
    """What is said to these settings, in which no piece of the token is."""
    with pytest.raises(UsageError) as caught:
        load(options, REQUIRED | env)
    bare = "".join(str(caught.value).split()).lower()
    assert TOKEN[:17] not in bare
    assert TOKEN[17:] not in bare
    return caught.value.problems


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("declared", OTHERS, ids=[declared.name for declared in OTHERS])
def test_a_token_in_another_input_is_refused_there(declared: object, text: str) -> None:
    name, field = getattr(declared, "name", ""), getattr(declared, "field", "")
    for message in (problems({f"INPUT_{name.upper()}": text}), problems({}, **{field: text})):
        assert len(message) == 1
        assert message[0].startswith(f"{name}: *** holds the token")


@pytest.mark.parametrize("variable", ["GITEA_HOST", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY_OWNER"])
def test_a_token_in_what_stands_in_for_an_input_is_refused_too(variable: str) -> None:
    left_out = {"INPUT_SERVER-URL": "", "INPUT_OWNER": "", "GITHUB_SERVER_URL": "https://a.example"}
    (message, *more) = problems({**left_out, "GITHUB_REPOSITORY_OWNER": "acme", variable: TOKEN})
    assert ("holds the token" in message, more) == (True, [])


def test_a_token_for_the_command_line_counts_beside_the_input() -> None:
    (message,) = problems(
        {"INPUT_TOKEN": "another-token", "GITEA_TOKEN": TOKEN, "INPUT_OWNER": TOKEN}
    )
    assert message.startswith("owner: *** holds")


def test_a_line_of_a_badly_pasted_token_is_refused_elsewhere() -> None:
    both = f"user\n{TOKEN}"
    message = problems({"INPUT_TOKEN": both, "INPUT_PACKAGE": TOKEN})
    assert [text.partition(":")[0] for text in message] == ["token", "package"]
    message = problems({"INPUT_TOKEN": f"{TOKEN[:17]}\n{TOKEN[17:]}", "INPUT_OWNER": TOKEN[17:]})
    assert [text.partition(":")[0] for text in message] == ["token", "owner"]


def test_a_token_that_is_nowhere_given_as_one_is_not_shown_either() -> None:
    message = problems({"INPUT_TOKEN": "", "INPUT_KEEP-DAYS": TOKEN})
    assert message[1] == 'keep-days: "***" is not allowed: a whole number from 0 to 999999.'


@pytest.mark.parametrize("token", ["app", "v1", "x", "acme"])
def test_what_is_too_short_for_a_token_may_be_part_of_a_name(token: str) -> None:
    assert load({}, REQUIRED | {"INPUT_TOKEN": token}).package == ("app",)


def test_eight_characters_may_be_a_token() -> None:
    (message,) = problems({"INPUT_TOKEN": "s3cret-8", "INPUT_OWNER": "s3cret-8"})
    assert message.startswith("owner: *** holds")


def test_every_line_is_masked_and_every_form_redacted() -> None:
    env = {"INPUT_TOKEN": f" {TOKEN} ", "GITEA_TOKEN": "one\r\n\ntwo"}
    assert secret.lines(env) == [TOKEN, "one", "two"]
    for text in FORMS:
        assert TOKEN[17:] not in secret.redacted(f"<{text}>", env).lower()
    assert secret.redacted("app: one of two", env) == "app: one of two"


def test_of_a_very_long_token_the_beginning_is_looked_for() -> None:
    env = {"GITEA_TOKEN": "ab" * 60_000}
    assert secret.is_in("x" * 100_000 + "ab" * 600, env)
    assert not secret.is_in("ab" * 400, env)
