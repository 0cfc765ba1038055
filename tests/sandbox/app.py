"""The sandbox as a Flask application: faults around two rooms, /api/v1 and /v2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from . import api, registry, releases
from .faults import Answer, CutBody, Drop, Fault, Faults, HalfJson, Hold, LoseAnswer
from .store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Dropped(Exception):
    """The connection is to be closed, after half of `response` if there is one."""

    def __init__(self, response: Response | None = None) -> None:
        super().__init__("connection dropped on purpose")
        self.response = response


def route_as_sent(app: WSGIApplication) -> WSGIApplication:
    """Route on the path as it was sent: `%2F` is part of a name, extra slashes count for nothing.

    Gitea routes on the escaped path and trims it (1.21 to 1.26)."""

    def routed(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["RAW_URI"].partition("?")[0]
        path = re.sub("/+", "/", path).rstrip("/") or "/"
        kept = re.sub("%2f", "%252F", path, flags=re.IGNORECASE)
        # WSGI hands text over as latin-1
        environ["PATH_INFO"] = unquote(kept, "latin-1")
        return app(environ, start)

    return routed


def create_app(store: Store, faults: Faults) -> Flask:
    """A Gitea of the store's profile. Raises Dropped out of a request whose fault says so."""
    app = Flask("sandbox")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["store"] = store
    app.wsgi_app = route_as_sent(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.register_blueprint(api.room)
    app.register_blueprint(releases.room)
    app.register_blueprint(registry.room)

    @app.before_request
    def meet_fault() -> Response | None:
        g.fault = faults.receive(request.method, request.environ["RAW_URI"], dict(request.headers))
        return _before(g.fault)

    @app.after_request
    def spoil(response: Response) -> Response:
        response.headers["Date"] = format_datetime(store.now, usegmt=True)
        return _after(g.fault, response)

    @app.errorhandler(HTTPException)
    def no_route(error: HTTPException) -> Response:
        return registry.Bare(f"{error.code} page not found", error.code)

    return app


def _before(fault: Fault | None) -> Response | None:
    match fault:
        case Answer(status, body, headers):
            return Response(body, status, dict(headers))
        case Drop():
            raise Dropped
        case Hold(gate, drops):
            gate.wait()
            if drops:
                raise Dropped
    return None


def _after(fault: Fault | None, response: Response) -> Response:
    match fault:
        case LoseAnswer():
            raise Dropped
        case CutBody():
            raise Dropped(response)
        case HalfJson():
            body = response.get_data()
            response.set_data(body[: len(body) // 2])
    return response
