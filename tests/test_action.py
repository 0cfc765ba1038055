"""action.yml, the README, the workflows and the command line say what the program does."""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from registry_gc import __version__
from registry_gc.main import main
from registry_gc.report import outputs
from registry_gc.settings.inputs import INPUTS, Input
from registry_gc.settings.load import load
from tests.report.samples import nothing_to_do

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".gitea" / "workflows").glob("*.yml"))
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")))
EXAMPLES = {path.name: path.read_text(encoding="utf-8") for path in (*PAGES, *WORKFLOWS)}
NAMES = [declared.name for declared in INPUTS]
REQUIRED = {"token": "abc", "server-url": "https://git.example.org", "owner": "acme"}

POLICY_PAGE = ROOT / "docs" / "policy-file.md"


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the reference."""
    section = REFERENCE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in row.strip("| ").split(" |")] for row in rows]


def snippets(language: str) -> list[str]:
    """The pages' code blocks of a language; those of the policy file have tests of their own."""
    texts = [path.read_text(encoding="utf-8") for path in PAGES if path != POLICY_PAGE]
    return re.findall(rf"```{language}\n(.*?)```", "\n".join(texts), re.DOTALL)


(POLICY_FILE,) = re.findall(r"```yaml\n(.*?)```", POLICY_PAGE.read_text("utf-8"), re.DOTALL)


def steps_in(document: Any) -> list[dict[str, Any]]:
    """Every step of a workflow, or of a piece of one."""
    if isinstance(document, list):
        return [step for part in document for step in steps_in(part)]
    if isinstance(document, dict):
        own = [document] if {"uses", "run", "with"} & set(document) else []
        return own + [step for part in document.values() for step in steps_in(part)]
    return []


@pytest.mark.parametrize("declared", INPUTS, ids=NAMES)
def test_the_command_line_says_of_an_input_what_action_yml_does(declared: Input) -> None:
    """In the first sentence: the others are of defaults, and of each one's own."""
    texts = (ACTION["inputs"][declared.name]["description"], declared.help)
    first, second = (text.split(". ")[0].removesuffix(".") for text in texts)
    assert first == second


def test_action_declares_each_input_once_and_in_order() -> None:
    assert list(ACTION["inputs"]) == NAMES


@pytest.mark.parametrize("declared", INPUTS, ids=NAMES)
def test_action_and_code_agree_on_an_input(declared: Any) -> None:
    described = ACTION["inputs"][declared.name]
    # What is given wins over a policy file, and a default that the runner passes looks given.
    assert described.get("default", "") == ""
    # What has a stand-in, or may be said in a policy file, need not be given.
    assert described.get("required", False) == (declared.name == "token")
    told = f" Default: {declared.default}."
    assert described["description"].endswith(told if declared.default else ".")


def test_the_reference_lists_the_inputs_with_their_defaults() -> None:
    cells = table("Inputs")
    assert [row[0].strip("`") for row in cells] == NAMES
    for row, declared in zip(cells, INPUTS, strict=True):
        if declared.default:
            assert row[1] == f"`{declared.default}`"


def test_the_readme_says_what_stays_by_default() -> None:
    defaults = {declared.name: declared.default for declared in INPUTS}
    newest = {"6": "six"}[defaults["keep-latest"]]
    said = f"the {newest} newest builds, and all younger than {defaults['keep-days']} days"
    assert f"it keeps `latest`, {said}" in EXAMPLES["README.md"]
    assert "latest" in defaults["protect"]


def test_reference_action_and_code_list_the_same_outputs() -> None:
    listed = [row[0].strip("`") for row in table("Outputs")]
    assert listed == list(ACTION["outputs"])
    settings = load({}, {f"INPUT_{k.upper()}": v for k, v in REQUIRED.items()} | PACKAGE)
    assert list(outputs.outputs(nothing_to_do(), settings, "")) == listed


PACKAGE = {"INPUT_PACKAGE": "app"}


def test_command_line_has_an_option_for_every_input_but_the_token() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert [name for name in NAMES if f"--{name} " not in shown] == ["token"]
    assert "GITEA_TOKEN" in shown


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_use_inputs_and_values_that_exist(path: Path) -> None:
    check_uses(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("snippet", snippets("yaml"))
def test_snippets_use_inputs_and_values_that_exist(snippet: str) -> None:
    uses = check_uses(yaml.safe_load(snippet))
    assert uses or not re.search(r"uses: \S*registry-gc", snippet)


def check_uses(document: Any) -> int:
    """Loads the settings of every use of this action; the number of uses."""
    uses = 0
    for step in steps_in(document):
        used = str(step.get("uses", "./"))
        if "with" in step and (used == "./" or "registry-gc" in used):
            given = {name: str(value) for name, value in step["with"].items()}
            assert set(given) <= set(NAMES)
            # The runner puts in what an expression gives; here it is nothing, so the default.
            values = {k: re.sub(r"\$\{\{.*?\}\}", "", v) for k, v in given.items()}
            values = REQUIRED | {k: v for k, v in values.items() if v}
            values["dry-run"] = values.get("dry-run", "").lower()
            with TemporaryDirectory() as folder:
                if "policy-file" in values:
                    place = Path(folder) / values["policy-file"]
                    place.parent.mkdir()
                    place.write_text(POLICY_FILE, encoding="utf-8")
                else:
                    values.setdefault("package", "app")
                env = {f"INPUT_{name.upper()}": value for name, value in values.items()}
                load({}, env, Path(folder))
            uses += 1
    return uses


def test_no_example_trusts_a_ticked_box_to_arrive() -> None:
    """Runners before 2.1.0 turn it into false in `inputs.dry-run`, not in the event's."""
    for name, text in EXAMPLES.items():
        expressions = re.findall(r"\$\{\{(.*?)\}\}", text)
        boxes = [x.strip() for x in expressions if re.search(r"inputs\.dry.?run", x)]
        assert set(boxes) <= {"github.event.inputs.dry-run"}, name
    for name in ("README.md", "recipes.md"):  # recipes leave it out, and say so
        assert "dry-run: ${{ github.event.inputs.dry-run }}" in EXAMPLES[name]


def test_no_example_starts_itself_by_its_deletions() -> None:
    documents = [yaml.safe_load(text) for text in snippets("yaml")]
    documents += [yaml.safe_load(path.read_text(encoding="utf-8")) for path in WORKFLOWS]
    started = [document.get("on", document.get(True)) for document in documents]
    by_packages = [on["registry_package"] for on in started if "registry_package" in (on or ())]
    assert by_packages
    assert all(on == {"types": ["published"]} for on in by_packages)


def test_every_example_uses_the_same_action() -> None:
    used = set(re.findall(r"uses: (https://\S*registry-gc\S*)", "\n".join(snippets("yaml"))))
    assert used == {"https://gitea.com/registry-gc/registry-gc@v1"}


def test_no_example_deletes_for_a_pull_request_of_a_fork() -> None:
    documents = [yaml.safe_load(text) for text in snippets("yaml")]
    started = [d for d in documents if "pull_request" in (d.get("on", d.get(True)) or ())]
    assert started
    is_own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert {job["if"] for d in started for job in d["jobs"].values()} == {is_own}


def test_every_action_is_named_with_its_host() -> None:
    """Without one Gitea fetches it from github.com and Forgejo from data.forgejo.org."""
    for name, text in EXAMPLES.items():
        for used in re.findall(r"\buses: ([^\s`]+)", text):
            assert used == "./" or re.match(r"(https|docker)://\w", used), name


def test_workflows_pin_every_action_by_commit_with_its_version_beside_it() -> None:
    for path in WORKFLOWS:
        for line in re.findall(r"uses: (https.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"https://\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), path.name


def test_workflows_use_this_checkout_as_the_action() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS}
    assert set(texts) == {"publish.yml", "registry-gc.yml", "release.yml", "test.yml"}
    assert all("uses: ./" in texts[name] for name in ("publish.yml", "registry-gc.yml"))
    assert "make test" in texts["test.yml"]


def test_entrypoint_starts_without_an_installed_package() -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("INPUT_", "GITHUB_"))}
    command = [sys.executable, str(ROOT / "entrypoint.py"), "--version"]
    shown = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert __version__ in shown.stdout


def test_changelog_has_a_section_for_this_version() -> None:
    assert f"## {__version__} (" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_locked_requirement_has_a_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        pins = [line for line in text.splitlines() if re.match(r"\w", line)]
        assert pins
        assert all("--hash=sha256:" in line for line in pins)
