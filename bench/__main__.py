"""`make bench`: the program against the serial loop, case by case, in one run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product

import click
import requests

from bench.measure import CONTENDERS, IMAGE, Case, Result, Server, fill, run
from bench.page import write
from tests.sandbox import Pusher, serve


@click.command()
@click.option("--sizes", default="200,2000,20000", help="Versions, comma separated.")
@click.option("--shapes", default="plain,multi")
@click.option("--latencies", default="0,25,100", help="Added to each request, in milliseconds.")
@click.option("--url", help="A running server; else the sandbox.", envvar="GITEA_URL")
@click.option("--token", help="Of a user on it, with write:package.", envvar="GITEA_TOKEN")
@click.option("--longest", default=2000, help="Most versions at which the loop runs with latency.")
@click.option("--page", is_flag=True, help="Write bench/README.md and its chart.")
def main(
    sizes: str,
    shapes: str,
    latencies: str,
    url: str | None,
    token: str | None,
    longest: int,
    page: bool,
) -> None:
    """Measures every case with every contender and prints ratios to the loop."""
    figures = product(sizes.split(","), shapes.split(","), latencies.split(","))
    cases = [Case(int(size), shape, int(latency) / 1000) for size, shape, latency in figures]
    results: list[tuple[Case, dict[str, Result]]] = []
    for case in cases:
        found: dict[str, Result] = {}
        for contender in CONTENDERS:
            if contender == "loop" and case.latency and case.versions > longest:
                continue
            with _server(url, token) as server:
                fill(server, case)
                found[contender] = run(server, case, contender)
            _print(case, contender, found)
        results.append((case, found))
    if page:
        write(results, sys.argv[1:])


@contextmanager
def _server(url: str | None, token: str | None) -> Iterator[Server]:
    """A server without the image: a new sandbox, or the running one with its leftovers removed."""
    if not url or not token:
        with serve() as box:
            box.store.now = datetime.now(UTC)  # a run believes no server with another clock

            def wait() -> None:
                box.store.now += timedelta(seconds=1)

            yield Server(box.url, box.owner, box.token, box.push, wait)
        return
    with requests.Session() as session:
        session.headers["Authorization"] = f"token {token}"
        owner = session.get(f"{url}/api/v1/user", timeout=60).json()["login"]
        api = f"{url}/api/v1/packages/{owner}"
        try:
            yield Server(url, owner, token, Pusher(url, owner, token))
        finally:
            while rows := session.get(f"{api}?type=container&q={IMAGE}", timeout=60).json():
                for row in rows:
                    session.delete(f"{api}/container/{IMAGE}/{row['version']}", timeout=60)


def _print(case: Case, contender: str, found: dict[str, Result]) -> None:
    result = found[contender]
    ratio = f"{found['loop'].seconds / result.seconds:5.2f}" if "loop" in found else "    -"
    counts = " ".join(f"{kind} {number}" for kind, number in sorted(result.requests.items()))
    click.echo(
        f"{case.versions:>6} {case.shape:<5} {case.latency * 1000:>4.0f} ms  {contender:<10} "
        f"{result.seconds:7.2f} s  {ratio} x  {result.megabytes:4.0f} MB  "
        f"5xx {result.refusals}  {counts}"
    )


if __name__ == "__main__":
    main()
