"""Standard output and error that outlive whoever reads them: a terminal may close in a run."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class _Lasting(io.FileIO):
    """A stream on which nothing fails: what nobody takes any more is dropped."""

    def write(self, data: object) -> int:
        """As FileIO.write, but for a reader that is gone (EPIPE, EIO) or a disk that is full."""
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        with suppress(OSError):
            written = super().write(data)  # type: ignore[arg-type]
            if written is None:  # someone made it non-blocking; a log is waited for
                os.set_blocking(self.fileno(), True)
                written = super().write(data)  # type: ignore[arg-type]
            return written if written is not None else size
        return size


def outlive_readers() -> None:
    """Makes sys.stdout and sys.stderr never raise OSError, nor UnicodeError for any text."""
    sys.stdout, sys.stderr = _lasting(sys.stdout), _lasting(sys.stderr)


def _lasting(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by who started this
        return Path(os.devnull).open("w", encoding="utf-8")
    try:
        raw = _Lasting(stream.fileno(), "w", closefd=False)
    except OSError:  # no file at all, as in tests
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=True,
    )
