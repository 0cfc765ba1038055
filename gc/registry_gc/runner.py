"""The one place that knows the runner: its variables, commands and files."""

from collections.abc import Mapping
from pathlib import Path


def is_present(env: Mapping[str, str]) -> bool:
    """Whether a runner started the program, and reads commands in its output."""
    return "true" in (env.get("GITHUB_ACTIONS"), env.get("GITEA_ACTIONS"))


def secrets(env: Mapping[str, str]) -> list[str]:
    """What the runner must mask, a line each: a token pasted with two lines is not shown either."""
    given = (env.get("INPUT_TOKEN", ""), env.get("GITEA_TOKEN", ""))
    return [line.strip() for token in given for line in token.splitlines() if line.strip()]


def workspace(env: Mapping[str, str]) -> Path:
    """Where the job's files are."""
    return Path(env.get("GITHUB_WORKSPACE") or ".")


def write_outputs(env: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Appends to GITHUB_OUTPUT; a value is one line, or the runner would read more outputs.

    Raises OSError.
    """
    _append(env.get("GITHUB_OUTPUT"), "".join(f"{key}={_line(values[key])}\n" for key in values))


def write_summary(env: Mapping[str, str], markdown: str) -> None:
    """Appends to GITHUB_STEP_SUMMARY; servers before Gitea 1.27 accept it and never show it.

    Raises OSError.
    """
    _append(env.get("GITHUB_STEP_SUMMARY"), markdown)


def _append(path: str | None, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def _line(text: str) -> str:
    return " ".join(text.splitlines())
