"""Runs of the whole program against a sandbox, over loopback or without sockets at all."""

import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http.client import responses
from pathlib import Path
from threading import Event
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import requests
from flask import Flask
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from registry_gc import __version__
from registry_gc.report.log import Log
from registry_gc.report.report import Report, State
from registry_gc.run.run import run
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from registry_gc.settings.inputs import ImageSettings, Settings
from tests.sandbox import Box, Fault, Request, Store
from tests.sandbox.app import Dropped, create_app
from tests.sandbox.faults import Faults
from tests.sandbox.store import START

NOW = START
NOWHERE = Path("/nonexistent")
Name = tuple[str, str]  # image and version


@dataclass(frozen=True)
class Outcome:
    """What a run reported, and what its log said."""

    report: Report
    text: str

    def names(self, state: State) -> set[Name]:
        """The versions in this state."""
        return {(i.name, row.version.name) for i, row in self.report.rows() if row.state is state}

    def why(self, image: str, name: str) -> str:
        """The reason of a version's verdict; the newest row's when the name was pushed again."""
        rows = (r for i, r in self.report.rows() if (i.name, r.version.name) == (image, name))
        return next(row.reason for row in rows)

    @property
    def errors(self) -> list[str]:
        return [p.text for _, p in self.report.all_problems() if p.is_error]

    @property
    def warnings(self) -> list[str]:
        return [p.text for _, p in self.report.all_problems() if not p.is_error]

    @property
    def exit_code(self) -> int:
        return self.report.exit_code


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def clock(self) -> float:
        return self.seconds


class Place(Protocol):
    """A server to run against: the sandbox, or a running one."""

    url: str
    owner: str
    token: str


def settings(box: Place, **changes: Any) -> Settings:
    """The defaults for image `app`, with changes by field; `images` may be pairs of patterns of
    images with the changes for those."""
    values: dict[str, Any] = {
        "token": box.token,
        "server_url": box.url,
        "owner": box.owner,
        "package": ("app",),
        "keep_days": 180,
        "keep_latest": 6,
        "keep_daily": 0,
        "keep_weekly": 0,
        "keep_monthly": 0,
        "keep_yearly": 0,
        "protect": ("latest", "corpus-*"),
        "policies": (),
        "policy_file": "",
        "protect_from": (),
        "protect_from_repositories": (),
        "repository": "",
        "max_delete": None,
        "delete_at_most": None,
        "trash_days": 0,
        "restore": (),
        "dry_run": False,
        "concurrency": 4,
        "measure_space": True,
        "reclaim": False,
        "report": "",
        "cache": "",
        "verbose": False,
        **changes,
    }
    values.setdefault("keep_untagged_days", values["keep_days"])
    entries = [
        entry if isinstance(entry, ImageSettings) else _by_image(entry, values)
        for entry in values.pop("images", ())
    ]
    return Settings(**values, images=tuple(entries))


def _by_image(
    entry: tuple[tuple[str, ...], dict[str, Any]], values: dict[str, Any]
) -> ImageSettings:
    match, own = entry
    written = {name.replace("_", "-"): value for name, value in own.items()}
    return ImageSettings(match, written, Settings(**{**values, "images": (), **own}))


def run_gc(
    box: Place,
    stop: Event | None = None,
    workspace: Path = NOWHERE,
    now: datetime = NOW,
    own_repository: str = "",
    time: Time | None = None,
    **changes: Any,
) -> Outcome:
    """A run at that time, whose waits between two tries take no time."""
    chosen, stop, time = settings(box, **changes), stop or Event(), time or Time()
    transport = Transport(chosen.concurrency, stop, time.wait, time.clock)
    client = Client(transport, box.url, chosen.only_owner, box.token, chosen.concurrency)
    stream = io.StringIO()
    log = Log(stream, in_runner=False, is_terminal=False, colour=False, width=100)
    log.start(__version__, box.url, chosen.owner, chosen.public())
    cache = workspace / chosen.cache if chosen.cache else None
    report = run(chosen, client, now, workspace, log, stop, own_repository, time.clock, cache)
    log.show(report)
    return Outcome(report, stream.getvalue())


def contents(box: Box) -> dict[Name, int]:
    """Every version of the box's owner with its id."""
    images = list(box.store.owner(box.owner).images)
    return {
        (image, name): version
        for image in images
        for name, version in box.store.versions(image, box.owner).items()
    }


def names_in(box: Box, image: str = "app") -> set[str]:
    """The names of an image's versions."""
    return set(box.store.versions(image, box.owner))


def age_all(box: Box, days: float, names: Iterable[str] = (), image: str = "app") -> None:
    """Makes versions, or all of an image, that old."""
    for name in names or names_in(box, image):
        box.store.age(image, name, days)


def deletions(box: Box) -> list[Name]:
    """Image and version of every DELETE that arrived, tries again included, in order."""
    paths = [urlsplit(target).path for method, target in box.faults.log if method == "DELETE"]
    return [addressed(path) for path in paths]


def addressed(path: str) -> Name:
    """The version that a path of the package API, or of /v2, names."""
    if path.startswith("/v2/"):
        image, _, name = path.removeprefix("/v2/").partition("/")[2].rpartition("/manifests/")
        return unquote(image), unquote(name)
    parts = path.removeprefix("/api/v1/packages/").split("/")
    return unquote(parts[2]), unquote(parts[3])


def once_before(box: Box, action: Callable[[], object], method: str, text: str, nth: int) -> None:
    """Does something before the nth request with this method and text in its target."""
    countdown = itertools.count(nth - 1, -1)

    def before(request: Request) -> None:
        if request.method == method and text in request.target and next(countdown) == 0:
            action()

    box.faults.before = before


def fail_to_delete(box: Box, name: str, fault: Fault) -> None:
    """From now on every deletion of this version meets the fault."""

    def plan(request: Request) -> Fault | None:
        is_it = request.method == "DELETE" and request.path.endswith(f"/{name}")
        return fault if is_it else None

    box.faults.plan = plan


class InProcess(BaseAdapter):
    """Answers requests by calling the sandbox: some three times quicker than loopback."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app, self.builder = app, HTTPAdapter()

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        found: list[Any] = []

        def start(line: str, fields: list[tuple[str, str]], error: Any = None) -> Any:
            found[:] = [int(line.partition(" ")[0]), fields]

        try:
            body = b"".join(self.app(_environ(request), start))
        except Dropped as drop:
            if drop.response is None:
                raise requests.ConnectionError("dropped", request=request) from None
            raise requests.exceptions.ChunkedEncodingError("cut", request=request) from None
        status, fields = found
        raw = HTTPResponse(
            io.BytesIO(body),
            fields,
            status,
            reason=responses.get(status, ""),
            preload_content=False,
            request_method=request.method,
        )
        return self.builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def in_process(profile: str = "1.25") -> Iterator[Box]:
    """As tests.sandbox.serve, without sockets: every session in this process gets there."""
    box, adapter = _sandbox(profile)
    box.reset()
    with patch.object(requests.Session, "get_adapter", lambda session, url: adapter):
        yield box


@cache
def _sandbox(profile: str) -> tuple[Box, InProcess]:
    store, faults = Store(profile), Faults()
    return Box("http://registry.test", store, faults), InProcess(create_app(store, faults))


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(request.url or "")
    body = request.body if isinstance(request.body, bytes) else b""
    return {
        "REQUEST_METHOD": request.method,
        "RAW_URI": str(request.path_url),
        "PATH_INFO": unquote(str(parts.path), "latin-1"),
        "QUERY_STRING": str(parts.query),
        "SCRIPT_NAME": "",
        "SERVER_NAME": str(parts.hostname),
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{k.upper().replace('-', '_')}": str(v) for k, v in request.headers.items()},
    }
