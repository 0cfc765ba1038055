"""What every address of the server needs: who asks, and what counts as an answer."""

import json
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

import requests
from requests.auth import HTTPBasicAuth

from registry_gc.errors import Denied, Gone, Right, TokenInAddress, WrongAnswer
from registry_gc.server import parallel
from registry_gc.server.bearer import Bearer
from registry_gc.server.exchange import Answer
from registry_gc.server.transport import LARGEST_ANSWER, Auth, Body, Transport

T = TypeVar("T")
R = TypeVar("R")
Parameters = Mapping[str, str | int]
_ANY = Right.of_anyone("use /v2")
SHORTEST = 8  # characters; what is shorter is no token, and may well be part of a name


class Client:
    """Requests with one token on behalf of one owner.

    What is asked lies beside: `packages` has the addresses of the registry. All of it raises
    Denied for 401 and 403, Gone for 404, Interrupted when the transport was stopped, NoAnswer when
    nothing usable came, and WrongAnswer for what is not Gitea's answer.
    """

    def __init__(
        self,
        transport: Transport,
        server_url: str,
        owner: str,
        token: str,
        concurrency: int,
        bearer: Bearer | None = None,
    ) -> None:
        self.server_url, self.owner, self.concurrency = server_url, owner, concurrency
        self._transport, self._token = transport, token
        self._api_auth, self._basic_auth = _auth("token", token), HTTPBasicAuth(owner, token)
        self._bearer = bearer or Bearer()
        self._secrets = (token, b64encode(f"{owner}:{token}".encode()).decode())

    def for_owner(self, owner: str) -> "Client":
        """The same, on behalf of another owner: connections, pace and patience are shared."""
        return Client(
            self._transport, self.server_url, owner, self._token, self.concurrency, self._bearer
        )

    def api(
        self,
        method: str,
        path: str,
        kind: str,
        right: Right,
        parameters: Parameters | None = None,
        expected: int = 200,
        *,
        look: Callable[[], object] | None = None,
        is_look: bool = False,
        before: Callable[[], object] | None = None,
    ) -> Answer:
        """The answer of /api/v1 + path (escaped) with the expected status.

        `kind` groups requests that cost the server the same; `right` is what a refusal lacks.
        What is neither a GET nor has a `look` is sent once: see Transport.send.
        """
        answer = self._send(
            method,
            f"{self.server_url}/api/v1{path}",
            kind,
            self._api_auth,
            parameters,
            look=look,
            is_look=is_look,
            before=before,
        )
        return self._checked(answer, right, expected)

    def put_v2(
        self, path: str, kind: str, right: Right, body: Body, look: Callable[[], object]
    ) -> Answer:
        """The answer of PUT /v2 + path (escaped): 201. `look` as in Transport.send.

        Raises WrongAnswer for 403: /v2 answers 401 where the token has not the right, and 403 to a
        manifest that is one more than the owner may have (1.21 to 1.28, Forgejo).
        """
        answer = self._send_v2("PUT", path, kind, body=body, look=look)
        if answer.status == 403:
            request = f"PUT {urlsplit(answer.url).path}"
            raise WrongAnswer.too_many(request, self._described(answer), self.owner)
        return self._checked(answer, right, 201)

    def head_v2(self, path: str, kind: str, right: Right) -> Answer:
        """The answer of HEAD /v2 + path (escaped), of which the headers tell."""
        answer = self._send_v2("HEAD", path, kind, is_look=True)
        return self._checked(answer, right, 200)

    def delete_v2(
        self,
        path: str,
        right: Right,
        look: Callable[[], object],
        before: Callable[[], object] | None,
    ) -> bool:
        """Whether DELETE /v2 + path (escaped) was done: 202.

        False when nothing was done: there is no token of /v2, or the server does not take it for
        this. `look` and `before` as in Transport.send; after a 404 `look` is called too.
        """
        bearer = self._bearer.get(self._ask_for_bearer)
        if not bearer or not self._bearer.may_delete:
            return False
        auth, kind = _auth("Bearer", bearer), "delete tag"
        url = self._v2_url(path)
        answer = self._send("DELETE", url, kind, auth, look=look, before=before)
        if answer.status in (401, 403, 405):
            self._bearer.may_delete = False
            return False
        if answer.status == 404:
            look()
            return False
        self._checked(answer, right, 202)
        return True

    def v2(
        self, path: str, kind: str, right: Right, what: str, most: int = LARGEST_ANSWER
    ) -> Answer:
        """The answer of GET /v2 + path (escaped), `what` in an error's sentence.

        With object storage it is a redirect, which is followed once and without the token.
        """
        answer = self._send_v2("GET", path, kind, most=most)
        if answer.location is not None:
            return self._from_storage(self._v2_url(path), answer.location, what, most)
        return self._checked(answer, right, 200)

    def json(self, answer: Answer) -> Any:
        """The body of an answer."""
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise WrongAnswer.not_json(self.server_url, self._message(answer)) from error

    def in_order(self, work: Callable[[T], R], items: Collection[T]) -> list[R]:
        """work(item) for each item, as many at once as there may be requests."""
        return parallel.in_order(min(self.concurrency, len(items)), work, items)

    def _v2_url(self, path: str) -> str:
        parts = urlsplit(self.server_url)  # /v2 lies at the host's root, the API may not
        return f"{parts.scheme}://{parts.netloc}/v2{path}"

    def _send_v2(self, method: str, path: str, kind: str, **options: Any) -> Answer:
        """The answer, asked for with /v2's own token where it gives one and takes it."""
        url = self._v2_url(path)
        if bearer := self._bearer.get(self._ask_for_bearer):
            answer = self._send(method, url, kind, _auth("Bearer", bearer), **options)
            if answer.status not in (401, 403):
                return answer
        own = self._send(method, url, kind, self._basic_auth, **options)
        if bearer and own.status not in (401, 403):  # else it is not the token that was refused
            self._bearer.refused()
        return own

    def _ask_for_bearer(self) -> object:
        parameters = {"service": "container_registry", "scope": "*"}
        answer = self._send("GET", self._v2_url("/token"), "token", self._basic_auth, parameters)
        return self.json(self._checked(answer, _ANY, 200))

    def _send(
        self,
        method: str,
        url: str,
        kind: str,
        auth: Auth,
        parameters: Parameters | None = None,
        **options: Any,
    ) -> Answer:
        """The answer, to an address that does not hold the token: logs of others hold addresses."""
        parts = map(str, (url, *(parameters or {}).values()))
        address = "".join("/".join(map(unquote, parts)).split()).lower()
        if len(self._token) >= SHORTEST and self._token.lower() in address:
            raise TokenInAddress
        return self._transport.send(method, url, kind, auth, parameters, **options)

    def _from_storage(self, url: str, location: str, what: str, most: int) -> Answer:
        try:
            storage = urljoin(url, location)
        except ValueError as error:
            raise WrongAnswer.no_address(what) from error
        answer = self._send("GET", storage, "storage", _no_auth, most=most)
        if answer.status != 200:
            raise WrongAnswer.from_storage(what, answer.status)
        return answer

    def _checked(self, answer: Answer, right: Right, expected: int) -> Answer:
        path = urlsplit(answer.url).path
        request = f"{answer.method} {path}"
        if answer.status == 404:
            raise Gone(request)
        if answer.status in (401, 403):
            text = self._described(answer)
            is_registry = path.startswith("/v2/")
            raise Denied.from_response(answer.status, text, right, self.server_url, is_registry)
        if answer.location is not None:
            raise WrongAnswer.redirected(request, self._redacted(answer.location))
        if answer.status != expected:
            raise WrongAnswer.from_status(request, self._described(answer))
        return answer

    def _described(self, answer: Answer) -> str:
        message = self._message(answer)
        status = f"the server answered {answer.status}"
        return f"{status}: {message}" if message else status

    def _message(self, answer: Answer) -> str:
        """What the server says, in a line: its JSON message, or the beginning of its text."""
        text = self._redacted(answer.content[:4000].decode("utf-8", "replace"))[:2000]
        try:
            text = str(json.loads(answer.content)["message"])
        except (ValueError, TypeError, KeyError, RecursionError):
            if "<" in text:
                text = "an HTML page"
        return " ".join(self._redacted(text).split())[:200]

    def _redacted(self, text: str) -> str:
        for secret in (*self._secrets, *self._bearer.secrets):
            text = text.replace(secret, "***")
        return text


def _auth(scheme: str, token: str) -> Auth:
    """`Authorization: token`, set on the request itself so that no .netrc overrides it."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"{scheme} {token}"
        return request

    return authorize


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """For another host: neither our token nor what a .netrc has for it."""
    return request
