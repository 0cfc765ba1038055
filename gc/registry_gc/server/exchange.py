"""One request and its whole answer, in a thread that can be left behind when it takes too long."""

import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of an answer
_CHUNK = 65536
_SECOND = timedelta(seconds=1)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered, read to its end."""

    method: str
    """Of the request."""
    url: str
    """Of the request, its query included."""
    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """Their names are found in any case."""
    content: bytes
    """The body, unpacked."""
    took: timedelta
    """From sending the request until the headers were there."""

    @property
    def at(self) -> datetime:
        """The server's clock; the beginning of time when it does not tell: all may be newer."""
        try:
            at = parsedate_to_datetime(self.headers.get("Date", ""))
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            return datetime.min.replace(tzinfo=UTC)

    @property
    def asked_at(self) -> datetime:
        """A whole second of the server's clock that began before the server was asked."""
        try:
            return self.at + self.took // -_SECOND * _SECOND
        except OverflowError:
            return self.at

    @property
    def location(self) -> str | None:
        """Where a redirect leads; None when it is none."""
        return self.headers.get("Location") if self.status in _REDIRECTS else None


class TooLarge(Exception):
    """The body has more bytes than it may."""


class NoThread(Exception):
    """This machine lets no more threads start."""


class Session(requests.Session):
    """A session that follows no redirect, and does not read one's body to find out where to."""

    def __init__(self, user_agent: str, most: int) -> None:
        super().__init__()
        self.headers["User-Agent"] = user_agent
        adapter = _Adapter(pool_connections=2, pool_maxsize=most)
        self.mount("http://", adapter)
        self.mount("https://", adapter)
        self.idle: list[_Inbox] = []  # of threads that have nothing to do
        weakref.finalize(self, _dismiss, self.idle)

    def resolve_redirects(self, *_: Any, **__: Any) -> Any:
        """None."""
        return iter(())


class Exchange:
    """A request that is sent when it is started; `done` is set when there is an answer or none."""

    def __init__(self, session: Session, most: int, **request: Any) -> None:
        self._session, self.most, self._request = session, most, request
        self._outcome: Answer | BaseException = NoThread()
        self.done = Event()
        self.is_abandoned = False

    @property
    def url(self) -> str:
        """The address, without the parameters that are given apart."""
        return str(self._request["url"])

    def start(self) -> None:
        """Sends the request from another thread. Raises NoThread."""
        try:
            inbox = self._session.idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            try:
                Thread(target=_work, args=(inbox, self._session.idle), daemon=True).start()
            except RuntimeError as error:
                raise NoThread from error
        inbox.put(self)

    def abandon(self) -> None:
        """Nobody waits any more: what is not sent yet is not going to be."""
        self.is_abandoned = True

    def result(self) -> Answer:
        """The answer, once it is done; raises what requests raised, or TooLarge."""
        if isinstance(self._outcome, Answer):
            return self._outcome
        raise self._outcome

    def run(self) -> None:
        """Sends and reads, in the thread that this was started in."""
        try:
            if not self.is_abandoned:
                self._outcome = self._ask()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._outcome = error
        finally:
            self.done.set()

    def _ask(self) -> Answer:
        with self._session.request(
            **self._request, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as response:
            chunks, size = [], 0
            for chunk in response.iter_content(_CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                if size > self.most:
                    raise TooLarge
            return Answer(
                str(response.request.method),
                str(response.request.url),
                response.status_code,
                response.headers,
                b"".join(chunks),
                response.elapsed,
            )


_Inbox = SimpleQueue[Exchange | None]
_here = threading.local()  # .exchange: the one of this thread


def _work(inbox: _Inbox, idle: list[_Inbox]) -> None:
    while (exchange := inbox.get()) is not None:
        _here.exchange = exchange
        exchange.run()
        del exchange, _here.exchange
        idle.append(inbox)


def _dismiss(idle: list[_Inbox]) -> None:
    for inbox in idle:
        inbox.put(None)


def _still_wanted(connection: HTTPConnection) -> None:
    """What was given up while its connection was being made must not be sent late."""
    exchange = getattr(_here, "exchange", None)
    if exchange is not None and exchange.is_abandoned:
        connection.close()
        raise requests.ConnectionError("given up before it was sent")


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _still_wanted(self)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _still_wanted(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if isinstance(manager, ProxyManager):  # SOCKS has connections of its own
            _watch(manager)
        return manager


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
