"""Who asks, and whether they may."""

from __future__ import annotations

from flask import current_app, request

from .manifests import Refused
from .rows import Owner, Token
from .store import Store

JWT = "jwt-"


def store() -> Store:
    found = current_app.extensions["store"]
    assert isinstance(found, Store)
    return found


def api_token(scope: str = "") -> Token:
    """The token of an /api/v1 request: 401 without or with a bad one, 403 without the scope."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        raise Refused(401, "", "token is required")
    if kind.lower() == "basic":
        value = _basic_password()
    token = store().tokens.get(value)
    if token is None:
        raise Refused(401, "", "invalid username, password or token")
    if scope and not token.allows(scope):
        raise Refused(
            403, "", f"token does not have at least one of required scope(s), required=[{scope}]"
        )
    return token


def registry_token() -> Token:
    """The token of a /v2 request: Basic with the token as password, or what /v2/token gave."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        raise Refused(401, "UNAUTHORIZED")
    if kind == "Bearer" and value.startswith(JWT):
        value = value.removeprefix(JWT)
    else:
        value = _basic_password() if kind.lower() == "basic" else ""
    if value not in store().tokens:
        raise Refused(401, "", "Failed to authenticate user")
    return store().tokens[value]


def may_read(token: Token, owner: Owner) -> bool:
    return owner.public or token.user.lower() in owner.readers or may_write(token, owner)


def may_write(token: Token, owner: Owner) -> bool:
    return token.user.lower() in owner.members | {name.lower() for name in store().admins}


def _basic_password() -> str:
    given = request.authorization
    return (given.password or "") if given else ""
