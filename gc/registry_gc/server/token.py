"""What the server tells about the token itself."""

from registry_gc.errors import Denied, Gone, NoAnswer, Right, WrongAnswer
from registry_gc.server.client import Client

_ANY = Right("be looked up", "any", "any", "anyone")


def scopes(client: Client) -> tuple[str, ...] | None:
    """The scopes of the token; None when the server does not tell.

    GET /api/v1/token (Gitea 1.27 on, for a personal access token, without any scope): it has
    `all`, `write:package` and the like, and `public-only` beside them. It is 404 on older servers,
    on Forgejo and for job tokens. Whatever else comes in its place tells nothing.
    """
    try:
        found = client.json(client.api("GET", "/token", "token", _ANY))
    except (Denied, Gone, NoAnswer, WrongAnswer):
        return None
    listed = found.get("scopes") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(scope, str) for scope in listed):
        return None
    return tuple(listed)
