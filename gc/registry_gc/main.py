"""The program: the command line, the signals, and errors turned into text and an exit code."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from registry_gc import __version__, runner
from registry_gc.errors import UsageError
from registry_gc.report.escaping import one_line
from registry_gc.settings.inputs import INPUTS, Settings, load

EPILOG = (
    "The token is read from GITEA_TOKEN. In a workflow the same settings come from the action's "
    "inputs. Exit code: 0 done, 1 something failed or was refused, 2 wrong usage."
)


def _with_inputs(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each input; the token has none, for command lines are seen by others."""
    for declared in reversed(INPUTS):
        if declared.name != "token":
            default = f" [{declared.default}]" if declared.default else ""
            # A switch may stand alone, as in --dry-run, or take its value.
            switch: dict[str, Any] = {"is_flag": False, "flag_value": "true"}
            command = click.option(
                f"--{declared.name}",
                declared.field,
                help=declared.help + default,
                metavar="[true|false]" if declared.default in ("true", "false") else "TEXT",
                **(switch if declared.default == "false" else {}),
            )(command)
    return command


@click.command(epilog=EPILOG)
@click.version_option(__version__, prog_name="registry-gc")
@_with_inputs
def main(**options: str | None) -> None:
    """Removes old tags and unreachable manifests from a Gitea or Forgejo container registry,
    and never breaks an image that stays."""
    if sys.stdout is None:  # closed by who started this; nothing reads the log then
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
    if runner.is_present(os.environ):
        for line in runner.secrets(os.environ):
            print(f"::add-mask::{line}", flush=True)
    try:
        settings = load(options, os.environ)
    except UsageError as error:
        for problem in error.problems:
            click.echo(f"registry-gc: {one_line(problem)}", err=True)
        sys.exit(2)
    sys.exit(_run(settings))


def _run(settings: Settings) -> int:
    # Imported here so that --help and wrong settings answer at once.
    from registry_gc.report import document, outputs, summary
    from registry_gc.report.log import for_stream
    from registry_gc.run.run import run
    from registry_gc.server.client import Client
    from registry_gc.server.transport import Transport

    stop = _stopped_by_signals()
    log = for_stream(sys.stdout, os.environ)
    log.start(__version__, settings.server_url, settings.owner, settings.public())
    client = Client(
        Transport(settings.concurrency, stop),
        settings.server_url,
        settings.owner,
        settings.token,
        settings.concurrency,
    )
    workspace = runner.workspace(os.environ)
    report = run(settings, client, datetime.now(UTC), workspace, log, stop)
    log.finish(report)
    path = str(workspace / settings.report) if settings.report else ""
    values = outputs.outputs(report, settings, path)
    return max(
        report.exit_code,
        _tried(lambda: _write(path, document.render(report, __version__))),
        _tried(lambda: runner.write_outputs(os.environ, values)),
        _tried(lambda: runner.write_summary(os.environ, summary.render(report))),
    )


def _tried(write: Callable[[], None]) -> int:
    """1 when a file could not be written, which is said; the run itself is done by then."""
    try:
        write()
    except OSError as error:
        problem = one_line(f"{error.filename} cannot be written: {error.strerror}.")
        click.echo(f"registry-gc: {problem}", err=True)
        return 1
    return 0


def _stopped_by_signals() -> Event:
    """Set by SIGTERM (a cancelled job) and Ctrl-C; a second one ends the program at once."""
    stop = Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop


def _write(path: str, text: str) -> None:
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
