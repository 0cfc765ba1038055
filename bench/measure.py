"""One measurement: a registry is filled, one contender empties it, and the proxy looks on."""

import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.proxy import Proxy, far_away
from tests.sandbox import Pusher

ROOT = Path(__file__).resolve().parents[1]
KEEP = 50  # versions that stay, of whatever number
WEEK = 20  # versions that are new and that go in the second week
IMAGE = "bench"
PUSHERS = 4  # at once

# What each is run with; the loop is another program. All but KEEP versions go, but for the weeks.
CONTENDERS: dict[str, tuple[str, ...]] = {
    "loop": (),
    "measured": (),
    "unmeasured": ("--measure-space=false",),
    "trash": ("--trash-days=7",),
    "weeks": ("--cache=cache.json",),
}


@dataclass(frozen=True)
class Server:
    """Where to measure: the sandbox or a running server."""

    name: str
    url: str
    owner: str
    token: str
    pusher: Pusher
    wait: Callable[[], object] = lambda: None  # for the next second, when all is pushed


@dataclass(frozen=True)
class Case:
    """What is measured."""

    versions: int
    shape: str  # plain: every version a tag; multi: a tag and its two platforms
    latency: float  # seconds added to each request

    @property
    def each(self) -> int:
        """Versions that one build has."""
        return 1 if self.shape == "plain" else 3


@dataclass(frozen=True)
class Result:
    """What one contender took."""

    seconds: float
    requests: Counter[str]
    refusals: int
    megabytes: float  # the most memory its process held


def fill(server: Server, case: Case, first: int, count: int) -> None:
    """Pushes so many builds of a case, from a number on."""
    push = server.pusher.image if case.each == 1 else server.pusher.multiarch
    with ThreadPoolExecutor(PUSHERS) as pool:
        for done in [pool.submit(push, IMAGE, f"t{n}", n) for n in range(first, first + count)]:
            done.result()
    server.wait()


def run(server: Server, case: Case, contender: str) -> dict[str, Result]:
    """Fills the registry and lets a contender delete what is old; what it took, by name.

    `weeks` runs twice with a cache, the second time with a few new builds and as many that go.
    """
    builds, keep = case.versions // case.each, KEEP // case.each
    with far_away(server.url, case.latency) as proxy, TemporaryDirectory() as folder:

        def took(keep: int) -> Result:
            return _process(_command(server, proxy.url, contender, keep), proxy, server, folder)

        fill(server, case, 0, builds)
        if contender != "weeks":
            return {contender: took(KEEP if contender == "loop" else keep)}
        new = WEEK // case.each
        first = took(builds - new)
        fill(server, case, builds, new)
        return {"first week": first, "second week": took(builds - new)}


def _command(server: Server, url: str, contender: str, keep: int) -> list[str]:
    if contender == "loop":
        script, arguments = ROOT / "bench" / "loop.py", [url, server.owner, server.token, IMAGE]
        return [sys.executable, str(script), *arguments, str(keep)]
    command = [sys.executable, str(ROOT / "entrypoint.py"), "--owner", server.owner]
    command += ["--package", IMAGE, "--keep-days", "0", "--keep-latest", str(keep)]
    return command + list(CONTENDERS[contender])


def _process(command: list[str], proxy: Proxy, server: Server, folder: str) -> Result:
    env = dict(os.environ, GITEA_HOST=proxy.url, GITEA_TOKEN=server.token)
    proxy.requests, proxy.refusals = Counter(), 0
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed".replace(server.token, "***"))
    return Result(seconds, proxy.requests, proxy.refusals, _megabytes(usage))


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
