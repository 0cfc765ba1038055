"""The one place that knows the server's addresses: Gitea's package API, and /v2 for manifests."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import requests
from requests.auth import HTTPBasicAuth

from registry_gc.errors import Denied, Gone, RegistryGcError
from registry_gc.server import parallel
from registry_gc.server.references import is_valid, is_valid_image
from registry_gc.server.transport import Auth, Transport

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing."""

    rows: list[dict[str, Any]]
    total: int  # X-Total-Count: how many rows all pages have
    at: datetime  # the server's clock when it answered


class Client:
    """Requests on behalf of one owner.

    Methods raise Denied for 401 and 403, Gone for 404, Interrupted when the transport was stopped,
    and RegistryGcError for everything else that is not an answer.
    """

    def __init__(
        self, transport: Transport, server_url: str, owner: str, token: str, concurrency: int
    ) -> None:
        self.server_url, self.owner, self.concurrency = server_url, owner, concurrency
        self._transport = transport
        self._api_auth, self._v2_auth = _token_auth(token), HTTPBasicAuth(owner, token)
        self._secrets = (token, b64encode(f"{owner}:{token}".encode()).decode())

    def packages(self, query: str, page: int, limit: int) -> Page:
        """One page of container versions, newest first; past the end it is empty.

        GET /api/v1/packages/{owner} (1.21 to main). Lists an unknown image as [].
        """
        parameters: dict[str, str | int] = {"type": "container", "q": query}
        parameters |= {"page": page, "limit": limit}
        try:
            response = self._get(f"/packages/{quote(self.owner, safe='')}", "list", parameters)
        except Gone as error:
            raise RegistryGcError(
                f"{self.server_url} knows no user or organisation {self.owner} with packages "
                "(404): check owner and server-url."
            ) from error
        rows = self._json(response)
        total = response.headers.get("X-Total-Count", "")
        if not isinstance(rows, list) or not (total.isascii() and total.isdecimal()):
            raise RegistryGcError(
                f"{self.server_url} did not answer as Gitea's package API does (no list, or no "
                "X-Total-Count): check server-url, and whether a proxy drops headers."
            )
        return Page(rows, int(total), _date(response.headers.get("Date", "")))

    def files(self, image: str, version: str) -> Any:
        """The files of a version: GET /packages/{owner}/container/{name}/{version}/files."""
        return self._json(self._get(f"{self._path(image, version)}/files", "files"))

    def manifest(self, image: str, reference: str) -> tuple[bytes, str]:
        """The bytes of a manifest and its media type: GET /v2/{owner}/{image}/manifests/{ref}.

        Raises the download count by one. With object storage the answer is a redirect, which is
        followed once and without the token.
        """
        parts = urlsplit(self.server_url)  # /v2 lies at the host's root, the API may not
        path = f"{quote(self.owner)}/{quote(image)}/manifests/{quote(reference, safe=':')}"
        url = f"{parts.scheme}://{parts.netloc}/v2/{path}"
        response = self._transport.send("GET", url, "manifest", self._v2_auth)
        if response.is_redirect:
            try:
                storage = urljoin(url, response.headers["Location"])
            except ValueError as error:
                raise RegistryGcError(
                    f"The manifest of {image}@{reference} could not be read: the server sent it on "
                    "to an address that is none."
                ) from error
            response = self._transport.send("GET", storage, "storage", _no_auth)
            if response.status_code != 200:
                raise RegistryGcError(
                    f"The manifest of {image}@{reference} could not be read: the storage that "
                    f"the server names answered {response.status_code}."
                )
        self._check(response, 200)
        return response.content, response.headers.get("Content-Type", "").partition(";")[0]

    def delete(self, image: str, version: str) -> None:
        """Deletes one version; one that is gone already is a success.

        DELETE /packages/{owner}/container/{name}/{version}: 204, or 404.
        """
        url = self._api + self._path(image, version)
        try:
            self._check(self._transport.send("DELETE", url, "delete", self._api_auth), 204)
        except Gone:
            return

    def clean_up(self) -> None:
        """Runs the server's cron task that frees the space: POST /admin/cron/cleanup_packages."""
        url = f"{self._api}/admin/cron/cleanup_packages"
        self._check(self._transport.send("POST", url, "cron", self._api_auth), 204)

    def in_order(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """work(item) for each item, as many at once as there may be requests."""
        return parallel.in_order(self.concurrency, work, items)

    @property
    def _api(self) -> str:
        return f"{self.server_url}/api/v1"

    def _path(self, image: str, version: str) -> str:
        """The path of one version; an empty one, or `..`, would address the whole image."""
        if not is_valid_image(image) or not is_valid(version):
            raise RegistryGcError(f"Refused to ask for {image}:{version}: not a version's name.")
        owner, name, tag = (quote(part, safe="") for part in (self.owner, image, version))
        return f"/packages/{owner}/container/{name}/{tag}"

    def _get(
        self, path: str, kind: str, parameters: Mapping[str, str | int] | None = None
    ) -> requests.Response:
        url = self._api + path
        response = self._transport.send("GET", url, kind, self._api_auth, parameters)
        return self._check(response, 200)

    def _json(self, response: requests.Response) -> Any:
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise RegistryGcError(
                f"{self.server_url} answered {self._said(response) or 'nothing'} instead of JSON. "
                "Check server-url: a login page or a proxy may answer in the server's place."
            ) from error

    def _check(self, response: requests.Response, expected: int) -> requests.Response:
        """The response, when it is an answer; else the error that says what to do."""
        request = f"{response.request.method} {urlsplit(response.request.url or '').path}"
        if response.status_code == 404:
            raise Gone(f"{request}: not there (404).")
        if response.status_code in (401, 403):
            raise Denied(self._denial(response))
        if response.is_redirect:
            raise RegistryGcError(
                f"{request} was redirected to {self._redacted(response.headers['Location'])}, "
                "which is not followed: was the owner renamed, or is the server's address "
                "another? Set owner or server-url to it."
            )
        if response.status_code != expected:
            raise RegistryGcError(f"{request} failed: {self._answer(response)}.")
        return response

    def _denial(self, response: requests.Response) -> str:
        answer = self._answer(response)
        if response.request.method == "POST":
            return (
                f"The server refused to run cleanup_packages ({answer}): reclaim needs the token "
                "of a site admin with the scope write:admin. Without it the server frees the "
                "space in its nightly run."
            )
        right = "delete" if response.request.method == "DELETE" else "read"
        make = (
            f"To get one: {self.server_url}/user/settings/applications, scope package: read and "
            "write; store it as a secret and pass it as the input token (GITEA_TOKEN on a command "
            "line)."
        )
        if response.status_code == 401:
            return (
                f"The server refused the token ({answer}): it is wrong, has expired, belongs to "
                f"another instance, or lacks the scope write:package. {make}"
            )
        return (
            f"The token may not {right} packages of {self.owner} ({answer}). It must be a "
            "personal access token with the scope write:package, of a user who may write to "
            f"{self.owner}'s packages; the automatic job token never can. {make}"
        )

    def _answer(self, response: requests.Response) -> str:
        said = self._said(response)
        status = f"the server answered {response.status_code}"
        return f"{status}: {said}" if said else status

    def _said(self, response: requests.Response) -> str:
        """What the server said, in a line: its JSON message, or the beginning of its text."""
        text = response.content[:2000].decode("utf-8", "replace")
        try:
            text = str(json.loads(response.content)["message"])
        except (ValueError, TypeError, KeyError, RecursionError):
            if "<" in text:
                text = "an HTML page"
        return " ".join(self._redacted(text).split())[:200]

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _token_auth(token: str) -> Auth:
    """`Authorization: token`, set on the request itself so that no .netrc overrides it."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {token}"
        return request

    return authorize


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """For another host: neither our token nor what a .netrc has for it."""
    return request


def _date(header: str) -> datetime:
    """The server's clock; the beginning of time when it does not tell: all may be newer."""
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)
