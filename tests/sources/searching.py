"""Repositories of a sandbox, searched."""

from contextlib import nullcontext
from threading import Event
from typing import Any

import pytest

from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from registry_gc.sources.repositories import Unsearched, search
from registry_gc.sources.source import Found
from tests.harness import Time
from tests.sandbox import Box
from tests.sandbox.repositories import Repository

IMAGES = {"app": ("v1", "v2", "v3"), "web": ("v1", "v2")}
PIN = "image: git.example.org/acme/app:v1\n"


def add(
    box: Box, name: str, files: dict[str, str | bytes] | None = None, **about: Any
) -> Repository:
    """A repository `owner/name`; the owner is there already."""
    owner, _, name = name.partition("/")
    return box.store.forge.add(box.store.owner(owner), name, files, **about)


def searched(box: Box, *patterns: str, token: str = "", stop: Event | None = None) -> Found:
    """What the repositories that the patterns name use of IMAGES."""
    time = Time()
    transport = Transport(4, stop or Event(), time.wait, time.clock)
    client = Client(transport, box.url, "acme", token or box.token, 4)
    return search(client, patterns, IMAGES, lambda label, total: nullcontext(lambda: None))


def unsearched(box: Box, *patterns: str, **options: Any) -> str:
    """The error that such a search ends with."""
    with pytest.raises(Unsearched) as caught:
        searched(box, *patterns, **options)
    return str(caught.value)
