"""`make bench`: the program against the serial loop, case by case, in one run."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product

import click
import requests

from bench.measure import CONTENDERS, IMAGE, Case, Result, Server, run
from bench.page import COLUMNS, row, sentence, write
from tests.sandbox import Pusher, serve


@click.command()
@click.option("--sizes", default="650", help="Versions, comma separated.")
@click.option("--shapes", default="plain,multi")
@click.option("--latencies", default="0,25,100", help="Added to each request, in milliseconds.")
@click.option("--contenders", default=",".join(CONTENDERS))
@click.option("--url", help="A running server; else the sandbox.", envvar="GITEA_URL")
@click.option("--token", help="Of a user on it, with write:package.", envvar="GITEA_TOKEN")
@click.option("--runs-on", default="", help="What the server has, as in: SQLite, 2 cores.")
@click.option("--longest", default=2000, help="Most versions at which the loop runs with latency.")
@click.option("--page", is_flag=True, help="Write the server's part of bench/README.md.")
def main(
    sizes: str,
    shapes: str,
    latencies: str,
    contenders: str,
    url: str | None,
    token: str | None,
    runs_on: str,
    longest: int,
    page: bool,
) -> None:
    """Measures every case with every contender and prints ratios to the loop.

    With GITEA_URL and GITEA_TOKEN set, on that server; an image named `bench` there is emptied.
    """
    figures = product(sizes.split(","), shapes.split(","), latencies.split(","))
    cases = [Case(int(size), shape, int(latency) / 1000) for size, shape, latency in figures]
    results: list[tuple[Case, dict[str, Result]]] = []
    name = ""
    _print(COLUMNS)
    for case in cases:
        found: dict[str, Result] = {}
        for contender in contenders.split(","):
            if contender == "loop" and case.latency and case.versions > longest:
                continue
            with _server(url, token) as server:
                name = ", ".join(filter(None, (server.name, runs_on)))
                took = run(server, case, contender)
            found |= took
            for done in took:
                _print(row(case, done, found))
        for line in sentence(case, found, name):
            click.echo(line)
        results.append((case, found))
    if page:
        write(name, results, sys.argv[1:])


_ASKED = ("user", "version")


def _print(cells: Sequence[str]) -> None:
    click.echo("  ".join(f"{cell:>8}" for cell in cells))


@contextmanager
def _server(url: str | None, token: str | None) -> Iterator[Server]:
    """A server without the image: a new sandbox, or the running one with its leftovers removed."""
    if not url or not token:
        with serve() as box:
            box.store.now = datetime.now(UTC)  # a run believes no server with another clock

            def wait() -> None:
                box.store.now += timedelta(seconds=2)  # a whole second before the listing

            yield Server("the sandbox", box.url, box.owner, box.token, box.push, wait)
        return
    with requests.Session() as session:
        session.headers["Authorization"] = f"token {token}"
        user, about = (session.get(f"{url}/api/v1/{path}", timeout=60) for path in _ASKED)
        if not user.ok:
            raise click.ClickException(f"{url} answered {user.status_code}: is the token right?")
        owner, version = user.json()["login"], about.json()["version"]
        name = f"{'Forgejo' if '+gitea' in version else 'Gitea'} {version.partition('+')[0]}"
        api = f"{url}/api/v1/packages/{owner}"
        try:
            yield Server(name, url, owner, token, Pusher(url, owner, token, session))
        finally:
            while rows := session.get(f"{api}?type=container&q={IMAGE}", timeout=60).json():
                for version in rows:
                    session.delete(f"{api}/container/{IMAGE}/{version['version']}", timeout=60)


if __name__ == "__main__":
    main()
