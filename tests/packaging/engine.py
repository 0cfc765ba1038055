"""Stands in for Docker: pushes the sandbox's images, and runs the program of this checkout.

It is started as a program of its own; ENGINE_LOG is the file in which it writes down its calls.
"""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = ["linux/amd64", "linux/arm64", "linux/s390x"]


def main(arguments: list[str]) -> int:
    with Path(os.environ["ENGINE_LOG"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(arguments) + "\n")
    match arguments:
        case ["manifest", "inspect", _]:
            print(json.dumps({"manifests": [_described(text) for text in PLATFORMS]}))
        case ["push", name]:
            from tests.sandbox import Pusher  # noqa: PLC0415 - the other calls need not wait for it

            address, _, tag = name.rpartition(":")
            host, owner, image = address.split("/")
            token = os.environ["RELEASE_TOKEN"]
            Pusher(f"http://{host}", owner, token).image(image, tag, tag, tag.rpartition("-")[2])
        case ["run", *_] if "BROKEN" in os.environ:
            print("I did what I was told.")
        case ["run", *rest]:
            given = [text for word, text in pairwise(rest) if word == "--env"]
            env = dict(text.split("=", 1) for text in given)
            command = [sys.executable, str(ROOT / "entrypoint.py")]
            return subprocess.run(command, env=env, check=False).returncode
    return 0


def _described(text: str) -> dict[str, object]:
    os_, _, architecture = text.partition("/")
    digest = "sha256:" + architecture.ljust(64, "0").encode().hex()[:64]
    return {"digest": digest, "platform": {"os": os_, "architecture": architecture}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
