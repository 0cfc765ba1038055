"""The sandbox's /api/v1 for users and organisations, as Gitea 1.21 to 1.26 answer."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from .access import api_token, may_write, store
from .api import user_row
from .forge import listed, page_of
from .forge_writing import room
from .manifests import Refused
from .rows import Owner

__all__ = ["room"]

ORGANIZATION = "/orgs/<name>"


@room.get("/user/orgs")
def own_organizations() -> Response:
    """Those in which the token's user is, whatever it may do there."""
    api_token("read:organization")
    asking = api_token("read:user").user.lower()
    rows = [o for o in _organizations() if asking in o.members | o.readers]
    return listed([_row(o) for o in page_of(rows)], len(rows))


@room.get("/admin/orgs")
def all_organizations() -> Response:
    _check_admin()
    rows = _organizations()
    return listed([_row(o) for o in page_of(rows)], len(rows))


@room.get("/admin/users")
def all_users() -> Response:
    _check_admin()
    rows = [owner for owner in store().owners() if not owner.is_organization]
    return listed([user_row(o) for o in page_of(rows)], len(rows))


@room.post("/orgs")
def create_organization() -> tuple[dict[str, Any], int]:
    token, given = api_token("write:organization"), request.get_json()
    public = given.get("visibility", "public") == "public"
    store().add_owner(given["username"], [token.user], public)
    return _row(store().owner(given["username"])), 201


@room.delete(ORGANIZATION)
def delete_organization(name: str) -> tuple[str, int]:
    token = api_token("write:organization")
    if not may_write(token, store().owner(name)):
        raise Refused(403, "", "Must be an organization owner")
    store().remove_owner(name)
    return "", 204


def _row(owner: Owner) -> dict[str, Any]:
    return {"id": owner.id, "name": owner.name, "full_name": "", "username": owner.name}


def _organizations() -> list[Owner]:
    return [owner for owner in store().owners() if owner.is_organization]


def _check_admin() -> None:
    if api_token("read:admin").user not in store().admins:
        raise Refused(403, "", "user should be the site admin")
