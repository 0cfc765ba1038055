"""The image of a release: built and pushed by a container engine for each platform, then joined."""

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/riscv64")
"""Those that the base has of these are built."""


def base() -> str:
    """The image that the Dockerfile builds on."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return next(line for line in text.splitlines() if line.startswith("ARG BASE="))[9:]


class Engine:
    """Docker, Podman, or what has their command line."""

    def __init__(self, program: str, base: str) -> None:
        self.program, self.base = program, base

    def call(self, *arguments: str, given: str | None = None) -> str:
        """What it prints. Raises CalledProcessError; it has said why itself."""
        command = [self.program, *arguments]
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def platforms(self) -> dict[str, str]:
        """Platform -> the base's own image of it, for those of ours that the base has."""
        parts = json.loads(self.call("manifest", "inspect", self.base))["manifests"]
        name = self.base.partition("@")[0]
        name = name[: name.rindex(":")] if ":" in name.rpartition("/")[2] else name
        named = {f"{p['platform']['os']}/{p['platform']['architecture']}": p for p in parts}
        return {p: f"{name}@{named[p]['digest']}" for p in PLATFORMS if p in named}

    def build(self, tag: str, target: str, builder: str, labels: dict[str, str]) -> None:
        """Builds for a platform; all that runs meanwhile is of the machine's own."""
        told = [word for key, text in labels.items() for word in ("--label", f"{key}={text}")]
        arguments = [f"BASE={self.base}", f"BUILDER={builder}"]
        given = [word for text in arguments for word in ("--build-arg", text)]
        self.call("build", "--pull", "--platform", target, *given, *told, "--tag", tag, str(ROOT))


def own_platform() -> str:
    """The platform of this machine, such as linux/amd64."""
    machine = platform.machine()
    return "linux/" + {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def join(
    session: requests.Session, url: str, name: str, parts: dict[str, str], tags: list[str]
) -> str:
    """Makes one image of those that were pushed for each platform, under each tag; its digest.

    `url` is the registry's root, `parts` platform -> tag. Raises HTTPError.
    """
    manifests = []
    for target, tag in parts.items():
        os_, _, architecture = target.partition("/")
        described = _describe(session, f"{url}/v2/{name}/manifests/{tag}", architecture)
        manifests.append(described | {"platform": {"os": os_, "architecture": architecture}})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    digest = ""
    for tag in tags:
        answer = session.put(
            f"{url}/v2/{name}/manifests/{tag}",
            data=json.dumps(index, indent=2).encode(),
            headers={"Content-Type": INDEX},
            timeout=60,
        )
        answer.raise_for_status()
        digest = answer.headers["Docker-Content-Digest"]
    return digest


def _describe(session: requests.Session, address: str, architecture: str) -> dict[str, Any]:
    """What an index says of an image; of an engine that pushed an index, of the image in it."""
    answer = session.get(address, headers={"Accept": ", ".join((*IMAGES, INDEX))}, timeout=60)
    answer.raise_for_status()
    media_type = answer.json()["mediaType"]
    if media_type in IMAGES:
        digest = answer.headers["Docker-Content-Digest"]
        return {"mediaType": media_type, "digest": digest, "size": len(answer.content)}
    inside = answer.json()["manifests"]
    part = next(p for p in inside if p.get("platform", {}).get("architecture") == architecture)
    return {key: part[key] for key in ("mediaType", "digest", "size")}
