"""`make demo`: a year of builds in the sandbox, cleaned up as a workflow would, then pulled."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .page import page
from .push import Pusher
from .serve import Box, serve
from .weekly import Weekly

ROOT = Path(__file__).resolve().parents[2]
YEAR = Weekly(60, pins=(8, 28, 48))
INPUTS = {"PACKAGE": "app", "KEEP-DAYS": "60", "KEEP-LATEST": "6"}
FEW = 2  # lines shown of many that begin alike


def main() -> int:
    """Pushes, runs dry and for real, and pulls every tag that is left; 0 when all are whole."""
    folder = Path(tempfile.mkdtemp(prefix="registry-gc-demo-"))
    log = folder / "log.txt"
    with serve() as box:
        screen("1. A year of weekly builds is pushed to a registry of its own")
        push_a_year(box)
        screen("2. What would go: the action with dry-run: true")
        dry = run_action(box, folder, "true")
        print("\n".join(excerpt(dry.stdout)))
        screen("3. The real run, and every tag that is left pulled whole")
        real = run_action(box, folder, "false")
        print(real.stdout.rpartition("\n\n")[2].partition("Freed space is")[0])
        code = pull(box)
    log.write_text(dry.stdout + real.stdout, "utf-8")
    summary = folder / "summary.html"
    summary.write_text(page((folder / "summary-false.md").read_text("utf-8")), "utf-8")
    print(f"\nThe job summary as a page:  {summary.as_uri()}\nThe whole log of both runs: {log}")
    return dry.returncode or real.returncode or code


def screen(title: str) -> None:
    """A line that begins one."""
    print(f"\n===== {title} =====\n", flush=True)


def push_a_year(box: Box) -> None:
    """Pushes the builds, each at its time, and says what is there then."""
    now = datetime.now(UTC)

    def before(week: int) -> None:
        box.store.now = now - timedelta(weeks=YEAR.weeks - week, days=-2)

    YEAR.push(box.push, "app", before)
    box.store.now = now
    names = list(box.store.versions("app", box.owner))
    untagged = sum(":" in name for name in names)
    signatures = sum(name.endswith(".sig") for name in names)
    parts = sum(YEAR.is_of_parts(week) for week in range(YEAR.weeks))
    pins = ", ".join(f"corpus-{week}" for week in YEAR.pins)
    print(f"{YEAR.weeks} builds of app for amd64 and arm64, pushed to {box.url}:")
    print("  names      sha-000 to sha-059; latest, which moves along")
    print(f"  pins       {pins}: these builds went to production")
    print(f"  made of    untagged images, as buildx does; {parts} of tagged ones, such as sha-059,")
    print("             which is made of sha-059-amd64 and sha-059-arm64")
    print(f"  signed     {signatures} of them")
    print(f"  in all     {len(names)} versions, {untagged} of which have no tag")
    print(f"\nSettings: {', '.join(f'{key.lower()}: {value}' for key, value in INPUTS.items())}")


def run_action(box: Box, folder: Path, dry_run: str) -> subprocess.CompletedProcess[str]:
    """Starts the program as a runner does: settings in INPUT_*, results in files it names."""
    inputs = {f"INPUT_{name}": value for name, value in INPUTS.items()}
    ours = ("INPUT_", "GITHUB_", "GITEA_", "FORGEJO_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | inputs
    env |= {"INPUT_TOKEN": box.token, "INPUT_DRY-RUN": dry_run, "GITHUB_ACTIONS": "true"}
    env |= {"GITHUB_SERVER_URL": box.url, "GITHUB_REPOSITORY_OWNER": box.owner}
    env |= {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_WORKSPACE": str(folder)}
    env |= {"GITHUB_STEP_SUMMARY": str(folder / f"summary-{dry_run}.md"), "PYTHONUTF8": "1"}
    command = [sys.executable, str(ROOT / "entrypoint.py")]
    return subprocess.run(command, env=env, stdout=subprocess.PIPE, encoding="utf-8", check=False)


def excerpt(log: str) -> Iterator[str]:
    """What a screen has room for: of the builds that go the first few, no settings, no sermon."""
    lines = [line for line in log.splitlines() if not line.startswith(("::add-mask", "::endgroup"))]
    start = next((n for n, line in enumerate(lines) if line.startswith("::group::")), 0)
    going = 0
    for line in lines[start:]:
        going = going + 1 if line.startswith("DEL ") else 0
        if going <= FEW and not line.startswith(("Freed space is", "The run's page")):
            yield line.removeprefix("::group::")
        elif going == FEW + 1:
            yield "DEL   ... and so on, in the whole log"


def pull(box: Box) -> int:
    """Pulls every tag that is left, as a client would, and says whether each is whole."""
    pusher = Pusher(box.url, box.owner, box.token)
    tags = box.store.tags(box.owner, "app")
    broken = {tag: missing for tag in tags if (missing := pusher.missing("app", tag))}
    for tag, missing in broken.items():
        print(f"{tag} is BROKEN: {', '.join(missing)}")
    signatures = sum(tag.endswith(".sig") for tag in tags)
    names = ", ".join(sorted(tag for tag in tags if not tag.endswith(".sig")))
    print(f"Left: {names}, and {signatures} signatures.")
    print(f"Pulled {len(tags)} kept tags: {len(tags) - len(broken)} whole, {len(broken)} broken.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
