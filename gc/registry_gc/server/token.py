"""What the server tells about the token itself."""

from registry_gc.errors import Right
from registry_gc.server.client import Client
from registry_gc.server.told import told

_ANY = Right.of_anyone("be looked up")


def scopes(client: Client) -> tuple[str, ...] | None:
    """The scopes of the token; None when the server does not tell.

    GET /api/v1/token (Gitea 1.27 on, for a personal access token, without any scope): it has
    `all`, `write:package` and the like, and `public-only` beside them. It is 404 on older servers,
    on Forgejo and for job tokens. Whatever else comes in its place tells nothing.
    """
    found = told(lambda: client.json(client.api("GET", "/token", "token", _ANY)))
    listed = found.get("scopes")
    if not isinstance(listed, list) or not all(isinstance(scope, str) for scope in listed):
        return None
    return tuple(listed)
