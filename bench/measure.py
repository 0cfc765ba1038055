"""One measurement: a registry is filled, one contender empties it, and the proxy looks on."""

import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.proxy import far_away
from tests.sandbox import Pusher

ROOT = Path(__file__).resolve().parents[1]
CONTENDERS = ("loop", "measured", "unmeasured", "trash")  # the last: measured, with a trash
KEEP = 50  # versions that stay, of whatever number
IMAGE = "bench"


@dataclass(frozen=True)
class Server:
    """Where to measure: the sandbox or a running server."""

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


@dataclass(frozen=True)
class Result:
    """What one contender took."""

    seconds: float
    requests: Counter[str]
    refusals: int
    megabytes: float  # the most memory its process held


def fill(server: Server, case: Case) -> None:
    """Pushes the versions of a case."""
    if case.shape == "plain":
        for number in range(case.versions):
            server.pusher.image(IMAGE, f"t{number}", seed=number)
    else:
        for number in range(case.versions // 3):
            server.pusher.multiarch(IMAGE, f"t{number}", seed=number)
    server.wait()


def run(server: Server, case: Case, contender: str) -> Result:
    """Lets a contender delete all but the newest, as a process of its own."""
    keep = KEEP if case.shape == "plain" else KEEP // 3
    with far_away(server.url, case.latency) as proxy:
        if contender == "loop":
            arguments = [proxy.url, server.owner, server.token, IMAGE, str(KEEP)]
            command = [sys.executable, "-m", "bench.loop", *arguments]
        else:
            command = [sys.executable, "entrypoint.py", "--owner", server.owner]
            command += ["--package", IMAGE, "--keep-days", "0", "--keep-latest", str(keep)]
            command += [f"--measure-space={str(contender != 'unmeasured').lower()}"]
            command += ["--trash-days", "7"] if contender == "trash" else []
        env = dict(os.environ, GITEA_HOST=proxy.url, GITEA_TOKEN=server.token)
        begun = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        if process.returncode:
            raise SystemExit(f"{contender} failed on {case}")
        return Result(seconds, proxy.requests, proxy.refusals, _megabytes(usage))


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
