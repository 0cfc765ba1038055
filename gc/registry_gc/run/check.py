"""Before anything is decided: may the token delete, and what time is it?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from registry_gc.errors import Denied, RegistryGcError
from registry_gc.registry.listing import Listing
from registry_gc.report.report import Problem
from registry_gc.server import packages, token
from registry_gc.server.client import Client

MOST_APART = timedelta(hours=1)  # a listing takes minutes, and clocks that are kept agree


class WrongClock(RegistryGcError):
    """Ages cannot be told: the clocks of this machine and of the server do not agree."""

    @classmethod
    def apart(cls, here: datetime, there: datetime) -> "WrongClock":
        """Both clocks, of which one is wrong."""
        return cls(
            f"This machine's clock says {here:%Y-%m-%d %H:%M:%S} UTC, and the server's "
            f"{there:%Y-%m-%d %H:%M:%S} UTC. While they are more than an hour apart, ages cannot "
            "be told, and nothing is deleted. Set the wrong one right; is the server's right, "
            "does a proxy answer from a cache?"
        )

    @classmethod
    def untold(cls) -> "WrongClock":
        """An answer without a Date that can be read."""
        return cls(
            "The server does not tell its time (its answers have no Date header), so this "
            "machine's clock cannot be checked: a wrong one would make young tags old. Nothing is "
            "deleted. Let the proxy before it pass the header Date."
        )


def may_delete(client: Client, is_dry_run: bool) -> list[Problem]:
    """Warns in a dry run, and raises Denied in a real one, when the token has not the scope."""
    scopes = token.scopes(client)
    right = packages.right(client, "delete")
    if scopes is None or {"all", right.scope} & set(scopes):
        return []
    denied = Denied.without_scope(scopes, right, client.server_url)
    if not is_dry_run:
        raise denied
    return [Problem(str(denied), is_error=False)]


def moment(now: datetime, listings: Sequence[Listing]) -> datetime:
    """What ages are counted from: `now`, the clock here, or the server's when that is earlier.

    The server tells its time in the Date header of every answer (RFC 9110; Go's server sends it).
    Counting from the earlier of the two keeps what only one of them calls old; so does a proxy
    that answers with an old Date. Raises WrongClock when they are more than an hour apart, and
    when the server does not tell: a clock that is ahead deletes what is young.
    """
    there = listings[0].at
    if there == datetime.min.replace(tzinfo=UTC):
        raise WrongClock.untold()
    if abs(now - there) > MOST_APART:
        raise WrongClock.apart(now, there)
    return min(now, there)
