"""Every page's links lead somewhere, and what it shows can be copied and works."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from registry_gc import __version__
from registry_gc.main import main
from registry_gc.settings.inputs import INPUTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
# The program by any of its names, followed by options: installed, as a file, or in its image.
COMMAND = re.compile(r"^(?!kubectl).*?\bregistry-gc(?:\.pyz|:v[\d.]+)? +(--.*)$", re.MULTILINE)


def blocks(text: str, *languages: str) -> list[str]:
    """The code blocks of these languages, lines that go on joined."""
    found = re.findall(rf"```(?:{'|'.join(languages)})\n(.*?)```", text, re.DOTALL)
    return [block.replace("\\\n", " ") for block in found]


def anchors(path: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def calls() -> Iterator[tuple[Path, str, list[str]]]:
    """Each call of the program in any page but for help: the page, the block, the options."""
    for path, text in TEXTS.items():
        for block in blocks(text, "sh", "ini", "yaml"):
            found = [shlex.split(options) for options in COMMAND.findall(block)]
            if "kind: CronJob" in block:
                job = yaml.safe_load(block)["spec"]["jobTemplate"]["spec"]["template"]
                found.append(job["spec"]["containers"][0]["args"])
            yield from ((path, block, options) for options in found if "--help" not in options)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading_in_it(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if not target.startswith("https://"):
            name, _, anchor = target.partition("#")
            linked = page.parent / name if name else page
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page, text in TEXTS.items()
        for target in re.findall(r"\]\(([^)\s]+\.md)[^)]*\)", text)
    }
    assert {page for page in PAGES if page.name != "README.md"} <= linked


def test_every_command_is_understood() -> None:
    found = [options for _, _, options in calls()]
    assert len(found) >= 5
    for options in found:
        done = CliRunner().invoke(main, [*options, "--concurrency", "x"], env=dict(os.environ))
        assert done.exit_code == 2
        assert 'concurrency: "x" is not allowed' in done.output
        assert "No such option" not in done.output


def test_every_command_outside_a_job_says_which_server_and_whose_images() -> None:
    for _, block, options in calls():
        text = " ".join(options)
        assert "steps:" in block or "--server-url" in text or "GITEA_HOST=" in block, text
        assert "steps:" in block or "--owner" in text, text


def test_the_first_start_without_the_workflow_to_copy_is_a_dry_run() -> None:
    ways = [options for path, _, options in calls() if path.name in ("start.md", "ways.md")]
    assert len(ways) >= 5
    assert [options for options in ways if "--dry-run" not in " ".join(options)] == []


def test_a_dry_run_that_nobody_answered_is_the_default() -> None:
    """`--dry-run="$DRY_RUN"` on a schedule, where the event has no inputs."""
    for answer, is_understood in (("", True), ("true", True), ("false", True), ("x", False)):
        done = CliRunner().invoke(main, [f"--dry-run={answer}"], env={"GITEA_TOKEN": "abc"})
        assert done.exit_code == 2  # for the server is missing
        assert ("dry-run:" not in done.output) is is_understood


def test_what_pages_make_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for path, text in TEXTS.items():
        shown = [line for block in blocks(text, "sh") for line in block.splitlines()]
        shown += re.findall(r"`(make [^`]+)`", text)
        made = {word for line in shown for word in re.findall(r"^make ([a-z]+)", line)}
        assert made <= targets, path.name


def test_no_page_puts_a_token_on_a_command_line() -> None:
    assert not [options for _, _, options in calls() if "--token" in " ".join(options)]
    assert "token" in [declared.name for declared in INPUTS]


def test_the_version_that_pages_name_is_this_one() -> None:
    for path, text in TEXTS.items():
        named = set(re.findall(r"registry-gc(?::v|/releases/download/v|-)(\d+\.\d+\.\d+)", text))
        assert named <= {__version__}, path.name


def test_everything_in_yaml_can_be_read() -> None:
    for text in TEXTS.values():
        assert all(yaml.safe_load(block) for block in blocks(text, "yaml"))
