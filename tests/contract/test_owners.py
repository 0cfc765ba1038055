"""What the program relies on to know whose images there are: users and organisations."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .conftest import Server


def names(server: Server, path: str, key: str) -> list[str]:
    """What all pages of a listing have under a key, as many as the server says there are."""
    found: list[str] = []
    total, number = -1, 1
    while rows := _page(server, path, number).json():
        found += [row[key] for row in rows]
        total = int(_page(server, path, number).headers["X-Total-Count"])
        number += 1
    assert len(found) == total
    return found


def _page(server: Server, path: str, number: int, **params: Any) -> requests.Response:
    answer = server.forge("GET", path, params={"page": number, "limit": 1, **params})
    assert answer.status_code == 200, answer.text
    return answer


def test_the_tokens_user_and_its_organisations_are_told(server: Server) -> None:
    made = {server.organization(), server.organization()}
    assert server.forge("GET", "/user").json()["login"] == server.owner
    assert made <= set(names(server, "/user/orgs", "name"))


def test_a_site_admin_is_told_of_everyone(server: Server) -> None:
    if server.forge("GET", "/admin/users").status_code == 403:
        pytest.skip("GITEA_TOKEN is not a site admin's")
    made = server.organization()
    assert made in names(server, "/admin/orgs", "name")
    assert server.owner in names(server, "/admin/users", "login")
    assert made not in names(server, "/admin/users", "login")


def test_rows_have_an_id_and_pages_end_with_an_empty_one(server: Server) -> None:
    server.organization()
    rows = _page(server, "/user/orgs", 1).json()
    assert [type(row["id"]) for row in rows] == [int]
    total = int(_page(server, "/user/orgs", 1).headers["X-Total-Count"])
    assert _page(server, "/user/orgs", total + 1).json() == []


def test_nobody_is_told_without_a_token(server: Server) -> None:
    for path in ("/user", "/user/orgs", "/admin/users", "/admin/orgs"):
        answer = requests.get(f"{server.url}/api/v1{path}", timeout=30)
        assert answer.status_code == 401, path


def test_an_organisations_packages_are_listed_and_deleted_as_a_users_are(server: Server) -> None:
    owner = server.organization()
    there = Server(server.url, owner, server.token, server.session)
    image = there.image()
    there.pusher.multiarch(image, "v1", seed=1)
    assert "v1" in there.rows(image)
    there.clear()
    assert there.rows(image) == {}
