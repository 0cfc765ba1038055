"""The program: the command line, the signals, and errors turned into text and an exit code."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from registry_gc import __version__, runner, streams
from registry_gc.errors import UsageError
from registry_gc.registry.trash_names import is_in_trash
from registry_gc.report.escaping import one_line
from registry_gc.settings import secret
from registry_gc.settings.inputs import INPUTS, Settings
from registry_gc.settings.load import load

EPILOG = (
    "The token is read from GITEA_TOKEN. In a workflow the same settings come from the action's "
    "inputs. Exit code: 0 done, 1 something failed or was refused, 2 wrong usage."
)
SPARE_DELETION = (
    "Nothing is done: a package's deletion started this job (event registry_package, action "
    "deleted), and each of our own would start another. In the workflow, write on: "
    "registry_package: types: [published]."
)
SPARE_COPY = (
    "Nothing is done: a copy in the trash started this job (event registry_package, version "
    "gc-trash.*), as each does that a run puts there."
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


class _Command(click.Command):
    """Wrong usage is told without a token that was typed where none belongs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it."""
        streams.outlive_readers()
        try:
            _, _, order = self.make_parser(ctx).parse_args(list(args))
            if twice := [option.opts[0] for option in order if order.count(option) > 1]:
                raise click.UsageError(
                    f"{twice[0]} is given twice: which one holds? Separate the entries of a list "
                    "by commas."
                )
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            text = one_line(secret.redacted(error.format_message(), os.environ))
            raise click.UsageError(text, ctx) from None


@click.command(cls=_Command, epilog=EPILOG)
@click.version_option(__version__, prog_name="registry-gc")
@_with_inputs
def main(**options: str | None) -> None:
    """Removes old tags and unreachable manifests from a Gitea or Forgejo container registry,
    and never breaks an image that stays."""
    if runner.is_present(os.environ):
        for line in secret.lines(os.environ):
            click.echo(f"::add-mask::{line}")
    try:
        sys.exit(_run(options))
    except UsageError as error:
        for problem in error.problems:
            _tell(problem)
        _end_early("refused" if isinstance(error, runner.DryRunAsked) else "failed")
        sys.exit(2)


def _end_early(outcome: str) -> None:
    """Writes that one output of a run that did not begin, where that can be done."""
    from registry_gc.report import files

    with suppress(UsageError, files.NotWritten):
        path = files.tried("", Path(), runner.output_file(os.environ), None).output
        if path:
            files.append(path, runner.output_text({"outcome": outcome}))


def _run(options: dict[str, str | None]) -> int:
    """Checks what was asked for, and does it. Raises UsageError before any request."""
    event = runner.event(os.environ)
    is_deletion = runner.is_deletion(os.environ, event)
    if is_deletion or is_in_trash(runner.published(os.environ, event)):
        click.echo(SPARE_DELETION if is_deletion else SPARE_COPY)
        _end_early("nothing")
        return 0
    workspace = runner.workspace(os.environ)
    settings = load(options, os.environ, workspace)
    if not settings.dry_run:
        runner.check_no_dry_run(event)
        runner.check_restore(event, settings.restore)
    return _clean_up(settings, event, workspace)


def _clean_up(settings: Settings, event: Mapping[str, Any] | None, workspace: Path) -> int:
    """Runs, and shows what came of it. Raises UsageError before any request."""
    # Imported here so that --help and wrong settings answer at once.
    from registry_gc.report import files
    from registry_gc.report.faces import faces
    from registry_gc.report.files import NotWritten
    from registry_gc.report.log import for_stream
    from registry_gc.report.report import Problem
    from registry_gc.run.run import run
    from registry_gc.server.client import Client
    from registry_gc.server.transport import Transport

    output, page = runner.output_file(os.environ), runner.summary_file(os.environ)
    places = files.tried(settings.report, workspace, output, page, settings.cache)
    stop = _stopped_by_signals()
    log = for_stream(sys.stdout, os.environ, settings.verbose or runner.is_debug(os.environ))
    log.start(__version__, settings.server_url, settings.owner, settings.public())
    unknown = () if settings.dry_run else runner.missing_event(os.environ, event)
    warnings = [Problem(text, is_error=False) for text in (*unknown, *places.missing)]
    for warning in warnings:
        log.problem(warning.text, warning.is_error)
    client = Client(
        Transport(settings.concurrency, stop),
        settings.server_url,
        settings.only_owner,
        settings.token,
        settings.concurrency,
    )
    own = runner.repository(os.environ)
    report = run(settings, client, datetime.now(UTC), workspace, log, stop, own, cache=places.cache)
    report = replace(report, problems=(*warnings, *report.problems))
    code = report.exit_code
    for face in faces(log, places, settings):
        try:
            face.show(report)
        except NotWritten as error:  # the run itself is done by then
            _tell(str(error))
            code = 1
    return code


def _tell(problem: str) -> None:
    click.echo(f"registry-gc: {one_line(secret.redacted(problem, os.environ))}", err=True)


def _stopped_by_signals() -> Event:
    """Set by SIGTERM (a cancelled job) and Ctrl-C; the same once more ends the program at once."""
    stop = Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    # A terminal that closes is no wish to stop half-way: the run goes on, and writes its files.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return stop
