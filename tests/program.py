"""The whole program as a person or a runner starts it, and what a runner reads of its files."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.sandbox import Box

COMMAND = [sys.executable, str(Path(__file__).resolve().parents[1] / "entrypoint.py")]
ORIGINAL = ["--owner", "acme", "--package", "app", "--keep-days", "180", "--keep-latest", "2"]
LONGEST_LINE = 64 * 1024  # bytes of a line that every runner reads


def fill(box: Box) -> None:
    """Ten plain tags, `latest` and a pin: of these 12 versions 7 go by what is given below."""
    box.reset()
    box.store.now = datetime.now(UTC)
    for number in range(10):
        box.push.image("app", f"sha-{number}", seed=number)
        box.store.age("app", f"sha-{number}", days=100 + number * 30)
    box.push.image("app", "latest", seed=0)
    box.push.image("app", "corpus-2026-10", seed=9)
    box.store.age("app", "corpus-2026-10", days=300)


def environment(box: Box, **more: str) -> dict[str, str]:
    """A clean environment with the address and the token as the original script had them."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    return env | {"GITEA_HOST": box.url, "GITEA_TOKEN": box.token} | more


def inputs(box: Box, folder: Path, **more: str) -> dict[str, str]:
    """What a runner passes: INPUT_* with hyphens, and the files to write to."""
    given = {"token": box.token, "package": "app", "keep-latest": "2", "keep-days": ""} | more
    env = {f"INPUT_{name.replace('_', '-').upper()}": text for name, text in given.items()}
    env |= {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": box.url}
    env |= {"GITHUB_REPOSITORY_OWNER": "acme", "GITHUB_WORKSPACE": str(folder)}
    files = {"GITHUB_OUTPUT": folder / "output", "GITHUB_STEP_SUMMARY": folder / "summary.md"}
    return {"PATH": os.environ["PATH"]} | env | {name: str(path) for name, path in files.items()}


def start(
    *arguments: str | bytes, env: Mapping[str, str] | Mapping[bytes, bytes]
) -> subprocess.CompletedProcess[str]:
    """Runs the program; whatever a user does, there is no traceback, and never the token."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    texts = {os.fsdecode(name): os.fsdecode(text) for name, text in env.items()}
    token = texts.get("GITEA_TOKEN") or texts.get("INPUT_TOKEN", "")
    masked = done.stdout.removeprefix(f"::add-mask::{token}\n")
    assert not token or token not in masked + done.stderr
    return done


def outputs(folder: Path) -> dict[str, str]:
    """The outputs a run wrote."""
    return read_outputs((folder / "output").read_bytes())


def read_outputs(file: bytes) -> dict[str, str]:
    """What a runner reads: `key=value`, or lines between delimiters, none of them too long."""
    found = {}
    lines = iter(file.decode(errors="surrogateescape").split("\n")[:-1])
    for line in lines:
        assert len(line.encode(errors="surrogateescape")) < LONGEST_LINE
        key, equals, value = line.partition("=")
        if not equals or "<<" in key:
            key, _, delimiter = line.partition("<<")
            assert key and delimiter
            inside = list(iter(lines.__next__, delimiter))
            assert all(len(part) < LONGEST_LINE for part in inside)
            value = "\n".join(inside)
        found[key] = value
    return found
