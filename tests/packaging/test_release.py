"""A release, made as the workflow makes it: in a scratch repository, on the sandbox."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from registry_gc import __version__
from tests.sandbox import Box, serve

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Dockerfile", "CHANGELOG.md", "README.md", "LICENSE", "action.yml", "pyproject.toml")
TAG = f"v{__version__}"


@dataclass
class Scratch:
    """A clone of a small repository that has all that a release is made of."""

    box: Box
    folder: Path

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def release(self, version: str = __version__, **env: str) -> subprocess.CompletedProcess[str]:
        engine = self.folder.parent / "engine"
        engine.write_text(
            f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.packaging.engine "$@"\n'
        )
        engine.chmod(0o755)
        command = [sys.executable, "-m", "release", version, "--engine", str(engine)]
        given = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{self.folder}:{ROOT}",
            "GITHUB_SERVER_URL": self.box.url,
            "GITHUB_REPOSITORY": "acme/tools",
            "GITHUB_ACTOR": "acme",
            "RELEASE_TOKEN": self.box.token,
            "TRIAL_TOKEN": self.box.token,
            "ENGINE_LOG": str(self.folder.parent / "calls"),
        }
        more = ["--trial-url", self.box.url]
        return subprocess.run(
            [*command, *more],
            cwd=self.folder,
            env=given | env,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, word: str) -> list[list[str]]:
        """What the engine was asked, of the calls that begin so."""
        lines = (self.folder.parent / "calls").read_text(encoding="utf-8").splitlines()
        return [call for call in map(json.loads, lines) if call[0] == word]

    def page(self) -> Any:
        """The release on the forge."""
        address = f"{self.box.url}/api/v1/repos/acme/tools/releases/tags/{TAG}"
        return requests.get(address, auth=("acme", self.box.token), timeout=9).json()


def tick(box: Box) -> None:
    """A second passes at the server."""
    box.store.now += timedelta(seconds=1)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with serve() as box:
        box.store.now = datetime.now(UTC) - timedelta(minutes=30)
        box.faults.before = lambda request: tick(box)
        box.store.forge.add(box.store.owner("acme"), "tools", {"README.md": "tools"})
        made = Scratch(box, tmp_path / "clone")
        subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "origin")], check=True)
        made.folder.mkdir()
        for name in PARTS:
            shutil.copy(ROOT / name, made.folder)
        unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in ("gc", "release"):
            shutil.copytree(ROOT / name, made.folder / name, ignore=unwanted)
        (made.folder / ".gitignore").write_text("dist/\n__pycache__/\n")
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("remote", "add", "origin", str(tmp_path / "origin"))
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message", "all")
        made.git("push", "--quiet", "origin", "main")
        yield made


def test_a_release_has_all_its_parts_and_may_be_made_again(scratch: Scratch) -> None:
    done = scratch.release()
    assert done.returncode == 0, done.stderr
    assert "Not signed: there is no key in COSIGN_KEY." in done.stdout

    # The image: each platform built natively, tried on a server, pushed, and joined.
    host = scratch.box.url.partition("//")[2]
    image = f"{host}/acme/registry-gc"
    builds = scratch.calls("build")
    assert [call[call.index("--platform") + 1] for call in builds] == ["linux/amd64", "linux/arm64"]
    assert len({next(w for w in call if w.startswith("BUILDER=")) for call in builds}) == 1
    assert len(scratch.calls("run")) == 1
    pushed = set(scratch.box.store.tags("acme", "registry-gc"))
    assert pushed == {TAG, f"{TAG}-amd64", f"{TAG}-arm64", "v1", "latest"}
    index = scratch.box.push.registry.manifest("registry-gc", TAG)
    platforms = [part["platform"]["architecture"] for part in json.loads(index or b"")["manifests"]]
    assert platforms == ["amd64", "arm64"]

    # The tags: the same commit, main's own files but for the image; main keeps its Dockerfile.
    scratch.git("fetch", "--quiet", "--tags", "--force", "origin")
    assert scratch.git("rev-parse", TAG) == scratch.git("rev-parse", "v1")
    assert scratch.git("rev-parse", f"{TAG}^") == scratch.git("rev-parse", "main")
    assert scratch.git("diff", "--name-only", "main", TAG) == "action.yml"
    action = yaml.safe_load(scratch.git("show", f"{TAG}:action.yml"))
    assert action["runs"] == {"using": "docker", "image": f"docker://{image}:{TAG}"}
    assert scratch.git("status", "--porcelain") == ""

    # The page: the changelog's words, and files that have the checksums beside them.
    page = scratch.page()
    names = ["SHA256SUMS", "registry-gc.cdx.json", "registry-gc.pyz"]
    assert sorted(asset["name"] for asset in page["assets"])[:3] == names
    section = (ROOT / "CHANGELOG.md").read_text("utf-8").split(f"## {__version__} (")[1]
    assert section.splitlines()[2] in page["body"]
    for line in (scratch.folder / "dist" / "SHA256SUMS").read_text().splitlines():
        total, name = line.split("  ")
        content = (scratch.folder / "dist" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == total

    # Again, as after a failure half-way: nothing is there twice, no tag moves.
    commit = scratch.git("rev-parse", TAG)
    assert scratch.release().returncode == 0
    assert len(scratch.page()["assets"]) == len(page["assets"])
    scratch.git("fetch", "--quiet", "--tags", "--force", "origin")
    assert scratch.git("rev-parse", TAG) == commit


def test_a_version_is_never_made_twice_from_other_code(scratch: Scratch) -> None:
    scratch.git("push", "--quiet", "origin", f"main:refs/tags/{TAG}")
    done = scratch.release()
    assert done.returncode == 1
    assert f"{TAG} is released already" in done.stderr
    assert scratch.git("ls-remote", "--tags", "origin").endswith(f"refs/tags/{TAG}")
    assert not (scratch.folder.parent / "calls").exists()  # nothing was built


def test_a_release_of_an_older_line_moves_only_its_own_tag(scratch: Scratch) -> None:
    for tag in ("v0.9.0", "v1.9.0", "v2.0.0"):
        scratch.git("push", "--quiet", "origin", f"main:refs/tags/{tag}")
    inside = f"import os; os.chdir({str(scratch.folder)!r}); from release import source"
    versions = ("1.8.1", "1.9.1", "2.1.0", "3.0.0-rc.1")
    code = f"{inside}; print([source.moving_tags(v) for v in {versions}])"
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown == "[[], ['v1'], ['v2', 'latest'], []]\n"


def test_an_image_that_fails_on_a_server_reaches_nobody(scratch: Scratch) -> None:
    done = scratch.release(BROKEN="1")
    assert done.returncode == 1
    assert "The image was tried on" in done.stderr
    assert scratch.calls("push") == []
    assert scratch.git("ls-remote", "--tags", "origin") == ""


def test_code_changelog_and_tag_must_be_of_one_version(scratch: Scratch) -> None:
    assert "set __version__ to 9.9.9" in scratch.release("9.9.9").stderr
    assert "no cosign to sign with" in scratch.release(COSIGN_KEY="k", PATH="/usr/bin").stderr
    changelog = scratch.folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(f"## {__version__} (", "## Next ("))
    assert "has changes that no commit has" in scratch.release().stderr
    scratch.git("commit", "--quiet", "--all", "--message", "no section")
    assert f"no section `## {__version__} (" in scratch.release().stderr
