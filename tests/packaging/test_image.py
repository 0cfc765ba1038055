"""The Dockerfile can be built by every runner, for every platform, and leaves nothing unneeded."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
STAGES = re.split(r"^FROM ", "\n".join(LINES), flags=re.MULTILINE)[1:]


def test_main_is_built_by_the_runner_itself() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert action["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_the_classic_builder_understands_it() -> None:
    assert not re.match(r"#\s*syntax", TEXT)
    assert not re.search(r"RUN --|<<|COPY (?!--from=)--|ADD ", TEXT)
    # Not every builder knows BUILDPLATFORM, and they disagree on what an empty platform is.
    assert "--platform" not in TEXT


def test_it_is_built_from_one_base_pinned_by_digest() -> None:
    assert re.fullmatch(r"ARG BASE=docker\.io/\S+:\S+@sha256:[0-9a-f]{64}", LINES[0])
    assert [stage.split("\n")[0] for stage in STAGES] == [
        "${BASE} AS base",
        "${BUILDER} AS build",
        "scratch",
    ]
    assert "ARG BUILDER=${BASE}" in LINES


def test_what_is_of_the_target_platform_is_copied_and_never_run() -> None:
    base, build, last = STAGES
    assert "RUN" in build
    assert "RUN" not in base + last


def test_it_installs_locked_wheels_without_what_is_compiled_in_them() -> None:
    install = next(line for line in LINES if line.startswith("RUN pip install"))
    for word in ("--require-hashes", "--only-binary :all:", "--no-deps", "'*.so' -delete"):
        assert word in install


def test_it_starts_the_program_without_a_shell_which_would_drop_inputs() -> None:
    assert LINES[-1] == 'ENTRYPOINT ["python", "/app/entrypoint.py"]'


def test_it_says_what_it_is_and_where_it_comes_from() -> None:
    for label in ("title", "description", "source", "licenses"):
        assert f"org.opencontainers.image.{label}=" in TEXT


def test_all_that_it_copies_is_sent_to_the_builder() -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(\S+)", TEXT, re.MULTILINE)
    assert copied
    assert {f"!{name}" for name in copied} <= set(allowed)


def test_renovate_renews_the_base_and_the_actions() -> None:
    config = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))
    assert {"dockerfile", "github-actions"} <= set(config["enabledManagers"])
