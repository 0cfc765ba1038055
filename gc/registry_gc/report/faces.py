"""The faces of the report, wired in one place: a new one is one file, and one line here."""

from typing import Protocol

from registry_gc import __version__
from registry_gc.report.document import Document
from registry_gc.report.files import Files
from registry_gc.report.log import Log
from registry_gc.report.outputs import Outputs
from registry_gc.report.report import Report
from registry_gc.report.summary import Summary
from registry_gc.settings.inputs import Settings


class Face(Protocol):
    """One way to show what a run did."""

    def show(self, report: Report) -> None:
        """Shows the whole of it. Raises NotWritten when the file for it cannot be written."""


def faces(log: Log, files: Files, settings: Settings) -> tuple[Face, ...]:
    """All of them, in the order in which they are shown."""
    return (
        log,
        Document(files.report, __version__),
        Outputs(files.output, files.report, settings),
        Summary(files.summary),
    )
