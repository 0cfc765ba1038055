"""The one place that knows the runner: its variables, event, commands and files."""

import json
import secrets
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from registry_gc.errors import UsageError

LARGEST_EVENT = 64 * 1024**2  # bytes; the server's own limits are far below
_YES = ("true", "yes", "on", "y", "1")  # what people and YAML take for true; the API checks none
_MANUAL, _PACKAGE = "workflow_dispatch", "registry_package"


class UnclearEvent(UsageError):
    """The event's file is there and not understood: whether a dry run was asked for is unknown."""

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(
            (
                f"The file of the event that started this job {cause}: {path} "
                "(GITHUB_EVENT_PATH). So it is not known whether a dry run was asked for, and "
                "nothing was deleted. Let this step read that file as the runner wrote it.",
            )
        )


class DryRunAsked(UsageError):
    """Whoever started the workflow asked for a dry run, and the setting says none."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(
            (
                f"dry-run: the workflow was started with {name}: {str(value)[:40]}, but the "
                "setting dry-run is false: some runners turn a ticked box into false. Nothing was "
                "deleted. Write this line in the workflow, which is right on all of them: "
                f"dry-run: ${{{{ github.event.inputs.{name} }}}}",
            )
        )


class RestoreAsked(UsageError):
    """Whoever started the workflow filled in what to put back, and the setting names nothing."""

    def __init__(self) -> None:
        super().__init__(
            (
                "restore: the workflow was started with its input restore filled in, but no tag "
                "to put back arrived. Nothing was deleted. Name tags in it, such as app:v1.2, and "
                "write this line in the workflow: restore: ${{ github.event.inputs.restore }}",
            )
        )


def is_present(env: Mapping[str, str]) -> bool:
    """Whether a runner started the program, and reads commands in its output."""
    return any(env.get(f"{forge}_ACTIONS") == "true" for forge in ("GITHUB", "GITEA", "FORGEJO"))


def repository(env: Mapping[str, str]) -> str:
    """The repository of the workflow, `my-org/app`; "" without a runner."""
    return env.get("GITHUB_REPOSITORY", "")


def is_debug(env: Mapping[str, str]) -> bool:
    """Whether the runner was asked to show more: RUNNER_DEBUG, or ACTIONS_STEP_DEBUG in a job."""
    return env.get("RUNNER_DEBUG") == "1" or env.get("ACTIONS_STEP_DEBUG", "").lower() == "true"


def workspace(env: Mapping[str, str]) -> Path:
    """Where the job's files are."""
    return Path(env.get("GITHUB_WORKSPACE") or ".")


def event(env: Mapping[str, str]) -> dict[str, Any] | None:
    """What started the job (GITHUB_EVENT_PATH), as the server sent it to the runner.

    None without a runner, and where the file is not there: on a runner in host mode the path is the
    host's. Raises UnclearEvent for a file that is there and cannot be read or understood.
    """
    path = env.get("GITHUB_EVENT_PATH", "") if is_present(env) else ""
    if not path:
        return None
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise UnclearEvent(path, "is no regular file")
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST_EVENT + 1)
        if len(raw) > LARGEST_EVENT:
            raise UnclearEvent(path, f"is larger than {LARGEST_EVENT // 1024**2} MiB")
        body = json.loads(raw)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnclearEvent(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UnclearEvent(path, "is not JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("inputs") or {}, dict):
        raise UnclearEvent(path, "is not what a server sends")
    return body


def is_deletion(env: Mapping[str, str], event: Mapping[str, Any] | None) -> bool:
    """Whether a package's deletion started the job, as each of our own would (Gitea 1.21 on)."""
    is_package = env.get("GITHUB_EVENT_NAME") == _PACKAGE
    return is_package and event is not None and event.get("action") == "deleted"


def published(env: Mapping[str, str], event: Mapping[str, Any] | None) -> str:
    """The version of a package whose push started the job; "" when none did.

    `package.version` of what the server sends (PackagePayload, Gitea 1.21 to 1.28, Forgejo).
    """
    package = (event or {}).get("package")
    version = package.get("version") if isinstance(package, dict) else ""
    is_package = env.get("GITHUB_EVENT_NAME") == _PACKAGE
    return version if is_package and isinstance(version, str) else ""


def check_no_dry_run(event: Mapping[str, Any] | None) -> None:
    """Raises DryRunAsked when an input `dry-run`, `dry_run` or so of the workflow is true.

    Servers send `true` or `"true"`, and runners before 2.1.0 and forgejo-runner make `false` of the
    first. Values of the dispatch API come as they were typed.
    """
    for name, value in ((event or {}).get("inputs") or {}).items():
        is_asked = str(value).strip().lower() in _YES or isinstance(value, dict | list)
        if is_asked and name.lower().replace("-", "").replace("_", "") == "dryrun":
            raise DryRunAsked(name, value)


def check_restore(event: Mapping[str, Any] | None, restore: Collection[str]) -> None:
    """Raises RestoreAsked when a workflow's input `restore` was filled in and does not arrive.

    Spaces fill it in too: a workflow's `if: github.event.inputs.restore != ''` lets them pass.
    """
    text = ((event or {}).get("inputs") or {}).get("restore")
    if text and not restore:
        raise RestoreAsked


def missing_event(env: Mapping[str, str], event: Mapping[str, Any] | None) -> tuple[str, ...]:
    """A warning when the event matters and its file is not here."""
    name = env.get("GITHUB_EVENT_NAME", "")
    if event is not None or not is_present(env) or name not in (_MANUAL, _PACKAGE):
        return ()
    asked = "a dry run was asked for" if name == _MANUAL else "a deletion started it"
    return (
        f"This job was started by {name}, and whether {asked} could not be looked up, for the "
        "event's file is not here (a runner in host mode). The settings hold as they are: see that "
        "the workflow has dry-run: ${{ github.event.inputs.dry-run }}, and types: [published] "
        "where it has on: registry_package.",
    )


def output_file(env: Mapping[str, str]) -> Path | None:
    """Where the action's outputs are appended."""
    return _file(env, "GITHUB_OUTPUT")


def summary_file(env: Mapping[str, str]) -> Path | None:
    """Where the job's summary is appended; servers before Gitea 1.27 accept and never show it."""
    return _file(env, "GITHUB_STEP_SUMMARY")


def output_text(values: Mapping[str, str]) -> str:
    """The outputs as the runner reads them: each on a line, or its lines between delimiters.

    A line over 64 KiB loses itself and all after it on runners up to 1.0.3 and forgejo-runner 12.
    """
    return "".join(line for key, value in values.items() for line in _output(key, value))


def _output(key: str, value: str) -> Iterator[str]:
    if value.isprintable():
        yield f"{key}={value}\n"
        return
    delimiter = secrets.token_hex(16)
    while delimiter in value:
        delimiter = secrets.token_hex(16)
    yield f"{key}<<{delimiter}\n{value}\n{delimiter}\n"


def _file(env: Mapping[str, str], variable: str) -> Path | None:
    path = env.get(variable)
    return Path(path) if path else None
