"""What pip and pipx install is the whole program and works in an empty environment."""

import shutil
import subprocess
import venv
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from registry_gc import __version__
from release import wheel
from tests.sandbox import serve

PACKAGE = wheel.ROOT / "gc" / "registry_gc"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(tmp_path_factory.mktemp("wheel"))


def test_it_holds_every_file_of_the_program_and_nothing_else(file: Path) -> None:
    with ZipFile(file) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert held == {path.relative_to(PACKAGE.parent).as_posix() for path in files}


def test_built_twice_it_is_the_same_bytes(file: Path, tmp_path: Path) -> None:
    assert wheel.build(tmp_path).read_bytes() == file.read_bytes()


@pytest.mark.pypi
def test_pip_installs_it_into_an_empty_environment(file: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=True)
    bin_ = tmp_path / "bin"
    subprocess.run([bin_ / "pip", "install", "--quiet", file], check=True)
    for command in ([bin_ / "registry-gc"], [bin_ / "python", "-m", "registry_gc"]):
        shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert shown.stdout == f"registry-gc, version {__version__}\n"
    with serve() as box:
        box.store.now = datetime.now(UTC)
        box.push.image("app", "v1", seed=1)
        env = {"GITEA_HOST": box.url, "GITEA_TOKEN": box.token}
        arguments = ["--owner", "acme", "--package", "app", "--dry-run"]
        subprocess.run([bin_ / "registry-gc", *arguments], env=env, check=True)


@pytest.mark.pypi
@pytest.mark.skipif(not shutil.which("pipx"), reason="pipx is not on this machine")
def test_pipx_runs_it(file: Path) -> None:
    command = ["pipx", "run", "--no-cache", "--spec", str(file), "registry-gc", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout == f"registry-gc, version {__version__}\n"
