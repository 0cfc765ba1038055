"""The settings: each input declared once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from registry_gc.settings import parse, policies


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run shall do; the fields are the inputs, in their order."""

    token: str
    """A personal access token; never shown."""
    server_url: str
    """The root of the instance."""
    owner: str
    """Users or organisations that own the images, and patterns of them: `acme, team-*`."""
    package: tuple[str, ...]
    """Names or patterns of the images."""
    keep_days: int
    """Of the default policy: younger than so many days."""
    keep_latest: int
    """Of the default policy: so many of the newest."""
    keep_daily: int
    """Of the default policy: the newest of each of so many days."""
    keep_weekly: int
    """Likewise of weeks."""
    keep_monthly: int
    """Likewise of months."""
    keep_yearly: int
    """Likewise of years."""
    protect: tuple[str, ...]
    """Patterns of the tags that always stay."""
    policies: tuple[parse.Policy, ...]
    """Those of the input; the default policy is not among them."""
    policy_file: str
    """Path of the policy file in the workspace; "" for none."""
    keep_untagged_days: int
    """Untagged versions and attachments younger than so many days stay."""
    protect_from: tuple[str, ...]
    """Paths or patterns in the workspace."""
    protect_from_repositories: tuple[str, ...]
    """`my-org/app`, or patterns of such names."""
    repository: str
    """Where branches, pull requests and git tags are; "" for the image's own."""
    max_delete: parse.Limit | None
    """None for no limit."""
    delete_at_most: int | None
    """So many builds of those that are due, the oldest; None for all."""
    trash_days: int
    """How long what goes stays in the trash; 0 for no trash."""
    restore: tuple[str, ...]
    """`app:v1.2`: tags to put back from the trash."""
    dry_run: bool
    """Nothing is deleted."""
    concurrency: int
    """The most requests in flight."""
    measure_space: bool
    """What goes is read too, so that its size can be told."""
    reclaim: bool
    """The server's cleanup_packages is run afterwards."""
    report: str
    """Path of the JSON report in the workspace; "" for none."""
    cache: str
    """Path of the file in the workspace in which what was read is kept; "" for none."""
    verbose: bool
    """The log has every version."""
    images: "tuple[ImageSettings, ...]" = ()
    """What the policy file says of images; the first that fits holds."""

    @property
    def owners(self) -> tuple[str, ...]:
        """The names and patterns of `owner`."""
        return tuple(self.owner.split(", "))

    @property
    def only_owner(self) -> str:
        """`owner` if it is one name; "" when there may be several."""
        return only_owner(self.owner)

    def for_image(self, image: str) -> "Settings":
        """What holds for an image: that of the first entry that fits its name, else these."""
        name = image.lower()
        fitting = (e for e in self.images if any(fnmatchcase(name, p) for p in e.match))
        entry = next(fitting, None)
        return entry.settings if entry else self

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
        """The settings by their input's name, without the token; and those by image as written."""
        names = [f.name for f in fields(self)[1:] if f.name != "images"]
        images = [{"match": entry.match, **entry.written} for entry in self.images]
        shown = {name.replace("_", "-"): getattr(self, name) for name in names}
        return shown | ({"images": images} if images else {})


def only_owner(owner: str) -> str:
    """The input `owner` if it is one name; "" when there may be several."""
    return "" if "," in owner or parse.is_pattern(owner) else owner


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What holds for some images in the place of the general settings."""

    match: tuple[str, ...]
    """Patterns of their names, in lower case."""
    written: Mapping[str, Any]
    """What is said of them, by input."""
    settings: Settings
    """All that holds for them."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input: `name` as in action.yml, and how its text becomes a value.

    `parse` raises ValueError with what is allowed; `env` names the variables that stand in for it.
    """

    name: str
    """As in action.yml."""
    parse: Callable[[str], Any]
    """Text -> value; raises ValueError with what is allowed."""
    help: str
    """A sentence for action.yml and --help."""
    default: str = ""
    """As text."""
    required: bool = False
    """Whether it must be given, here or by a variable of `env`."""
    env: tuple[str, ...] = ()
    """The variables that stand in for it, in their order."""
    many: bool = False
    """Whether it takes several values, separated by commas or lines; a list in a policy file."""
    by_image: bool = False
    """Whether a policy file may say it of some images apart."""

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
        "Users or organisations that own the images, or patterns of them. "
        "Default: the repository's owner.",
        required=True,
        env=("GITHUB_REPOSITORY_OWNER",),
        many=True,
    ),
    Input(
        "package",
        parse.images,
        "Image names or patterns, comma or line separated; * for all images of the owner.",
        required=True,
        many=True,
    ),
    Input(
        "keep-days",
        parse.number,
        "Keep every tag younger than this many days.",
        "180",
        by_image=True,
    ),
    Input(
        "keep-latest",
        parse.number,
        "Keep this many of the newest builds.",
        "6",
        by_image=True,
    ),
    Input(
        "keep-daily",
        parse.number,
        "Of this many days that have a build, keep the newest build of each.",
        "0",
        by_image=True,
    ),
    Input(
        "keep-weekly",
        parse.number,
        "Likewise of this many weeks (Monday to Sunday, UTC).",
        "0",
        by_image=True,
    ),
    Input(
        "keep-monthly",
        parse.number,
        "Likewise of this many months.",
        "0",
        by_image=True,
    ),
    Input(
        "keep-yearly",
        parse.number,
        "Likewise of this many years.",
        "0",
        by_image=True,
    ),
    Input(
        "protect",
        parse.patterns,
        "Tags that always stay: patterns, comma or line separated, in the place of the default.",
        "latest, corpus-*",
        many=True,
        by_image=True,
    ),
    Input(
        "policies",
        policies.lines,
        "Own rules for streams of tags, one line each: tags=v*,keep-latest=20,keep-days=3650",
        many=True,
        by_image=True,
    ),
    Input(
        "policy-file",
        parse.path,
        "Path in the workspace of a YAML file with these settings, also by image.",
    ),
    Input(
        "keep-untagged-days",
        parse.number,
        "Keep untagged versions and attachments younger than this. Default: keep-days.",
        by_image=True,
    ),
    Input(
        "protect-from",
        parse.paths,
        "Files or patterns in the workspace, comma or line separated: the tags and digests they "
        "mention stay.",
        many=True,
    ),
    Input(
        "protect-from-repositories",
        parse.repositories,
        "Repositories or patterns (my-org/*, ops/deploy): the images they refer to stay.",
        many=True,
    ),
    Input(
        "repository",
        parse.repository,
        "Where {branch}, {pull} and {tag} are looked up. Default: the one an image is linked to.",
        by_image=True,
    ),
    Input(
        "max-delete",
        parse.limit,
        "Delete nothing at all if more versions would go: 500 (in the run) or 60% (of an image's).",
    ),
    Input(
        "delete-at-most",
        parse.count,
        "Delete the oldest builds first, at most this many in the run; the next run goes on.",
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
    Input(
        "cache",
        parse.path,
        "Path in the workspace of a file in which what was read is kept for the next run, which "
        "then reads only what is new.",
    ),
    Input("verbose", parse.boolean, "Have every version in the log, not every build.", "false"),
)
