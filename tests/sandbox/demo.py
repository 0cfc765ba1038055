"""`make demo`: a year of builds in the sandbox, cleaned up as a workflow would, then pulled."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sandbox.push import Pusher
from tests.sandbox.serve import Box, serve

ROOT = Path(__file__).resolve().parents[2]
WEEKS = 52
PINS = (10, 30, 50)  # the weeks whose builds went to production
INPUTS = {"PACKAGE": "app", "KEEP-DAYS": "90", "KEEP-LATEST": "6"}


def main() -> int:
    """Pushes, runs dry and for real, and pulls every tag that is left; 0 when all are whole."""
    with serve() as box, tempfile.TemporaryDirectory() as folder:
        print(f"A sandbox registry on {box.url}. Pushing a year of weekly builds to it ...")
        push_a_year(box)
        for dry_run in ("true", "false"):
            print(f"\n===== the action with dry-run: {dry_run} =====\n", flush=True)
            code = run_action(box, Path(folder), dry_run)
            if code:
                return code
        print("\n===== the job summary it wrote =====\n")
        print((Path(folder) / "summary-false.md").read_text(encoding="utf-8"))
        return pull(box)


def push_a_year(box: Box) -> None:
    """Weekly two-platform builds with pins, signatures, and builds made of tagged images."""
    pusher = Pusher(box.url, box.owner, box.token)
    start = datetime.now(UTC) - timedelta(weeks=WEEKS)
    for week in range(WEEKS):
        box.store.now = start + timedelta(weeks=week, days=3)
        index, children = pusher.multiarch("app", f"sha-{week:07x}", week)
        platforms = ("amd64", "arm64")
        pusher.index("app", "latest", zip(children, platforms, strict=True))
        if week in PINS:
            pusher.index("app", f"corpus-{week}", zip(children, platforms, strict=True))
        if week % 10 == 0:
            pusher.signature("app", index)
        if week % 25 == 1:
            for arch in platforms:
                pusher.image("app", f"v{week}-{arch}", seed=f"v{week}", arch=arch)
            pusher.manifest_create("app", f"v{week}", [f"v{week}-{arch}" for arch in platforms])
    box.store.now = datetime.now(UTC)


def run_action(box: Box, folder: Path, dry_run: str) -> int:
    """Starts the program as a runner does: settings in INPUT_*, results in files it names."""
    inputs = {f"INPUT_{name}": value for name, value in INPUTS.items()}
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("INPUT_", "GITHUB_"))}
    env = clean | inputs
    env |= {"INPUT_TOKEN": box.token, "INPUT_DRY-RUN": dry_run, "GITHUB_ACTIONS": "true"}
    env |= {"GITHUB_SERVER_URL": box.url, "GITHUB_REPOSITORY_OWNER": box.owner}
    env |= {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_WORKSPACE": str(folder)}
    env |= {"GITHUB_STEP_SUMMARY": str(folder / f"summary-{dry_run}.md")}
    command = [sys.executable, str(ROOT / "entrypoint.py")]
    return subprocess.run(command, env=env, check=False).returncode


def pull(box: Box) -> int:
    """Pulls every tag that is left, as a client would, and says whether each is whole."""
    pusher = Pusher(box.url, box.owner, box.token)
    tags = box.store.tags(box.owner, "app")
    broken = {tag: missing for tag in tags if (missing := pusher.missing("app", tag))}
    for tag, missing in broken.items():
        print(f"{tag} is BROKEN: {', '.join(missing)}")
    print(f"Pulled {len(tags)} kept tags: {len(tags) - len(broken)} whole, {len(broken)} broken.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
