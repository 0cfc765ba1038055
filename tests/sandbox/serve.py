"""Serve the sandbox on a loopback port."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from flask import Flask

from .app import Dropped, create_app
from .faults import Faults
from .push import Pusher
from .store import Store


@dataclass
class Box:
    """A running sandbox."""

    url: str
    store: Store
    faults: Faults
    owner: str = "acme"
    token: str = ""
    errors: list[Exception] = field(default_factory=list)
    """What a hook, a plan or the sandbox itself raised; raised again when the box closes."""

    def reset(self) -> None:
        """Empty registry, no faults, empty log, same address and token; settings as at first."""
        self.store.reset()
        self.faults.reset()
        self.store.add_owner(self.owner)
        self.token = self.store.add_token(
            self.owner, "write:package", "write:user", "write:repository"
        )

    @property
    def push(self) -> Pusher:
        """Pushes straight into the store: never logged, never faulted, usable in a hook."""
        return Pusher.into(self.store, self.owner)


@contextmanager
def serve(profile: str = "1.25") -> Iterator[Box]:
    """A sandbox of this profile (see profiles.py) for the length of a with block."""
    store, faults = Store(profile), Faults()
    server = _Server(create_app(store, faults))
    box = Box(f"http://127.0.0.1:{server.server_port}", store, faults, errors=server.errors)
    box.reset()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.stop()
        thread.join()
    if box.errors:
        raise box.errors[0]


class _Server(ThreadingHTTPServer):
    # werkzeug's own server closes every connection after one answer, which no Gitea does
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, app: Flask) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app = app
        self.errors: list[Exception] = []
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own affair."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self) -> None:
        status, headers = "", list[tuple[str, str]]()

        def start(line: str, fields: list[tuple[str, str]], error: Any = None) -> Any:
            nonlocal status, headers
            status, headers = line, fields

        try:
            environ = self._environ()
            body = b"".join(self.server.app(environ, start))
        except Dropped as drop:
            self.close_connection = True
            if drop.response is None:
                return
            whole = b"".join(drop.response(environ, start))
            body = whole[: len(whole) // 2]
        except Exception as error:
            self.server.errors.append(error)
            status, headers, body = "500 Sandbox broken", [("Content-Length", "0")], b""
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def _environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        body = self._body()
        return {
            "REQUEST_METHOD": self.command,
            "RAW_URI": self.path,
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in self.headers.items()},
        }

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, format: str, *args: Any) -> None:
        """Faults.log is the log."""
