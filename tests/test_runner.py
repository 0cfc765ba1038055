"""What the runner's event says is heeded, and what is not understood of it stops the run."""

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc import runner
from tests.program import LONGEST_LINE, read_outputs


def job(folder: Path, body: object, name: str = "workflow_dispatch") -> dict[str, str]:
    """The variables of a job that an event with this JSON started."""
    file = folder / "event.json"
    file.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return {
        "GITEA_ACTIONS": "true",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(file),
    }


def asked(folder: Path, body: object) -> str:
    """What is said to a real run that such an event started; "" when it may go on."""
    try:
        runner.check_no_dry_run(runner.event(job(folder, body)))
    except runner.DryRunAsked as error:
        return str(error)
    return ""


# --- a dry run asked for


@pytest.mark.parametrize("value", [True, "true", "TRUE", " true ", "yes", "on", "y", "1", 1])
@pytest.mark.parametrize("name", ["dry-run", "dry_run", "dryrun", "Dry-Run", "DRY_RUN"])
def test_a_dry_run_that_was_asked_for_is_told_with_the_line_to_change(
    tmp_path: Path, name: str, value: object
) -> None:
    message = asked(tmp_path, {"inputs": {"tag": "x", name: value}})
    assert message.endswith(f"dry-run: ${{{{ github.event.inputs.{name} }}}}")
    assert f"{name}: {value}, but" in message


@pytest.mark.parametrize(
    "inputs",
    [
        {"dry-run": False},
        {"dry-run": "false"},
        {"dry-run": ""},
        {"dry-run": None},
        {"dry_run": "no"},
        {"dry-run": 0},
        {"tag": "true", "run": True, "": True},
        {},
        None,
        "",
    ],
)
def test_no_other_input_is_taken_for_a_dry_run(tmp_path: Path, inputs: Any) -> None:
    assert asked(tmp_path, {"inputs": inputs}) == ""
    assert asked(tmp_path, {"action": "opened", "inputs": inputs}) == ""


@pytest.mark.parametrize("value", [{"value": True}, [True], {}, []])
def test_a_dry_run_input_of_an_odd_kind_is_taken_for_one_that_was_asked_for(
    tmp_path: Path, value: object
) -> None:
    assert asked(tmp_path, {"inputs": {"dry-run": value}})


def test_an_event_without_inputs_asks_for_nothing(tmp_path: Path) -> None:
    assert asked(tmp_path, {"ref": "refs/heads/main", "commits": [{"inputs": "x"}]}) == ""
    assert runner.event(job(tmp_path, '\ufeff{"a": 1}')) == {"a": 1}  # with a byte-order mark


def test_without_an_event_nothing_was_asked_for() -> None:
    runner.check_no_dry_run(None)
    runner.check_restore(None, ())


@pytest.mark.parametrize(
    ("inputs", "restore", "is_refused"),
    [
        ({"restore": "app:v1"}, (), True),
        ({"restore": "app:v1"}, ("app:v1",), False),
        ({"restore": " "}, (), True),
        ({"restore": "\n"}, (), True),
        ({"restore": ""}, (), False),
        ({"restore": None}, (), False),
        ({"tag": "app:v1"}, (), False),
        ({}, ("app:v1",), False),
        (None, (), False),
    ],
)
def test_tags_to_put_back_that_do_not_arrive_stop_the_run(
    inputs: Any, restore: tuple[str, ...], is_refused: bool
) -> None:
    expected = pytest.raises(runner.RestoreAsked) if is_refused else nullcontext()
    with expected:
        runner.check_restore({"inputs": inputs}, restore)


# --- files that are not there, or that cannot be understood


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "7",
        "[]",
        '"true"',
        "[" * 100_000,
        '{"inputs": "dry-run"}',
        '{"inputs": ["dry-run"]}',
        '{"inputs": 7}',
    ],
)
def test_an_event_that_is_not_understood_stops_the_run(tmp_path: Path, body: str) -> None:
    with pytest.raises(runner.UnclearEvent, match="not known whether a dry run was asked for"):
        runner.event(job(tmp_path, body))


def test_an_event_that_is_no_file_or_too_large_stops_the_run(tmp_path: Path) -> None:
    env = job(tmp_path, "{}")
    os.truncate(env["GITHUB_EVENT_PATH"], runner.LARGEST_EVENT + 1)
    with pytest.raises(runner.UnclearEvent, match="larger than 64 MiB"):
        runner.event(env)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "loop"):
        with pytest.raises(runner.UnclearEvent):
            runner.event({**env, "GITHUB_EVENT_PATH": str(path)})


@pytest.mark.parametrize("path", ["", "event.json", "none/event.json", "event.txt/x"])
def test_a_file_that_is_not_here_is_warned_of_where_it_matters(tmp_path: Path, path: str) -> None:
    """On a runner in host mode the path is one of the host's."""
    (tmp_path / "event.txt").touch()
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": path and str(tmp_path / path)}
    assert runner.event(env) is None
    for name, what in (
        ("workflow_dispatch", "a dry run was asked for"),
        ("registry_package", "a deletion started it"),
    ):
        (message,) = runner.missing_event({**env, "GITHUB_EVENT_NAME": name}, None)
        assert what in message
        assert runner.missing_event({**env, "GITHUB_EVENT_NAME": name}, {}) == ()
        assert runner.missing_event({"GITHUB_EVENT_NAME": name}, None) == ()
    for name in ("schedule", "push", ""):
        assert runner.missing_event({**env, "GITHUB_EVENT_NAME": name}, None) == ()


def test_without_a_runner_there_is_no_event(tmp_path: Path) -> None:
    env = job(tmp_path, "not JSON")
    for name in ("GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"):
        with pytest.raises(runner.UnclearEvent):
            runner.event({"GITHUB_EVENT_PATH": env["GITHUB_EVENT_PATH"], name: "true"})
    assert runner.event({**env, "GITEA_ACTIONS": "false"}) is None


# --- a deletion


@pytest.mark.parametrize(
    ("name", "body", "is_deletion"),
    [
        ("registry_package", {"action": "deleted"}, True),
        ("registry_package", {"action": "created"}, False),
        ("registry_package", {}, False),
        ("registry_package", {"action": ["deleted"]}, False),
        ("pull_request", {"action": "deleted"}, False),
        ("", {"action": "deleted"}, False),
    ],
)
def test_only_the_deletion_of_a_package_is_one(
    tmp_path: Path, name: str, body: object, is_deletion: bool
) -> None:
    env = job(tmp_path, body, name)
    assert runner.is_deletion(env, runner.event(env)) is is_deletion
    assert runner.is_deletion(env, None) is False


@pytest.mark.parametrize(
    ("name", "body", "version"),
    [
        ("registry_package", {"package": {"version": "v1", "name": "app"}}, "v1"),
        ("registry_package", {"package": {"version": ["v1"]}}, ""),
        ("registry_package", {"package": {}}, ""),
        ("registry_package", {"package": ["version"]}, ""),
        ("registry_package", {"package": "v1"}, ""),
        ("registry_package", {"version": "v1"}, ""),
        ("workflow_dispatch", {"package": {"version": "v1"}}, ""),
    ],
)
def test_which_version_was_pushed_is_told_of_a_push_alone(
    tmp_path: Path, name: str, body: object, version: str
) -> None:
    env = job(tmp_path, body, name)
    assert runner.published(env, runner.event(env)) == version
    assert runner.published(env, None) == ""


# --- what else a runner sets


@pytest.mark.parametrize(
    ("env", "is_debug"),
    [
        ({"RUNNER_DEBUG": "1"}, True),
        ({"ACTIONS_STEP_DEBUG": "true"}, True),
        ({"ACTIONS_STEP_DEBUG": "True"}, True),
        ({"RUNNER_DEBUG": "0", "ACTIONS_STEP_DEBUG": "false"}, False),
        ({}, False),
    ],
)
def test_a_runner_asks_for_more_in_two_ways(env: dict[str, str], is_debug: bool) -> None:
    assert runner.is_debug(env) is is_debug


def test_the_repository_and_the_paths_are_those_that_the_runner_names() -> None:
    names = ("GITHUB_WORKSPACE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    env = {"GITHUB_REPOSITORY": "acme/app"} | {name: f"/job/{name}" for name in names}
    assert runner.repository(env) == "acme/app"
    found = (runner.workspace(env), runner.output_file(env), runner.summary_file(env))
    assert found == tuple(Path(f"/job/{name}") for name in names)
    for nothing in ({}, dict.fromkeys(env, "")):
        assert runner.repository(nothing) == ""
        assert runner.workspace(nothing) == Path()
        assert runner.output_file(nothing) is runner.summary_file(nothing) is None


# --- outputs

NAMES = st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True)
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)
VALUES = st.lists(LINES | st.sampled_from(("a=b", "x<<EOF", "EOF", "")), max_size=4).map("\n".join)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_runner_reads_every_output_as_it_was(values: dict[str, str]) -> None:
    assert read_outputs(runner.output_text(values).encode()) == values


def test_no_line_of_many_is_longer_than_a_runner_reads() -> None:
    values = {"tags": "\n".join(f"tag-{n}" for n in range(20_000)), "report": "/w/gc.json"}
    assert len(values["tags"]) > LONGEST_LINE
    assert read_outputs(runner.output_text(values).encode()) == values


def test_an_output_of_one_line_is_one() -> None:
    """Every engine reads that, also those that know no delimiters."""
    assert runner.output_text({"deleted": "7", "report": ""}) == "deleted=7\nreport=\n"


def test_a_delimiter_is_another_one_each_time() -> None:
    """Who knows it in advance could end the value with it, in the name of a tag."""
    first, second = (runner.output_text({"tags": "a\nb"}) for _ in range(2))
    assert first.splitlines()[1:-1] == second.splitlines()[1:-1] == ["a", "b"]
    assert first != second
