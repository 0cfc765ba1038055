"""Files are tried before the run, which changes nothing, and written whole or not at all."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry_gc.registry.cache import START
from registry_gc.report import document, files
from registry_gc.report.files import NoPlace, NotWritable, NotWritten
from tests.report.samples import typical


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A checkout, with a link into it and one out of it."""
    top = tmp_path / "work"
    (top / ".git" / "hooks").mkdir(parents=True)
    (top / "out").mkdir()
    (top / "in").symlink_to(top / "out")
    (top / "away").symlink_to(tmp_path)
    (top / "git").symlink_to(top / ".git")
    (top / "app.json").write_text('{"name": "app"}', encoding="utf-8")
    (top / "to-app.json").symlink_to("app.json")
    os.mkfifo(top / "pipe")
    return top


def everything(folder: Path) -> dict[str, object]:
    """What lies below a folder, and for files what is in them and when that changed."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
        for path in folder.rglob("*")
    }


def place(report: str, workspace: Path) -> Path | None:
    """Where the report goes, after the trial, which changes nothing."""
    before = everything(workspace)
    try:
        return files.tried(report, workspace, None, None).report
    finally:
        assert everything(workspace) == before


# --- the report


@pytest.mark.parametrize(
    ("report", "where"),
    [
        ("gc.json", "gc.json"),
        ("./gc", "gc"),
        ("out/../gc.json", "gc.json"),
        ("in/gc.json", "out/gc.json"),
        ("new/deep/gc.json", "new/deep/gc.json"),
        (".gitea/gc.json", ".gitea/gc.json"),
        ("git.json", "git.json"),
    ],
)
def test_a_report_goes_into_the_workspace(workspace: Path, report: str, where: str) -> None:
    assert place(report, workspace) == workspace / where
    assert place(str(workspace / report), workspace) == workspace / where
    assert not (workspace / where).exists()


@pytest.mark.parametrize(
    "report",
    [
        "../gc.json",
        "out/../../gc.json",
        "/tmp/gc.json",
        "/dev/null",
        "away/gc.json",
        ".git/gc.json",
        ".git/hooks/pre-push",
        ".GIT/config",
        "out/.git/config",
        "git/config",
        "new/../.git/config",
    ],
)
def test_a_report_outside_the_workspace_or_in_its_git_is_refused(
    workspace: Path, report: str
) -> None:
    with pytest.raises(NoPlace, match="not a path in the workspace"):
        place(report, workspace)


@pytest.mark.parametrize("cache", ["../gc.json", "/tmp/gc.json", ".git/gc.json", "away/gc.json"])
def test_a_cache_outside_the_workspace_or_in_its_git_is_refused(
    workspace: Path, cache: str
) -> None:
    with pytest.raises(NoPlace, match=r"^cache: .* not a path in the workspace .*gc-cache\.json"):
        files.tried("", workspace, None, None, cache)


@pytest.mark.parametrize("cache", ["app.json", "to-app.json", "out", "pipe"])
def test_what_is_no_cache_is_neither_read_nor_overwritten(workspace: Path, cache: str) -> None:
    found = files.tried("", workspace, None, None, cache)
    assert found.cache is None
    (told,) = found.missing
    assert told.startswith(f"cache: {cache} is there already and is no cache of registry-gc")


def test_a_cache_of_an_earlier_run_is_used_also_a_damaged_one(workspace: Path) -> None:
    (workspace / "old").write_bytes(START + b"...")
    (workspace / "empty").touch()
    for name in ("old", "empty", "new", "none/new", "in/new"):
        found = files.tried("", workspace, None, None, name)
        assert (found.cache, found.missing) == ((workspace / name).resolve(), ())
    assert not (workspace / "none").exists()


def test_a_cache_that_cannot_be_looked_at_is_told(workspace: Path) -> None:
    found = files.tried("", workspace, None, None, "x" * 300)
    assert (found.cache, len(found.missing)) == (None, 1)


@pytest.mark.parametrize("report", ["app.json", "to-app.json", "out", ".", "pipe", "in"])
def test_nothing_but_a_report_is_overwritten(workspace: Path, report: str) -> None:
    with pytest.raises(NoPlace, match="is no report of registry-gc"):
        place(report, workspace)


def test_a_report_of_an_earlier_run_and_an_empty_file_are_overwritten(workspace: Path) -> None:
    (workspace / "old.json").write_text(document.render(typical(), "1.0.0"), encoding="utf-8")
    (workspace / "empty.json").touch()
    (workspace / "dangling.json").symlink_to("none.json")
    for name in ("old.json", "empty.json"):
        assert place(name, workspace) == workspace / name
    assert place("dangling.json", workspace) == workspace / "none.json"


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ("app.json/gc.json", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("new/" + "x" * 300, "File name too long"),
        ("/".join(["x" * 200] * 30), "File name too long"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused(workspace: Path, report: str, why: str) -> None:
    with pytest.raises(NoPlace, match=why):
        place(report, workspace)


def test_a_disk_without_room_is_found_before_the_run(workspace: Path) -> None:
    with full_after(0), pytest.raises(NoPlace, match="too large"):
        place("gc.json", workspace)
    with full_after(0), pytest.raises(NotWritable, match="too large"):
        files.tried("", workspace, workspace / "output", None)


def test_a_workspace_that_is_not_here_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NoPlace, match="is not here"):
        files.tried("gc.json", tmp_path / "none", None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_written_with_its_folders_and_nothing_is_left_beside_it(
    workspace: Path,
) -> None:
    files.replace(workspace / "new" / "gc.json", "{}")
    files.replace(workspace / "new" / "gc.json", "[]")
    assert [path.name for path in (workspace / "new").iterdir()] == ["gc.json"]
    assert (workspace / "new" / "gc.json").read_text(encoding="utf-8") == "[]"
    assert (workspace / "new" / "gc.json").stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    """The process's, which can only be asked by setting it."""
    found = os.umask(0)
    os.umask(found)
    return found


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Within it no file can grow past this size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_report_that_fails_at_the_end_leaves_the_former_one(workspace: Path) -> None:
    files.replace(workspace / "gc.json", "former")
    before = everything(workspace)
    with full_after(10), pytest.raises(NotWritten, match="too large"):
        files.replace(workspace / "gc.json", "x" * 20)
    assert everything(workspace) == before


# --- the runner's files


def test_what_the_runner_has_in_its_files_stays(tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.write_text("a=1\n", encoding="utf-8")
    found = files.tried("", tmp_path, output, summary)
    assert (found.report, found.output, found.summary) == (None, output, summary)
    assert (found.missing, summary.exists()) == ((), False)
    files.append(output, "b=\udcff\n")
    assert output.read_bytes() == b"a=1\nb=\xff\n"


def test_files_without_a_directory_here_are_left_out_with_a_sentence(tmp_path: Path) -> None:
    both = files.tried("", tmp_path, tmp_path / "none" / "output", tmp_path / "none" / "summary")
    assert [message.partition(" is not")[0] for message in both.missing] == [
        str(tmp_path / "none" / name) for name in ("output", "summary")
    ]
    gone = tmp_path / "none" / "summary"
    found = files.tried("", tmp_path, tmp_path / "output", gone)
    assert (found.output, found.summary) == (tmp_path / "output", None)
    assert [str(gone) in message for message in found.missing] == [True]
    assert files.tried("", tmp_path, None, None).missing == ()


def test_files_of_the_runner_that_are_none_stop_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "pipe", tmp_path / ("x" * 300), tmp_path / "file" / "x"):
        with pytest.raises(NotWritable, match=f"{path} cannot be written"):
            files.tried("", tmp_path, path, None)


def test_half_an_output_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a=1\n", encoding="utf-8")
    with full_after(10), pytest.raises(NotWritten, match="too large"):
        files.append(tmp_path / "output", "b=2\nc=3\nd=4\n")
    assert (tmp_path / "output").read_text(encoding="utf-8") == "a=1\n"


def test_a_device_takes_outputs_or_says_that_it_does_not(tmp_path: Path) -> None:
    full = Path("/dev/full")
    assert files.tried("", tmp_path, full, None).output == full
    with pytest.raises(NotWritten, match="No space left"):
        files.append(full, "a=1\n")
