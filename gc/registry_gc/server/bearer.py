"""The token that /v2 itself gives, in the place of the user's."""

from collections.abc import Callable
from threading import Lock

from registry_gc.server.told import told


class Bearer:
    """A token of /v2, asked for once, before the second request that it serves: it costs one.

    With a personal access token each request writes to the database when it was used last; with
    the token that GET /v2/token gives for it, of the same user and scopes and for 24 hours, none
    does (1.21 to main). Where there is none, or it is refused, the user's own serves as before.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._text: str | None = None
        self._is_first = True
        self.may_delete = True
        """Whether the server has not refused it for a deletion."""

    def get(self, ask: Callable[[], object]) -> str:
        """The token, or "" when there is none. `ask` gives the JSON of GET /v2/token.

        Raises what ends the run.
        """
        with self._lock:
            if self._text is None and not self._is_first:
                self._text = _asked(ask)
            self._is_first = False
            return self._text or ""

    def refused(self) -> None:
        """It is not used any more."""
        with self._lock:
            self._text = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return (self._text,) if self._text else ()


def _asked(ask: Callable[[], object]) -> str:
    token = told(ask).get("token")
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""
