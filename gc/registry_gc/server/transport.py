"""HTTP itself: one session, time-outs, retries, and a bounded number of requests in flight."""

import time
from collections.abc import Callable, Mapping
from threading import Event
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from registry_gc import __version__
from registry_gc.errors import Interrupted, NoAnswer
from registry_gc.server.pace import Pace

USER_AGENT = f"registry-gc/{__version__} (+https://gitea.com/registry-gc/registry-gc)"
TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of an answer
LONGEST_WAIT = 30.0  # seconds before one retry, whatever Retry-After says
PATIENCE = 120.0  # seconds without any success after which nothing is tried again
FIRST_PATIENCE = 5.0  # the same before the first success: then the address is probably wrong
RETRY = Retry(
    total=12,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,  # DELETE too: an answer that was lost is asked for again, 404 is success
    backoff_factor=0.1,
    backoff_max=10,
    backoff_jitter=0.2,
)
Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


class Transport:
    """Sends requests for a run, tries again what may pass, and gives up within bounds.

    No request begins once `stop` is set. `wait` and `clock` stand in for time in tests.
    """

    def __init__(
        self,
        concurrency: int,
        stop: Event,
        wait: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop, self._wait, self._clock = stop, wait or stop.wait, clock
        self._pace = Pace(concurrency, clock)
        self._last_success, self._has_succeeded = clock(), False
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=concurrency)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(
        self,
        method: str,
        url: str,
        kind: str,
        auth: Auth,
        parameters: Mapping[str, str | int] | None = None,
    ) -> requests.Response:
        """The answer, of whatever status but those of RETRY; redirects are not followed.

        A POST is sent once: what it starts on the server goes on when the answer is late.

        Raises Interrupted after stop, and NoAnswer when there is no answer, or only
        refusals, in as many tries as RETRY and the patience allow.
        """
        retry, is_last = Retry(0) if method == "POST" else RETRY, False
        while not is_last:
            response = None
            try:
                with self._pace.slot(kind):
                    if self._stop.is_set():  # looked at here, for it may have waited for its turn
                        if not (method == "DELETE" and retry.history):
                            raise Interrupted
                        is_last = True  # it was in flight: one more try tells what became of it
                    response = self._session.request(
                        method,
                        url,
                        params=parameters,
                        auth=auth,
                        timeout=TIMEOUT,
                        allow_redirects=False,
                    )
                    if response.status_code in RETRY.status_forcelist:
                        raise _Busy(f"the server answered {response.status_code}")
            except _Busy as error:
                failure = str(error)
            except _PASSING as error:
                failure = _cause(error)
            except (OSError, ValueError, HTTPError) as error:
                # Nothing that passes: a name no server has, or a CA bundle that is not there.
                text = str(error).replace(url, _place(url))
                raise NoAnswer.for_good(f"{method} {_place(url)}", text) from None
            else:
                self._last_success, self._has_succeeded = self._clock(), True
                return response
            self._pace.refused()
            retry = self._after(retry, method, url, response, failure)
        raise NoAnswer.at_the_end(f"{method} {_place(url)}", failure)

    def _after(
        self,
        retry: Retry,
        method: str,
        url: str,
        response: requests.Response | None,
        failure: str,
    ) -> Retry:
        """Waits before the next try. Raises NoAnswer when there shall be none."""
        tries = len(retry.history) + 1
        patience = PATIENCE if self._has_succeeded else FIRST_PATIENCE
        try:
            retry = retry.increment(method, url, error=NoAnswer(failure))
        except MaxRetryError:
            patience = 0.0
        if self._clock() - self._last_success >= patience:
            request, is_first = f"{method} {_place(url)}", not self._has_succeeded
            raise NoAnswer.after(request, tries, failure, is_first)
        asked = _retry_after(retry, response) or retry.get_backoff_time()
        self._wait(min(asked, LONGEST_WAIT))
        return retry


class _Busy(Exception):
    """A status that may pass."""


# What may go better the next time; the last two are raised when a body is cut.
_PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


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


def _retry_after(retry: Retry, response: requests.Response | None) -> float | None:
    if response is None:
        return None
    try:
        return retry.get_retry_after(response.raw)
    except (InvalidHeader, ValueError, OverflowError):
        return None
