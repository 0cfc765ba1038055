"""The commit and the tags of a release: main's own files, but for the image in action.yml."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from packaging.version import Version


class NotReady(Exception):
    """The repository is not as a release needs it; says what to change."""


def git(*arguments: str, given: str | None = None, **env: str) -> str:
    """What git answers, in the current folder. Raises CalledProcessError; git has said why."""
    done = subprocess.run(
        ["git", *arguments],
        input=given,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def changes(version: str, changelog: str) -> str:
    """What the changelog says of a version. Raises NotReady when it has no dated section."""
    found = re.search(
        rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n(.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if not found:
        raise NotReady(f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)`: add it.")
    return found[1].strip()


def commit(image: str, version: str) -> str:
    """Makes the commit whose action.yml names the image that is already built; its id.

    The checkout stays as it is. Made again, it is the same commit, for it has the date of the one
    that is released.
    """
    action = git("show", "HEAD:action.yml")
    if "\n  image: Dockerfile\n" not in f"{action}\n":
        raise NotReady("action.yml has no line `  image: Dockerfile` to replace.")
    action = action.replace("\n  image: Dockerfile", f"\n  image: docker://{image}:v{version}")
    names = {"NAME": "registry-gc release", "EMAIL": "release@registry-gc.invalid"}
    names["DATE"] = git("show", "--no-patch", "--format=%cI", "HEAD")
    env = {
        f"GIT_{who}_{key}": text for who in ("AUTHOR", "COMMITTER") for key, text in names.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        env["GIT_INDEX_FILE"] = str(Path(folder) / "index")
        git("read-tree", "HEAD", **env)
        blob = git("hash-object", "-w", "--stdin", given=action + "\n")
        git("update-index", "--cacheinfo", f"100644,{blob},action.yml", **env)
        tree = git("write-tree", **env)
    message = f"Release {version}: the action runs the image that is built"
    return git("commit-tree", tree, "-p", "HEAD", "-m", message, **env)


def refuse_twice(tag: str, target: str, **env: str) -> None:
    """Raises NotReady when the remote has the tag of a version, and not at this commit."""
    if _remote(tag, **env) not in ("", target):
        raise NotReady(f"{tag} is released already, of other code: a version is never made twice.")


def moving_tags(version: str, **env: str) -> list[str]:
    """The tags that follow the newest release, when this is it: `v1` of its line, and `latest`."""
    listed = re.findall(
        r"refs/tags/v(\d+\.\d+\.\d+)$", git("ls-remote", "origin", **env), re.MULTILINE
    )
    mine, others = Version(version), [Version(text) for text in listed]
    if mine.is_prerelease or any(o > mine and o.major == mine.major for o in others):
        return []
    return [f"v{mine.major}"] + (["latest"] if mine >= max([mine, *others]) else [])


def push_tag(tag: str, target: str, **env: str) -> None:
    """Puts a tag on the remote; one that is there moves, unless somebody else moves it just now."""
    lease = f"--force-with-lease=refs/tags/{tag}:{_remote(tag, **env)}"
    git("push", "--quiet", lease, "origin", f"{target}:refs/tags/{tag}", **env)


def _remote(tag: str, **env: str) -> str:
    return git("ls-remote", "origin", f"refs/tags/{tag}", **env).partition("\t")[0]
