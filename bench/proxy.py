"""A proxy on loopback that makes a server look far away, and counts what goes through it.

As over a network, a connection costs one round trip before its first request, and each request one.
"""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

KINDS = (
    ("look", re.compile(rb"GET /\S*api/v1/packages/[^/?]+\?(\S*&)?limit=1[& ]")),
    ("list", re.compile(rb"GET /\S*api/v1/packages/[^/?]+\?")),
    ("files", re.compile(rb"GET /\S+/files[ ?]")),
    ("token", re.compile(rb"GET /v2/token")),
    ("tags", re.compile(rb"GET /v2/\S+/tags/list")),
    ("manifest", re.compile(rb"GET /v2/")),
    ("head", re.compile(rb"HEAD /v2/")),
    ("put", re.compile(rb"PUT /v2/")),
    ("delete", re.compile(rb"DELETE ")),
)


@dataclass
class Proxy:
    """`url` answers as the server does, `latency` seconds later."""

    url: str
    latency: float
    requests: Counter[str] = field(default_factory=Counter)  # by kind
    refusals: int = 0  # answers of 500 and above


@contextmanager
def far_away(server_url: str, latency: float) -> Iterator[Proxy]:
    """A proxy for the length of a with block."""
    target = urlsplit(server_url)
    loop = asyncio.new_event_loop()
    proxy = Proxy("", latency)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(latency)
            there = await asyncio.open_connection(target.hostname, target.port)
            await asyncio.gather(
                _pump(reader, there[1], latency, lambda data: _count(proxy, data)),
                _pump(there[0], writer, 0, lambda data: _look(proxy, data)),
            )
        except OSError:
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", 0))
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        for task in asyncio.all_tasks(loop):
            loop.call_soon_threadsafe(task.cancel)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))


async def _pump(reader, writer, latency, seen) -> None:  # type: ignore[no-untyped-def]
    while data := await reader.read(65536):
        seen(data)
        if latency:
            await asyncio.sleep(latency)
        writer.write(data)
        await writer.drain()
    writer.close()


def _count(proxy: Proxy, data: bytes) -> None:
    kind = next((name for name, pattern in KINDS if pattern.match(data)), None)
    if kind:
        proxy.requests[kind] += 1


def _look(proxy: Proxy, data: bytes) -> None:
    proxy.refusals += data.startswith(b"HTTP/1.1 5")
