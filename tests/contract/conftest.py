"""The servers that the contract tests run against.

Always the sandbox, once for each kind of server. With GITEA_URL and GITEA_TOKEN (SCOPES, of a
site admin; owner: the token's user), `pytest -m live` runs the same tests against that server; a
plain `pytest` never does.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.sandbox import Pusher, serve

KINDS = ["1.21", "1.24", "1.25", "main", "1.28", "forgejo"]
SCOPES = ("write:package", "write:repository", "write:user", "write:organization", "read:admin")


@dataclass
class Server:
    """A server and what a test needs of it."""

    url: str
    owner: str
    token: str
    session: requests.Session
    images: list[str] = field(default_factory=list)
    repositories: list[int] = field(default_factory=list)
    organizations: list[str] = field(default_factory=list)

    @property
    def pusher(self) -> Pusher:
        return Pusher(self.url, self.owner, self.token, self.session)

    def image(self) -> str:
        """A fresh image name; every image whose name has it is removed after the test."""
        self.images.append(f"contract-{uuid.uuid4().hex[:12]}")
        return self.images[-1]

    def forge(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """A request to /api/v1{path}, redirects not followed."""
        return self.session.request(
            method,
            f"{self.url}/api/v1{path}",
            headers={"Authorization": f"token {self.token}"},
            allow_redirects=False,
            timeout=30,
            **kwargs,
        )

    def repository(self) -> str:
        """A fresh, empty repository, `owner/name`, that is removed after the test."""
        name = f"contract-{uuid.uuid4().hex[:12]}"
        made = self.forge("POST", "/user/repos", json={"name": name, "default_branch": "main"})
        assert made.status_code == 201, made.text
        self.repositories.append(made.json()["id"])
        return f"{self.owner}/{name}"

    def organization(self) -> str:
        """A fresh organisation of the token's user, that is removed after the test."""
        name = f"contract-{uuid.uuid4().hex[:12]}"
        made = self.forge("POST", "/orgs", json={"username": name, "visibility": "private"})
        assert made.status_code == 201, made.text
        self.organizations.append(name)
        return name

    def api(self, method: str, path: str = "", **params: Any) -> requests.Response:
        """A request to /api/v1/packages/{owner}{path}, redirects not followed."""
        return self.session.request(
            method,
            f"{self.url}/api/v1/packages/{self.owner}{path}",
            params=params,
            headers={"Authorization": f"token {self.token}"},
            allow_redirects=False,
            timeout=30,
        )

    def v2(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """A request to /v2/{owner}/{path}."""
        return self.session.request(
            method,
            f"{self.url}/v2/{self.owner}/{path}",
            auth=("any", self.token),
            timeout=30,
            **kwargs,
        )

    def version(self, method: str, image: str, version: str, rest: str = "") -> requests.Response:
        return self.api(method, f"/container/{quote(image, safe='')}/{version}{rest}")

    def rows(self, image: str) -> dict[str, dict[str, Any]]:
        """Version name -> row, of exactly this image.

        Rows of one second have no fixed order on 1.21, so one pass may miss some.
        """
        found: dict[int, dict[str, Any]] = {}
        for _ in range(5):
            page, total = 1, 0
            while rows := self._page(image, page):
                total = int(rows[0]["total"])
                found.update((row["id"], row) for row in rows)
                page += 1
            if len(found) == total:
                break
        exact = [row for row in found.values() if row["name"] == image]
        return {row["version"]: row for row in exact}

    def _page(self, image: str, page: int) -> list[dict[str, Any]]:
        answer = self.api("GET", type="container", q=image, page=page, limit=50)
        assert answer.status_code == 200, answer.text
        return [{**row, "total": answer.headers["X-Total-Count"]} for row in answer.json()]

    def clear(self) -> None:
        for number in self.repositories:  # by its id, for a test may rename it
            name = self.forge("GET", f"/repositories/{number}").json()["full_name"]
            assert self.forge("DELETE", f"/repos/{name}").status_code == 204
        for image in self.images:
            while rows := self._page(image, 1):
                for row in rows:
                    answer = self.version("DELETE", row["name"], row["version"])
                    assert answer.status_code == 204, f"{row['html_url']} stays: {answer.text}"
        for name in self.organizations:
            assert self.forge("DELETE", f"/orgs/{name}").status_code == 204


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "live: runs against the server at GITEA_URL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "live" in config.option.markexpr:
        return
    live = [item for item in items if item.get_closest_marker("live")]
    config.hook.pytest_deselected(items=live)
    items[:] = [item for item in items if item not in live]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # not the fixture's own params: those would use the marker before it is known
    live = pytest.param("live", marks=pytest.mark.live)
    metafunc.parametrize("address", [*KINDS, live], indirect=True, scope="module")


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """(url, token) of a server."""
    if request.param != "live":
        with serve(request.param) as box:
            box.store.admins = {box.owner}
            yield box.url, box.store.add_token(box.owner, *SCOPES)
        return
    if not (os.environ.get("GITEA_URL") and os.environ.get("GITEA_TOKEN")):
        pytest.skip("GITEA_URL and GITEA_TOKEN are not set")
    yield os.environ["GITEA_URL"].rstrip("/"), os.environ["GITEA_TOKEN"]


@pytest.fixture
def server(address: tuple[str, str]) -> Iterator[Server]:
    url, token = address
    with requests.Session() as session:
        headers = {"Authorization": f"token {token}"}
        user = session.get(f"{url}/api/v1/user", headers=headers, timeout=30)
        assert user.status_code == 200, f"the token needs read:user: {user.text}"
        made = Server(url, user.json()["login"], token, session)
        try:
            yield made
        finally:
            made.clear()
