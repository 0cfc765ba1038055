"""A run outlives who reads its log, and ends when it is told to twice."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.program import COMMAND, ORIGINAL, environment, inputs, outputs
from tests.sandbox import Box, Hold, Request


def after(first: str) -> list[str]:
    """The command that begins with a call of a function of os, and then becomes the program."""
    become = f"import os, sys; {first}; os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", become, *COMMAND] if first else COMMAND


@contextmanager
def held_at_the_first_deletion(
    filled: Box, env: dict[str, str], first: str = "", **options: Any
) -> Iterator[tuple["subprocess.Popen[str]", Event]]:
    """A run whose first deletion has arrived; it goes on when the event is set."""
    arrived, go_on = Event(), Event()

    def hold(request: Request) -> Hold | None:
        if request.method == "DELETE":
            arrived.set()
            return Hold(go_on)
        return None

    filled.faults.plan = hold
    command = [*after(first), *ORIGINAL, "--concurrency", "1"]
    with subprocess.Popen(command, env=env, text=True, **options) as process:
        assert arrived.wait(30)
        try:
            yield process, go_on
        finally:
            go_on.set()


def test_a_run_outlives_its_terminal(filled: Box, tmp_path: Path) -> None:
    """What a closed window, or a connection that is lost, does to a program in it."""
    ours, theirs = pty.openpty()
    env = environment(filled, TERM="xterm") | {"GITHUB_OUTPUT": str(tmp_path / "output")}
    with held_at_the_first_deletion(filled, env, f"os.login_tty({theirs})", pass_fds=[theirs]) as (
        process,
        go_on,
    ):
        os.close(theirs)
        assert b"app" in os.read(ours, 4096)
        os.close(ours)  # the kernel sends SIGHUP, and every write is EIO from now on
        go_on.set()
        assert process.wait(30) == 0
    assert len(filled.store.versions("app")) == 5
    assert outputs(tmp_path)["deleted"] == "7"


@pytest.mark.parametrize("both", [True, False])
def test_a_run_outlives_the_reader_of_its_log(filled: Box, tmp_path: Path, both: bool) -> None:
    ours, theirs = os.pipe()
    env, error = inputs(filled, tmp_path), theirs if both else None
    with held_at_the_first_deletion(filled, env, stdout=theirs, stderr=error) as (process, go_on):
        os.close(theirs)
        os.close(ours)
        go_on.set()
        assert process.wait(30) == 0
    assert len(filled.store.versions("app")) == 5
    assert outputs(tmp_path)["deleted"] == "7"


@pytest.mark.parametrize("numbers", [(1, 2), (2, 3), (1, 3)])
def test_a_run_needs_neither_output_nor_error(
    filled: Box, tmp_path: Path, numbers: tuple[int, int]
) -> None:
    """As after `>&-` in a shell."""
    needs_nobody(filled, tmp_path, f"os.closerange{numbers}")


def test_a_log_on_a_full_disk_does_not_end_a_run(filled: Box, tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        needs_nobody(filled, tmp_path, stdout=full, stderr=full)


def needs_nobody(filled: Box, folder: Path, first: str = "", **options: Any) -> None:
    """A run does all its work and writes its files, whoever reads its log."""
    env = inputs(filled, folder, report="gc.json")
    done = subprocess.run(after(first), env=env, check=False, **options)
    assert done.returncode == 0
    assert len(filled.store.versions("app")) == 5
    assert outputs(folder)["deleted"] == "7"
    assert (folder / "gc.json").read_text(encoding="utf-8").startswith("{")
    wrong = subprocess.run([*after(first), "--keep-days=x"], env=env, check=False, **options)
    assert wrong.returncode == 2


def test_the_same_signal_once_more_ends_the_program_at_once(filled: Box, tmp_path: Path) -> None:
    env = inputs(filled, tmp_path)
    with held_at_the_first_deletion(filled, env, stdout=subprocess.DEVNULL) as (process, _):
        for _ in range(100):  # the first is only noted, and the server does not answer
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                break
        assert process.poll() == -signal.SIGTERM
    assert not (tmp_path / "output").exists()
