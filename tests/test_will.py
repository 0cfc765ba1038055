"""Nothing is deleted against anybody's will: events, settings and files that stop a run."""

import json
from pathlib import Path

import pytest

from tests.program import ORIGINAL, environment, inputs, outputs, start
from tests.sandbox import Box


def event(folder: Path, name: str, body: object) -> dict[str, str]:
    """The variables of a job that this event started."""
    file = folder / "event.json"
    file.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(file)}


def refuses(filled: Box, env: dict[str, str], says: str, code: int = 2) -> None:
    """Such a run ends with this code, says why, and sends nothing at all."""
    done = start(env=env)
    assert (done.returncode, filled.faults.log) == (code, [])
    assert says in done.stdout + done.stderr


# --- the event


@pytest.mark.parametrize("value", [True, "true"])
def test_who_asked_for_a_dry_run_gets_no_real_one(
    filled: Box, tmp_path: Path, value: object
) -> None:
    env = event(tmp_path, "workflow_dispatch", {"inputs": {"dry-run": value}})
    line = "dry-run: ${{ github.event.inputs.dry-run }}"
    refuses(filled, inputs(filled, tmp_path, dry_run="false") | env, line)
    refuses(filled, inputs(filled, tmp_path) | env, line)
    assert outputs(tmp_path) == {"outcome": "refused"}
    assert start(env=inputs(filled, tmp_path, dry_run="true") | env).returncode == 0
    assert len(filled.store.versions("app")) == 12


def test_who_asked_for_a_real_run_gets_it(filled: Box, tmp_path: Path) -> None:
    env = event(tmp_path, "workflow_dispatch", {"inputs": {"dry-run": "false"}})
    assert start(env=inputs(filled, tmp_path, dry_run="false") | env).returncode == 0
    assert len(filled.store.versions("app")) == 5


def test_who_asked_to_put_tags_back_gets_no_clean_up(filled: Box, tmp_path: Path) -> None:
    env = event(tmp_path, "workflow_dispatch", {"inputs": {"restore": "app:v1"}})
    line = "restore: ${{ github.event.inputs.restore }}"
    refuses(filled, inputs(filled, tmp_path) | env, line)
    start(env=inputs(filled, tmp_path, restore="app:v1") | env)
    assert len(filled.store.versions("app")) == 12


def test_an_event_that_is_not_understood_starts_nothing(filled: Box, tmp_path: Path) -> None:
    env = event(tmp_path, "workflow_dispatch", '{"inputs": {"dry-run": tr')
    refuses(filled, inputs(filled, tmp_path) | env, "is not JSON")
    assert outputs(tmp_path) == {"outcome": "failed"}


def test_an_event_that_is_not_here_is_in_the_report(filled: Box, tmp_path: Path) -> None:
    env = {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": "/none/event.json"}
    done = start(env=inputs(filled, tmp_path, report="gc.json") | env)
    assert done.returncode == 0
    assert done.stdout.count("\nWARNING  This job was started by workflow_dispatch") == 1
    assert done.stdout.count("\n::warning::This job was started by workflow_dispatch") == 1
    (problem,) = json.loads((tmp_path / "gc.json").read_text(encoding="utf-8"))["problems"]
    assert problem["level"] == "warning"
    assert "could not be looked up" in problem["text"]


def test_a_run_that_a_deletion_started_does_nothing(filled: Box, tmp_path: Path) -> None:
    env = event(tmp_path, "registry_package", {"action": "deleted"})
    refuses(filled, inputs(filled, tmp_path) | env, "types: [published]", code=0)
    assert outputs(tmp_path) == {"outcome": "nothing"}


def test_a_run_that_a_copy_in_the_trash_started_does_nothing(filled: Box, tmp_path: Path) -> None:
    body = {"action": "created", "package": {"name": "app", "version": "gc-trash.v1"}}
    env = event(tmp_path, "registry_package", body)
    refuses(filled, inputs(filled, tmp_path) | env, "a copy in the trash started", code=0)
    assert outputs(tmp_path) == {"outcome": "nothing"}


def test_a_run_that_a_push_started_does_its_work(filled: Box, tmp_path: Path) -> None:
    body = {"action": "created", "package": {"name": "app", "version": "v1"}}
    env = event(tmp_path, "registry_package", body)
    assert start(env=inputs(filled, tmp_path) | env).returncode == 0
    assert len(filled.store.versions("app")) == 5


# --- names that were changed on the way


@pytest.mark.parametrize(
    "variable", ["INPUT_DRY_RUN", "INPUT_DRY", "INPUT_DRY-RUN-ONLY", "INPUT_Dry-Run"]
)
def test_a_dry_run_under_another_name_is_no_real_one(
    filled: Box, tmp_path: Path, variable: str
) -> None:
    refuses(filled, inputs(filled, tmp_path) | {variable: "true"}, "Did you mean dry-run?")


@pytest.mark.parametrize("text", ["yes", "1", "on", "ja", "true;", "'true'", "${{ inputs.dry }}"])
def test_a_dry_run_that_is_neither_true_nor_false_is_no_real_one(
    filled: Box, tmp_path: Path, text: str
) -> None:
    refuses(filled, inputs(filled, tmp_path, dry_run=text), "is not allowed: true or false")


@pytest.mark.parametrize(
    "arguments",
    [["--dry-run"], ["--dry-run=TRUE"], ["--dry-run", "true"]],
)
def test_a_dry_run_on_the_command_line_is_one(filled: Box, arguments: list[str]) -> None:
    assert start(*ORIGINAL, *arguments, env=environment(filled)).returncode == 0
    assert len(filled.store.versions("app")) == 12


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dry"],
        ["--dryrun"],
        ["-n"],
        ["dry-run"],
        ["--keep-days"],
        ["--keep-day", "3"],
        ["--dry-run", "yes"],
        ["--dry-run", "--dry-run=false"],
        ["--protect", "v1", "--protect", "latest"],
        ["--package", "web"],
        ["--dry-run", "--no-dry-run"],
    ],
)
def test_a_command_line_that_is_not_understood_does_nothing(
    filled: Box, arguments: list[str]
) -> None:
    done = start(*ORIGINAL, *arguments, env=environment(filled))
    assert (done.returncode, filled.faults.log) == (2, [])
    assert done.stderr


# --- the files


@pytest.mark.parametrize(
    ("report", "says"),
    [
        ("../gc.json", "is not a path in the workspace"),
        ("/tmp/gc.json", "is not a path in the workspace"),
        (".git/hooks/gc.json", "is not a path in the workspace"),
        ("README.md", "is no report of registry-gc"),
        ("README.md/gc.json", "Not a directory"),
        ("a\nb.json", "is not one path"),
    ],
)
def test_a_report_that_cannot_be_written_starts_nothing(
    filled: Box, tmp_path: Path, report: str, says: str
) -> None:
    (tmp_path / "README.md").write_text("# App\n", encoding="utf-8")
    refuses(filled, inputs(filled, tmp_path, report=report), says)
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "output"}
    assert outputs(tmp_path) == {"outcome": "failed"}


def test_on_a_command_line_the_workspace_is_the_current_directory(
    filled: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = start(*ORIGINAL, "--dry-run", "--report", "../gc.json", env=environment(filled))
    assert (done.returncode, str(tmp_path) in done.stderr) == (2, True)
    done = start(*ORIGINAL, "--dry-run", "--report", "out/gc.json", env=environment(filled))
    assert (done.returncode, (tmp_path / "out" / "gc.json").is_file()) == (0, True)


def test_a_file_of_the_runner_that_cannot_be_written_starts_nothing(
    filled: Box, tmp_path: Path
) -> None:
    env = inputs(filled, tmp_path) | {"GITHUB_OUTPUT": str(tmp_path)}
    refuses(filled, env, f"{tmp_path} cannot be written")


def test_files_of_the_runner_that_are_not_here_are_left_out(filled: Box, tmp_path: Path) -> None:
    """On a runner in host mode their paths are the host's."""
    env = inputs(filled, tmp_path) | {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "summary.md")}
    done = start(env=env)
    assert done.returncode == 0
    assert "summary.md is not written" in done.stdout
    assert outputs(tmp_path)["deleted"] == "7"


def test_a_disk_that_fills_up_during_the_run_fails_it_and_is_told(
    filled: Box, tmp_path: Path
) -> None:
    env = inputs(filled, tmp_path) | {"GITHUB_STEP_SUMMARY": "/dev/full"}
    done = start(env=env)
    assert done.returncode == 1
    assert "/dev/full cannot be written: No space left on device." in done.stderr
    assert outputs(tmp_path)["deleted"] == "7"
