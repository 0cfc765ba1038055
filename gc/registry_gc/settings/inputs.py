"""The settings: each input declared once, read from the command line and the runner's INPUT_*."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from registry_gc.errors import UsageError
from registry_gc.settings import parse, policies, secret


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run shall do; the fields are the inputs, in their order."""

    token: str
    server_url: str
    owner: str
    package: tuple[str, ...]
    keep_days: int
    keep_latest: int
    keep_daily: int
    keep_weekly: int
    keep_monthly: int
    keep_yearly: int
    protect: tuple[str, ...]
    policies: tuple[parse.Policy, ...]  # those of the input; the default policy is not among them
    keep_untagged_days: int
    protect_from: tuple[str, ...]
    protect_from_repositories: tuple[str, ...]
    repository: str
    max_delete: parse.Limit | None
    trash_days: int
    restore: tuple[str, ...]
    """`app:v1.2`: tags to put back from the trash."""
    dry_run: bool
    concurrency: int
    measure_space: bool
    reclaim: bool
    report: str
    verbose: bool

    @property
    def default_policy(self) -> parse.Policy:
        """What is kept of the tags that no other policy takes."""
        return parse.Policy(
            (),
            self.keep_latest,
            self.keep_days,
            self.keep_daily,
            self.keep_weekly,
            self.keep_monthly,
            self.keep_yearly,
        )

    def public(self) -> dict[str, Any]:
        """The settings by their input's name, without the token."""
        return {f.name.replace("_", "-"): getattr(self, f.name) for f in fields(self)[1:]}


@dataclass(frozen=True, slots=True)
class Input:
    """One input: `name` as in action.yml, and how its text becomes a value.

    `parse` raises ValueError with what is allowed; `env` names the variables that stand in for it.
    """

    name: str
    parse: Callable[[str], Any]
    help: str
    default: str = ""
    required: bool = False
    env: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """Its field in Settings."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The variable a runner passes it in (act 0.2: upper case, hyphens kept)."""
        return f"INPUT_{self.name.upper()}"


INPUTS = (
    Input(
        "token",
        parse.token,
        "Personal access token with the scope write:package. On the command line: GITEA_TOKEN.",
        required=True,
        env=("GITEA_TOKEN",),
    ),
    Input(
        "server-url",
        parse.server_url,
        "Root address of the Gitea or Forgejo instance. Default: the one that runs the workflow.",
        required=True,
        env=("GITEA_HOST", "GITHUB_SERVER_URL"),
    ),
    Input(
        "owner",
        parse.owner,
        "User or organisation that owns the images. Default: the repository's owner.",
        required=True,
        env=("GITHUB_REPOSITORY_OWNER",),
    ),
    Input(
        "package",
        parse.images,
        "Image names or patterns, comma or line separated; * for all images of the owner.",
        required=True,
    ),
    Input("keep-days", parse.number, "Keep every tag younger than this many days.", "180"),
    Input("keep-latest", parse.number, "Keep this many of the newest builds.", "6"),
    Input("keep-daily", parse.number, "Of this many days that have a build, keep the newest.", "0"),
    Input("keep-weekly", parse.number, "Likewise of this many weeks (Monday to Sunday, UTC).", "0"),
    Input("keep-monthly", parse.number, "Likewise of this many months.", "0"),
    Input("keep-yearly", parse.number, "Likewise of this many years.", "0"),
    Input("protect", parse.patterns, "Tags that always stay: patterns.", "latest, corpus-*"),
    Input(
        "policies",
        policies.lines,
        "Own rules for streams of tags, one line each: tags=v*,keep-latest=20,keep-days=3650",
    ),
    Input(
        "keep-untagged-days",
        parse.number,
        "Keep untagged versions and attachments younger than this. Default: keep-days.",
    ),
    Input(
        "protect-from",
        parse.paths,
        "Files or patterns in the workspace: the tags and digests they mention stay.",
    ),
    Input(
        "protect-from-repositories",
        parse.repositories,
        "Repositories or patterns (my-org/*, ops/deploy): the images they refer to stay.",
    ),
    Input(
        "repository",
        parse.repository,
        "Where {branch}, {pull} and {tag} are looked up. Default: the one an image is linked to.",
    ),
    Input(
        "max-delete",
        parse.limit,
        "Delete nothing at all if more would go: 500 (in the run), 60% (of an image's versions).",
    ),
    Input(
        "trash-days",
        parse.number,
        "Keep each tag that goes as gc-trash.<tag> for so many days first; restore puts it back.",
        "0",
    ),
    Input(
        "restore",
        parse.tags,
        "Put tags back from the trash, app:v1.2, app:v1.3, and do nothing else.",
    ),
    Input("dry-run", parse.boolean, "Only say what would be deleted.", "false"),
    Input("concurrency", parse.in_flight, "The most requests in flight, 1 to 32.", "32"),
    Input(
        "measure-space",
        parse.boolean,
        "Say how much space is freed; false saves the reading of most that goes.",
        "true",
    ),
    Input(
        "reclaim",
        parse.boolean,
        "Afterwards run the server's cleanup_packages; needs a site admin's write:admin token.",
        "false",
    ),
    Input(
        "report",
        parse.path,
        "Path in the workspace for a JSON report. Only a former report is overwritten.",
    ),
    Input("verbose", parse.boolean, "Have every version in the log, not every build.", "false"),
)


def load(options: Mapping[str, str | None], env: Mapping[str, str]) -> Settings:
    """The settings from command-line options (by field) and the environment.

    An empty text means the default. Raises UsageError with every wrong value at once.
    """
    problems = _misspelt(env)
    values: dict[str, Any] = {}
    for declared in INPUTS:
        text = _text(declared, options, env)
        try:
            if declared.required and not text:
                raise ValueError(_MISSING[declared.name])
            if declared.name != "token" and secret.is_in(text, env):
                raise ValueError(_MISPLACED)
            parse.check_text(text)
            values[declared.field] = declared.parse(text) if text else parse.EMPTY[declared.field]
        except ValueError as error:
            shown = "" if _is_secret(declared.name, text, env) else f" {parse.shown(text)}"
            problems.append(f"{declared.name}:{shown} {error}")
    if problems:
        raise UsageError(tuple(problems))
    if values["keep_untagged_days"] is None:
        values["keep_untagged_days"] = values["keep_days"]
    return Settings(**values)


_MISSING = {
    "token": "is missing. Make a personal access token with the scope write:package on the "
    "server (Settings, Applications), store it as a secret and pass it as the input token, "
    "or as GITEA_TOKEN on a command line.",
    "server-url": "is missing. Pass the root address of the instance, such as "
    "https://git.example.org, as the input server-url, or as GITEA_HOST on a command line.",
    "owner": "is missing. Pass the user or organisation that owns the images.",
    "package": "is missing. Pass an image's name, several with commas, or * for all of the owner.",
}

_MISPLACED = (
    "*** holds the token, or a part of it: pass the token as the input token only (GITEA_TOKEN on "
    "a command line)."
)


def _text(declared: Input, options: Mapping[str, str | None], env: Mapping[str, str]) -> str:
    given = (
        options.get(declared.field),
        env.get(declared.variable),
        *(env.get(name) for name in declared.env),
        declared.default,
    )
    return next((text for text in given if text and text.strip()), "")


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
