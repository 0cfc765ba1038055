"""registry-gc.pyz runs anywhere, holds all it needs, and is the same bytes each time."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from registry_gc import __version__
from release import pyz
from tests.sandbox import serve

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def pythons() -> dict[str, Path]:
    """The interpreters of this machine by version, such as `3.12`."""
    found = {}
    for path in [*Path("/usr/bin").glob("python3.*"), *PYENV.glob("3.*/bin/python3.*")]:
        if re.fullmatch(r"python3\.\d+", path.name):
            found[path.name.removeprefix("python")] = path
    return found


PYTHONS = pythons()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "registry-gc.pyz"
    pyz.build(path)
    return path


def start(
    file: Path, *arguments: str, python: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs it on an interpreter that sees nothing but the file and its own library."""
    command = [str(python or shutil.which("python3")), "-I", "-S", str(file), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_built_twice_it_is_the_same_bytes(file: Path, tmp_path: Path) -> None:
    pyz.build(tmp_path / "again" / "other-name.pyz")
    assert (tmp_path / "again" / "other-name.pyz").read_bytes() == file.read_bytes()


def test_it_holds_no_compiled_part_and_nothing_of_this_machine(file: Path) -> None:
    with ZipFile(file) as archive:
        names = archive.namelist()
        assert not [name for name in names if Path(name).suffix in pyz.COMPILED]
        assert not [name for name in names if name.endswith(("RECORD", "direct_url.json"))]
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert os.fsencode(pyz.ROOT) not in b"".join(archive.read(name) for name in names)


def test_it_holds_the_licence_of_all_that_is_in_it(file: Path) -> None:
    with ZipFile(file) as archive:
        names = archive.namelist()
    assert "LICENSE" in names
    for library in pyz.libraries("registry-gc"):
        name = re.sub(r"[-.]", "_", library.name)
        folder = f"{name}-{library.version}.dist-info/"
        assert [file for file in names if file.startswith(folder) and "LICEN" in file]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_it_cleans_up_on_every_python_there_is(file: Path, version: str) -> None:
    if version not in PYTHONS:
        pytest.skip("not on this machine")
    with serve() as box:
        box.store.now = datetime.now(UTC)
        for number in range(3):
            box.push.image("app", f"v{number}", seed=number)
            box.store.age("app", f"v{number}", days=100 + number)
        arguments = ["--owner", "acme", "--package", "app", "--keep-days", "1", "--keep-latest=1"]
        python = PYTHONS[version]
        env = {"GITEA_HOST": box.url, "GITEA_TOKEN": box.token}
        done = start(file, *arguments, python=python, **env)
        assert done.returncode == 0, done.stderr
        assert box.store.tags("acme", "app") == ["v0"]


def test_an_older_python_is_told_what_is_needed(file: Path) -> None:
    old = [v for v in PYTHONS if int(v.partition(".")[2]) < 11]
    if not old:
        pytest.skip("no old Python on this machine")
    done = start(file, "--version", python=PYTHONS[old[0]])
    assert done.stderr == f"registry-gc needs Python 3.11 or newer, this is {old[0]}.\n"


def test_it_can_be_started_by_its_name(file: Path) -> None:
    shown = subprocess.run([str(file), "--version"], capture_output=True, text=True, check=True)
    assert __version__ in shown.stdout


def test_it_finds_the_certificates_it_trusts(file: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(file)!r}); import certifi; print(certifi.where())"
    command = [str(shutil.which("python3")), "-I", "-S", "-c", f"{code}; open(certifi.where())"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "/site-packages/" not in shown.stdout
