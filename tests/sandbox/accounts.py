"""Owners, renamed owners and tokens of the sandbox."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from .manifests import Refused
from .rows import Owner, Token


class Accounts:
    """Who there is; safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forget_accounts()

    def _forget_accounts(self) -> None:
        self.admins: set[str] = set()
        self.tokens: dict[str, Token] = {}
        self._owners: dict[str, Owner] = {}
        self._renamed: dict[str, str] = {}

    def add_owner(
        self,
        name: str,
        members: Iterable[str] = (),
        public: bool = True,
        readers: Iterable[str] = (),
    ) -> None:
        """A user (who may write to itself), or with members or readers an organisation."""
        with self._lock:
            within = set(map(str.lower, members)), set(map(str.lower, readers))
            self._owners[name.lower()] = Owner(
                len(self._owners) + 1,
                name,
                {name.lower(), *within[0]},
                public,
                within[1],
                is_organization=any(within),
            )

    def remove_owner(self, name: str) -> None:
        with self._lock:
            del self._owners[self.owner(name).name.lower()]

    def rename_owner(self, old: str, new: str) -> None:
        """From now on requests to the old name are answered with 307."""
        with self._lock:
            owner = self._owners.pop(old.lower())
            owner.name = new
            owner.members.add(new.lower())
            self._owners[new.lower()] = owner
            self._renamed[old.lower()] = new

    def add_token(self, user: str, *scopes: str) -> str:
        """A new token, e.g. `add_token("acme", "write:package")`; the job token is one of a
        user that is nobody's member."""
        with self._lock:
            value = f"{len(self.tokens) + 0xA11CE:040x}"
            self.tokens[value] = Token(user, frozenset(scopes))
            return value

    def owner(self, name: str) -> Owner:
        with self._lock:
            if name.lower() not in self._owners:
                raise Refused(404, "", f"user redirect does not exist [name: {name}]")
            return self._owners[name.lower()]

    def owners(self) -> list[Owner]:
        """All of them, by name."""
        with self._lock:
            return [self._owners[name] for name in sorted(self._owners)]

    def is_owner(self, name: str) -> bool:
        return name.lower() in self._owners

    def renamed(self, name: str) -> str | None:
        return self._renamed.get(name.lower())
