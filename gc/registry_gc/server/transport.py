"""HTTP itself: one session, tries and the waits between them, and as many at once as serve."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, NewConnectionError
from urllib3.util import Retry

from registry_gc import __version__
from registry_gc.errors import NoAnswer, RegistryGcError, Stop, TooSlow, WrongAnswer
from registry_gc.server.exchange import TIMEOUT, Answer, Exchange, NoThread, Session, TooLarge
from registry_gc.server.pace import Overloaded, Pace
from registry_gc.server.patience import Patience

USER_AGENT = f"registry-gc/{__version__} (+https://gitea.com/registry-gc/registry-gc)"
LONGEST_ANSWER = 60.0  # seconds from the begin of a request to the last byte of its answer
LARGEST_ANSWER = 32 << 20  # bytes; a page of 1,000 versions of a linked image has some 8 MiB
LONGEST_WAIT = 30.0  # seconds before one retry, whatever Retry-After says
GLANCE = 0.5  # seconds until a wait for an answer sees that the run is over
RETRY = Retry(
    total=12,
    status_forcelist=(429, 500, 502, 503, 504),
    backoff_factor=0.1,
    backoff_max=10,
    backoff_jitter=0.2,
)
Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]
_SAFE = ("GET", "HEAD")  # change nothing, however often they are sent


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries."""

    content: bytes
    """As it is sent."""
    media_type: str
    """Its Content-Type."""


class Transport:
    """Sends requests for a run, tries again what may pass, and gives up within bounds.

    Nothing is sent once `stop` is set or the server was silent too long (see Patience).
    `wait`, `clock` and `wait_for` stand in for time in tests.
    """

    def __init__(
        self,
        concurrency: int,
        stop: Event,
        wait: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait_for: Callable[[Event, float], bool] = Event.wait,
    ) -> None:
        self._wait, self._clock, self._wait_for = wait or stop.wait, clock, wait_for
        self._pace, self._patience = Pace(concurrency, clock), Patience(stop, clock)
        self._session = Session(USER_AGENT, concurrency)

    def send(
        self,
        method: str,
        url: str,
        kind: str,
        auth: Auth,
        parameters: Mapping[str, str | int] | None = None,
        *,
        body: Body | None = None,
        most: int = LARGEST_ANSWER,
        look: Callable[[], object] | None = None,
        is_look: bool = False,
        before: Callable[[], object] | None = None,
    ) -> Answer:
        """The answer, of whatever status but those of RETRY; redirects are not followed.

        A GET and a HEAD are tried again. Anything else is sent once, for what it starts on the
        server goes on when the answer is lost. With `look` it is tried again too: where it may
        have been done, `look` is called first, and raises what there is to raise when it was. A
        request that is such a look (`is_look`) may still be sent in the grace that the end of a
        run leaves. `before` is called each time right before it is sent, and what that raises is
        raised, with the last failure as a note.

        Raises Interrupted and TooSlow when the run is over before it was sent, NoAnswer when there
        is none, or only refusals, in as many tries as RETRY and the patience allow, and
        WrongAnswer for one of more than `most` bytes.
        """
        request, failure = f"{method} {_place(url)}", None
        retry, was_sent = RETRY if method in _SAFE or look else Retry(0), False
        options: dict[str, Any] = {"method": method, "url": url, "params": parameters, "auth": auth}
        if body:
            options |= {"data": body.content, "headers": {"Content-Type": body.media_type}}
        with self._patience.waiting():
            while True:
                try:
                    exchange = Exchange(self._session, most, **options)
                    check = partial(_call, before, failure)
                    return self._try(exchange, kind, request, is_look, check)
                except _Passing as passing:
                    failure = passing
                except Stop as end:
                    if was_sent:
                        raise NoAnswer.at_the_end(request, str(failure)) from None
                    if failure and isinstance(end, TooSlow):
                        raise self._given_up(retry, request, failure) from None
                    raise
                self._patience.failed(str(failure))
                was_sent = was_sent or (failure.was_sent and method not in _SAFE)
                if self._patience.end() is None:
                    retry = self._next(retry, request, failure)
                elif is_look:
                    raise NoAnswer.at_the_end(request, str(failure))
                if failure.was_sent and look:
                    _look(look, request, failure)

    def _try(
        self,
        exchange: Exchange,
        kind: str,
        request: str,
        is_look: bool,
        before: Callable[[], object],
    ) -> Answer:
        """The answer, when there is one to use. Raises _Passing, and what `send` raises."""
        with self._pace.slot(kind):
            self._patience.check(is_look)  # here, for it may have waited for its turn
            before()
            try:
                answer = self._answer(exchange)
            except NoThread:
                raise _Passing("this machine lets no more threads start", was_sent=False) from None
            except TooLarge:
                raise WrongAnswer.too_large(request, exchange.most) from None
            except _PASSING as error:
                raise _Passing(_cause(error), was_sent=not _is_unsent(error)) from None
            except (OSError, ValueError, HTTPError) as error:
                # Nothing that passes: a name no server has, or a CA bundle that is not there.
                text = str(error).replace(exchange.url, _place(exchange.url))
                raise NoAnswer.for_good(request, text) from None
            if answer.status in RETRY.status_forcelist:
                # 429 alone is sure not to have been passed on: proxies answer 503 for much.
                raise _Passing(
                    f"the server answered {answer.status}",
                    was_sent=answer.status != 429,
                    retry_after=answer.headers.get("Retry-After"),
                )
            self._patience.answered()
            return answer

    def _answer(self, exchange: Exchange) -> Answer:
        """What the exchange brings, if it does so in time. Raises _Passing, and what it raises."""
        begun = self._clock()
        exchange.start()
        while not self._wait_for(exchange.done, GLANCE):
            end, took = self._patience.end(), self._clock() - begun
            if took >= LONGEST_ANSWER or (end is not None and self._clock() >= end):
                exchange.abandon()
                raise _Passing(f"no answer within {took:.0f} s", was_sent=True)
        return exchange.result()

    def _next(self, retry: Retry, request: str, failure: "_Passing") -> Retry:
        """Waits before the next try. Raises NoAnswer when there shall be none."""
        if not retry.total or self._patience.is_out():
            raise self._given_up(retry, request, failure)
        retry = retry.increment()
        asked = _seconds(retry, failure.retry_after) or retry.get_backoff_time()
        self._wait(min(asked, LONGEST_WAIT))
        return retry

    def _given_up(self, retry: Retry, request: str, failure: "_Passing") -> NoAnswer:
        is_first = not self._patience.has_answered
        return NoAnswer.after(request, len(retry.history) + 1, str(failure), is_first)


class _Passing(Overloaded):
    """A failure that the next try may not meet."""

    def __init__(self, text: str, was_sent: bool, retry_after: str | None = None) -> None:
        super().__init__(text)
        self.was_sent, self.retry_after = was_sent, retry_after


# What may go better the next time; the last two are raised when a body is cut.
_PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


def _call(before: Callable[[], object] | None, failure: _Passing | None) -> None:
    """Calls what is to be called before a request is sent, or sent again after a failure."""
    try:
        if before:
            before()
    except RegistryGcError as error:
        if failure:
            error.add_note(str(failure))
        raise


def _look(look: Callable[[], object], request: str, failure: _Passing) -> None:
    """Whatever ends the run meanwhile, the request itself has no answer."""
    try:
        look()
    except Stop as error:
        raise NoAnswer.at_the_end(request, str(failure)) from error


def _is_unsent(error: requests.RequestException) -> bool:
    """Whether there was not even a connection to send it on."""
    inner = error.args[0] if error.args else None
    is_refused = isinstance(getattr(inner, "reason", None), NewConnectionError)
    return is_refused or isinstance(error, requests.ConnectTimeout)


def _place(url: str) -> str:
    """The address without its query, which may hold a signature of the storage."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _cause(error: requests.RequestException) -> str:
    """What went wrong with a connection, without the wrapping of two libraries."""
    if isinstance(error, requests.exceptions.SSLError):
        return (
            "its certificate is not trusted here; for a private CA set REQUESTS_CA_BUNDLE to the "
            "CA's file"
        )
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {TIMEOUT[0]} s"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT[1]} s"
    inner = error.args[0] if error.args else error
    text = str(getattr(inner, "reason", inner) or type(error).__name__)
    return f"the connection failed ({text.rpartition(': ')[2][:200]})"


def _seconds(retry: Retry, retry_after: str | None) -> float | None:
    """What a Retry-After header asks for; None when it cannot be understood."""
    try:
        return None if retry_after is None else retry.parse_retry_after(retry_after)
    except (InvalidHeader, ValueError, OverflowError):
        return None
