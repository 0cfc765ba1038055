"""The whole program, started as a person or a runner starts it, on the sandbox."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from registry_gc import __version__
from tests.program import COMMAND, ORIGINAL, environment, inputs, outputs, start
from tests.sandbox import Answer, Box, Drop, Hold


def test_original_command_line_keeps_what_it_kept(filled: Box) -> None:
    before = filled.store.versions("app")
    dry = start(*ORIGINAL, "--dry-run", env=environment(filled))
    assert (dry.returncode, filled.store.versions("app")) == (0, before)
    assert start(*ORIGINAL, env=environment(filled)).returncode == 0
    young = {f"sha-{number}" for number in range(3)}  # 100 to 160 days old
    assert set(filled.store.versions("app")) == young | {"latest", "corpus-2026-10"}


def test_action_reads_inputs_and_writes_log_outputs_summary_and_report(
    filled: Box, tmp_path: Path
) -> None:
    done = start(env=inputs(filled, tmp_path, report="out/gc.json"))
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == f"::add-mask::{filled.token}"
    assert lines[1].startswith("registry-gc ")
    written = outputs(tmp_path)
    assert written["deleted"] == "7"
    assert written["kept"] == "5"
    assert sorted(json.loads(written["deleted-tags"])) == [f"sha-{n}" for n in range(3, 10)]
    report = json.loads((tmp_path / "out" / "gc.json").read_text(encoding="utf-8"))
    assert written["report"] == str(tmp_path / "out" / "gc.json")
    assert report["totals"]["versions"]["deleted"] == 7
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "Deleted 6 of 10 builds of app (7 of 12 versions)" in summary
    assert (written["deleted-builds"], written["kept-builds"]) == ("6", "4")
    assert filled.token not in summary + json.dumps(report)


def test_dry_run_names_in_its_outputs_what_the_real_run_deletes(
    filled: Box, tmp_path: Path
) -> None:
    dry, real = tmp_path / "dry", tmp_path / "real"
    dry.mkdir()
    real.mkdir()
    start(env=inputs(filled, dry, dry_run="True"))
    assert len(filled.store.versions("app")) == 12
    start(env=inputs(filled, real))
    assert outputs(dry) == outputs(real) | {"outcome": "dry-run"}
    assert outputs(real)["outcome"] == "done"


@pytest.mark.parametrize("how", [{"INPUT_VERBOSE": "true"}, {"RUNNER_DEBUG": "1"}, {}])
def test_every_version_is_in_the_log_when_it_is_asked_for(
    filled: Box, tmp_path: Path, how: dict[str, str]
) -> None:
    done = start(env=inputs(filled, tmp_path, dry_run="true") | how)
    versions = [line for line in done.stdout.splitlines() if line.startswith(("  KEEP", "  DEL"))]
    assert len(versions) == (12 if how else 0)


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"GITEA_TOKEN": ""}, 2, "token: is missing"),
        ({"GITEA_HOST": ""}, 2, "server-url: is missing"),
        ({"GITEA_HOST": "git.example.org"}, 2, "begin with https://"),
        ({"GITEA_HOST": "https://s3cret@git.example.org"}, 2, "holds a user name or a token"),
        ({"GITEA_TOKEN": "0" * 40}, 1, "refused the token"),
        ({"INPUT_OWNER": "nobody"}, 1, "knows no user or organisation nobody"),
        ({"INPUT_PACKAGE": "ap"}, 0, "No versions found for acme/ap: check the name."),
        ({"INPUT_KEEP-DAYS": "ten"}, 2, 'keep-days: "ten" is not allowed'),
        ({"INPUT_KEEP-LATEST": "-1"}, 2, 'keep-latest: "-1" is not allowed'),
        ({"INPUT_DRY-RUN": "maybe"}, 2, 'dry-run: "maybe" is not allowed: true or false.'),
        ({"INPUT_KEEP-LATST": "9"}, 2, "Did you mean keep-latest?"),
        ({"INPUT_PROTECT-FROM": "deploy/*.yaml"}, 1, "matches no file"),
        ({"INPUT_MAX-DELETE": "6"}, 1, "7 of 12 versions of this run would be deleted"),
        ({"INPUT_MAX-DELETE": "58%"}, 1, "7 of 12 versions (58.3%) of app would be deleted"),
    ],
)
def test_bad_input_gets_a_sentence_and_nothing_is_deleted(
    filled: Box, change: dict[str, str], code: int, says: str
) -> None:
    before = filled.store.versions("app")
    given = {"INPUT_OWNER": "acme", "INPUT_PACKAGE": "app", "INPUT_KEEP-LATEST": "2"}
    done = start(env=environment(filled) | given | change)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stdout + done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert filled.store.versions("app") == before
    if code == 2:
        assert filled.faults.log == []


def test_ten_wrong_settings_give_ten_sentences_without_a_request(filled: Box) -> None:
    wrong = {
        "server-url": "ftp://x",
        "owner": "a/b",
        "package": "app,,web",
        "keep-days": "1.5",
        "keep-latest": "many",
        "protect": "latest corpus-*",
        "policies": "keep=3",
        "max-delete": "200%",
        "dry-run": "perhaps",
        "concurrency": "33",
    }
    options = [f"--{name}={text}" for name, text in wrong.items()]
    done = start(*options, env=environment(filled))
    assert done.returncode == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == list(wrong)
    assert filled.faults.log == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Answer(200, "<!DOCTYPE html><title>Sign in</title>"), "instead of JSON"),
        (Answer(403, '{"message": "token is echoed"}'), "scope write:package"),
        (Answer(307, "", {"Location": "https://git.example.org/x"}), "was redirected to"),
        (Answer(200, "[]"), "no X-Total-Count"),
    ],
)
def test_a_strange_server_gets_a_sentence(filled: Box, fault: Answer, says: str) -> None:
    filled.faults.plan = lambda request: fault
    done = start(*ORIGINAL, env=environment(filled))
    assert done.returncode == 1
    assert says in done.stdout


def test_every_line_of_a_badly_pasted_token_is_masked(filled: Box, tmp_path: Path) -> None:
    done = start(env=inputs(filled, tmp_path, token="user\nS3CRETS3CRET"))
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["::add-mask::user", "::add-mask::S3CRETS3CRET"]


@pytest.mark.parametrize(
    "change",
    [{"REQUESTS_CA_BUNDLE": "/no/ca.pem"}, {"GITEA_HOST": "https://git..example.org"}],
)
def test_an_address_or_a_ca_that_cannot_be_is_a_sentence(
    filled: Box, change: dict[str, str]
) -> None:
    https = {"GITEA_HOST": filled.url.replace("http:", "https:")}
    done = start(*ORIGINAL, env=environment(filled) | https | change)
    assert done.returncode == 1
    assert "failed:" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_finishes_what_is_in_flight_and_reports_it(
    filled: Box, tmp_path: Path, number: signal.Signals
) -> None:
    in_flight, go_on = Event(), Event()

    def hold(request: object) -> Hold | None:
        if getattr(request, "method", "") != "DELETE":
            return None
        in_flight.set()
        return Hold(go_on)

    filled.faults.plan = hold
    env = inputs(filled, tmp_path, concurrency="1")
    with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert in_flight.wait(30)
        process.send_signal(number)
        Thread(target=go_on.set).start()
        log = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    assert "interrupted" in log
    deleted = int(outputs(tmp_path)["deleted"])
    assert len(filled.store.versions("app")) == 12 - deleted
    assert deleted < 7


def test_dropped_connections_and_busy_answers_do_not_stop_a_run(filled: Box) -> None:
    def one_in_three(request: object) -> Drop | Answer | None:
        number = getattr(request, "number", 0)
        if number % 6 == 0:
            return Drop()
        return Answer(503, "", {"Retry-After": "0"}) if number % 6 == 1 else None

    filled.faults.plan = one_in_three
    assert start(*ORIGINAL, env=environment(filled)).returncode == 0
    assert len(filled.store.versions("app")) == 5


def test_the_package_is_a_command_too() -> None:
    command = [sys.executable, "-m", "registry_gc", "--version"]
    folder = Path(__file__).resolve().parents[1] / "gc"
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert shown.stdout == f"registry-gc, version {__version__}\n"
