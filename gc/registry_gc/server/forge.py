"""The forge's addresses: owners, and repositories with branches, git tags and pull requests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from registry_gc.errors import Denied, Gone, RegistryGcError, Right, WrongAnswer
from registry_gc.server.client import Client, Parameters
from registry_gc.server.exchange import Answer

TRIES = 3
LIMIT = 1000  # rows of a page; the server caps it, at 50 by default


class Unreadable(RegistryGcError):
    """A repository, or a listing of them, that could not be read, and what to change."""

    @classmethod
    def missing(cls, what: str, hint: str) -> "Unreadable":
        """404, which the server also answers for what the token's user may not see."""
        return cls(f"{what} could not be read (404): {hint}")

    @classmethod
    def too_large(cls, name: str, sha: str, size: object) -> "Unreadable":
        """A file of which the server gives no content."""
        return cls(
            f"{name} has a file of {size} bytes ({sha}) whose content the server does not give: "
            "its setting DEFAULT_MAX_BLOB_SIZE is lower than 10 MiB."
        )

    @classmethod
    def incomplete(cls, what: str, seen: int, total: int) -> "Unreadable":
        """Fewer rows than the server counts: hidden ones, or others while it was listed."""
        return cls(
            f"{what}: {seen} of {total} could be seen. Let the token's user read all of them (the "
            "token may not be limited to public ones), or name those to look at without wildcards."
        )


class Forbidden(Unreadable):
    """401 or 403: the token, or its user, may not."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the server names it."""

    name: str
    """`my-org/deploy`"""
    branch: str
    """Its default branch."""
    is_empty: bool
    """Nothing was ever pushed to it."""


def repository(client: Client, name: str) -> Repository:
    """One repository: GET /repos/{owner}/{repo}, 301 when it was renamed."""
    return _repository(client, client.json(get(client, name, "", "repository")))


def repositories_of(client: Client, owner: str) -> list[Repository]:
    """All of an owner, archived ones too: GET /users/{owner}/repos, of organisations as well.

    X-Total-Count counts those that the token's user does not see (1.25.4, 1.26.2; a token limited
    to public ones excepted from 1.26 on), so that hidden ones raise Unreadable.
    """
    right = Right(
        f"list the repositories of {owner}",
        "read:repository and read:user",
        "repository: read, user: read",
        "a user who may read them",
    )
    path, what = f"/users/{quote(owner, safe='')}/repos", f"The repositories of {owner}"
    try:
        rows, _ = _all(client, path, "repositories", right, {}, what)
    except Gone as error:
        raise Unreadable.missing(what, f"there is no user or organisation {owner}.") from error
    return [_repository(client, row) for row in rows]


def repositories(client: Client) -> list[Repository]:
    """All that the token's user sees on the server: GET /repos/search."""
    right = Right(
        "list repositories", "read:repository", "repository: read", "a user who may read them"
    )
    parameters = {"sort": "id", "order": "asc"}
    rows, _ = _all(client, "/repos/search", "repositories", right, parameters, "The repositories")
    return [_repository(client, row) for row in rows]


def all_owners(client: Client) -> list[str]:
    """Every user and organisation of the server: GET /admin/users, /admin/orgs (1.21 to main).

    Raises Forbidden unless the token is a site admin's and has the scope read:admin.
    """
    right = Right("list all owners", "read:admin", "admin: read", "a site admin of this server")
    users, _ = _all(client, "/admin/users", "owners", right, {}, "The users")
    organizations, _ = _all(client, "/admin/orgs", "owners", right, {}, "The organisations")
    return [*_names(client, users, "login"), *_names(client, organizations, "name")]


def own_owners(client: Client) -> list[str]:
    """The token's user and the organisations it is in: GET /user, /user/orgs (1.21 to main).

    What it may do there they do not tell. Raises Forbidden without the scopes.
    """
    right = Right(
        "list its organisations",
        "read:user and read:organization",
        "user: read, organization: read",
        "anyone; of a site admin it may have read:admin instead, and lists all owners",
    )
    try:
        user = client.json(client.api("GET", "/user", "owners", right))
    except Denied as error:
        raise Forbidden(str(error)) from error
    organizations, _ = _all(client, "/user/orgs", "owners", right, {}, "Its organisations")
    return [*_names(client, [user], "login"), *_names(client, organizations, "name")]


def _names(client: Client, rows: Iterable[dict[str, Any]], key: str) -> list[str]:
    try:
        return [str(row[key]) for row in rows]
    except (TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def refs(client: Client, name: str, under: str) -> tuple[list[str], datetime]:
    """The names of a repository's refs, `refs/heads/main`, and the server's clock at that moment.

    Of all kinds where `under` is "", with `heads` those of branches alone.

    GET /repos/{owner}/{repo}/git/refs[/{under}] has all on one page: 1,000 in 0.1 s, where
    /branches and /tags take 20 requests and 1.5 s (1.25.4). It is 404 where there is none.
    """
    answer = get(client, name, f"/git/refs/{under}".rstrip("/"), "refs")
    try:
        return [str(row["ref"]) for row in client.json(answer)], answer.at
    except (TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def open_pulls(client: Client, name: str) -> tuple[list[int], datetime]:
    """The numbers of a repository's open pull requests, those of forks too, and since when.

    That is the server's clock when their listing began.

    GET /repos/{owner}/{repo}/pulls?state=open; oldest first, for new ones come during a listing.
    It is 404 where pull requests are turned off, on mirrors and on empty repositories.
    """
    parameters = {"state": "open", "sort": "oldest"}
    what = f"The open pull requests of {name}"
    try:
        rows, at = _all(client, f"{_path(name)}/pulls", "pulls", _right(name), parameters, what)
        return [int(row["number"]) for row in rows], at
    except Gone as error:
        hint = "are pull requests on there, and may the token's user see them?"
        raise Unreadable.missing(what, hint) from error
    except (ValueError, TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def get(client: Client, name: str, rest: str, kind: str, **parameters: str | int) -> Answer:
    """The answer of GET /repos/{owner}/{repo}{rest}. Raises Unreadable for 401, 403 and 404."""
    try:
        return client.api("GET", f"{_path(name)}{rest}", kind, _right(name), parameters)
    except Gone as error:
        hint = "is the name right, is something in it, and may the token's user read its code?"
        raise Unreadable.missing(name, hint) from error
    except Denied as error:
        raise Unreadable(str(error)) from error


def _all(
    client: Client, path: str, kind: str, right: Right, parameters: Parameters, what: str
) -> tuple[list[dict[str, Any]], datetime]:
    """Every row of a listing, by id, and the server's clock when it began.

    Unreadable is raised when it never was as long as the server said.
    """
    for _ in range(TRIES):
        moments = []
        rows: dict[int, dict[str, Any]] = {}
        totals, number, is_new = set(), 1, True
        while is_new:
            asked = {**parameters, "page": number, "limit": LIMIT}
            page, total, at = _page(client, path, kind, right, asked)
            moments.append(at)
            is_new = not page.keys() <= rows.keys()
            rows |= page
            totals.add(total)
            number += 1
        if totals == {len(rows)}:
            return list(rows.values()), moments[0]
    raise Unreadable.incomplete(what, len(rows), total)


def _page(
    client: Client, path: str, kind: str, right: Right, parameters: Parameters
) -> tuple[dict[int, dict[str, Any]], int, datetime]:
    """The rows of a page by their id, the number of all, and when; past the end it is empty."""
    try:
        response = client.api("GET", path, kind, right, parameters)
    except Denied as error:
        raise Forbidden(str(error)) from error
    body = client.json(response)
    try:
        rows = body["data"] if isinstance(body, dict) else body
        total = int(response.headers["X-Total-Count"])
        return {int(row["id"]): row for row in rows}, total, response.at
    except (ValueError, TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def _repository(client: Client, row: Any) -> Repository:
    try:
        name, branch, is_empty = row["full_name"], row["default_branch"], row["empty"]
        _path(name)
        return Repository(name, str(branch), bool(is_empty))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def _path(name: str) -> str:
    owner, repo = name.split("/")
    return f"/repos/{quote(owner, safe='')}/{quote(repo, safe='')}"


def _right(name: str) -> Right:
    return Right(
        f"read {name}", "read:repository", "repository: read", "a user who may read its code"
    )
