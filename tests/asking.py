"""Requests as any client of a sandbox sends them, to its API and its registry."""

from typing import Any

import requests

from tests.sandbox import Box

LIST = "/api/v1/packages/acme"


def ask(
    box: Box, path: str = LIST, method: str = "GET", token: str | None = None, **kwargs: Any
) -> requests.Response:
    headers = {"Authorization": f"token {token or box.token}"}
    kwargs = {"timeout": 10, "allow_redirects": False, **kwargs}
    return requests.request(method, box.url + path, headers=headers, **kwargs)


def pull(box: Box, path: str, method: str = "GET", token: str | None = None) -> requests.Response:
    auth = ("any", token or box.token)
    return requests.request(method, f"{box.url}/v2/acme/{path}", auth=auth, timeout=10)
