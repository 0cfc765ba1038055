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
COMMAND = re.compile(r"^(?!kubectl).*?\bregistry-gc(?:\.pyz|:v[\d.]+)? (--.*)$", re.MULTILINE)


def blocks(text: str, *languages: str) -> list[str]:
    """The code blocks of these languages, lines that go on joined."""
    found = re.findall(rf"```(?:{'|'.join(languages)})\n(.*?)```", text, re.DOTALL)
    return [block.replace("\\\n", " ") for block in found]


def anchors(path: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def commands() -> Iterator[list[str]]:
    """The options of each call of the program in any page."""
    for text in TEXTS.values():
        for block in blocks(text, "sh", "ini", "yaml"):
            yield from (shlex.split(found) for found in COMMAND.findall(block))
            if "kind: CronJob" in block:
                job = yaml.safe_load(block)["spec"]["jobTemplate"]["spec"]["template"]
                yield job["spec"]["containers"][0]["args"]


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
    found = list(commands())
    assert len(found) >= 5
    for arguments in found:
        if "--help" not in arguments:
            env = dict(os.environ)
            done = CliRunner().invoke(main, [*arguments, "--concurrency", "x"], env=env)
            assert done.exit_code == 2
            assert 'concurrency: "x" is not allowed' in done.output
            assert "No such option" not in done.output


def test_what_pages_make_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for path, text in TEXTS.items():
        shown = [line for block in blocks(text, "sh") for line in block.splitlines()]
        shown += re.findall(r"`(make [^`]+)`", text)
        made = {word for line in shown for word in re.findall(r"^make ([a-z]+)", line)}
        assert made <= targets, path.name


def test_no_page_puts_a_token_on_a_command_line() -> None:
    assert not [arguments for arguments in commands() if "--token" in " ".join(arguments)]
    assert "token" in [declared.name for declared in INPUTS]


def test_the_version_that_pages_name_is_this_one() -> None:
    for path, text in TEXTS.items():
        named = set(re.findall(r"registry-gc(?::v|/releases/download/v|-)(\d+\.\d+\.\d+)", text))
        assert named <= {__version__}, path.name


def test_everything_in_yaml_can_be_read() -> None:
    for text in TEXTS.values():
        assert all(yaml.safe_load(block) for block in blocks(text, "yaml"))
