"""The settings put together: from the command line, the runner's INPUT_*, the policy file."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry_gc.errors import UsageError
from registry_gc.settings import parse, policy_file, secret
from registry_gc.settings.inputs import INPUTS, ImageSettings, Input, Settings, only_owner
from registry_gc.settings.policy_file import PolicyFile

FILE = next(declared for declared in INPUTS if declared.name == "policy-file")
Options = Mapping[str, str | None]


def load(options: Options, env: Mapping[str, str], workspace: Path = Path()) -> Settings:
    """The settings from command-line options (by field), the environment and the policy file.

    An option or input that is given wins over the file, and that over what stands in for it; an
    empty text is none. Raises UsageError with every wrong value at once.
    """
    problems = _misspelt(env)
    given = {i.name: text for i in INPUTS if (text := _given(i, options, env))}
    values: dict[str, Any] = {}
    file = PolicyFile()
    for declared in (FILE, *(i for i in INPUTS if i is not FILE)):
        text = given.get(declared.name, "")
        if not text and declared.name in file.mentioned:
            values[declared.name] = file.values.get(declared.name)
            continue
        values[declared.name] = _value(declared, text or _fallback(declared, env), env, problems)
        if declared is FILE and values[FILE.name]:
            file = policy_file.read(values[FILE.name], workspace, env)
            problems += file.problems
    if values["restore"] and values["owner"] and not only_owner(values["owner"]):
        problems.append(_RESTORES_OF_MANY)
    if problems:
        raise UsageError(tuple(problems))
    images = []
    for match, written in file.images:
        own = {name: value for name, value in written.items() if name not in given}
        images.append(ImageSettings(match, own, _settings(values | own)))
    return _settings(values, tuple(images))


def _settings(values: Mapping[str, Any], images: tuple[ImageSettings, ...] = ()) -> Settings:
    fields = {name.replace("-", "_"): value for name, value in values.items()}
    if fields["keep_untagged_days"] is None:
        fields["keep_untagged_days"] = fields["keep_days"]
    return Settings(**fields, images=images)


_MISSING = {
    "token": "is missing. Make a personal access token with the scope write:package on the "
    "server (Settings, Applications), store it as a secret and pass it as the input token, "
    "or as GITEA_TOKEN on a command line.",
    "server-url": "is missing. Pass the root address of the instance, such as "
    "https://git.example.org, as the input server-url, or as GITEA_HOST on a command line.",
    "owner": "is missing. Pass the user or organisation that owns the images.",
    "package": "is missing. Pass an image's name, several with commas, or * for all of the owner.",
}

_RESTORES_OF_MANY = (
    "restore: puts back tags of one owner only: name it alone in the input owner, and run once for "
    "each."
)
_MISPLACED = (
    "*** holds the token, or a part of it: pass the token as the input token only (GITEA_TOKEN on "
    "a command line)."
)


def _given(declared: Input, options: Options, env: Mapping[str, str]) -> str:
    texts = (options.get(declared.field), env.get(declared.variable))
    return next((text for text in texts if text and text.strip()), "")


def _fallback(declared: Input, env: Mapping[str, str]) -> str:
    texts = (*(env.get(name) for name in declared.env), declared.default)
    return next((text for text in texts if text and text.strip()), "")


def _value(declared: Input, text: str, env: Mapping[str, str], problems: list[str]) -> Any:
    """What the text means; None when it means nothing, which is one of the problems then."""
    try:
        if declared.required and not text:
            raise ValueError(_MISSING[declared.name])
        if declared.name != "token" and secret.is_in(text, env):
            raise ValueError(_MISPLACED)
        parse.check_text(text)
        return declared.parse(text) if text else parse.EMPTY[declared.field]
    except ValueError as error:
        shown = "" if _is_secret(declared.name, text, env) else f" {parse.shown(text)}"
        problems.append(f"{declared.name}:{shown} {error}")
    return None


def _is_secret(name: str, text: str, env: Mapping[str, str]) -> bool:
    """Whether the text must not be shown: the token, or what may hold one."""
    is_address_with_more = name == "server-url" and bool({"@", "?", "#"} & set(text))
    return not text or name == "token" or is_address_with_more or secret.is_in(text, env)


def _misspelt(env: Mapping[str, str]) -> list[str]:
    """Inputs that no one declared but that look like one: else a typo deletes by the default."""
    known = {declared.variable for declared in INPUTS}
    names = [declared.name for declared in INPUTS]
    problems = []
    for variable in env:
        wrong = variable.removeprefix("INPUT_").lower().replace("_", "-")
        if variable.startswith("INPUT_") and variable not in known and env[variable].strip():
            near = difflib.get_close_matches(wrong, names, 1, 0.7)
            if wrong.startswith("dry"):
                near = ["dry-run"]
            # `repo` is hardly meant for `report`: more likely it is another action's input.
            if near and wrong != "repo":
                shown = variable.removeprefix("INPUT_").lower()
                problems.append(f"{shown}: there is no such input. Did you mean {near[0]}?")
    return problems
