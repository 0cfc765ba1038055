"""Whatever bytes a person or a runner passes: a sentence, no traceback, and no token."""

import os
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.main import main
from registry_gc.settings.inputs import INPUTS
from tests.program import ORIGINAL, environment, inputs, outputs, start
from tests.sandbox import Box

OPTIONS = [f"--{declared.name}" for declared in INPUTS if declared.name != "token"]


@pytest.mark.parametrize(
    "text", [b"caf\xe9", b"\xff", b"a\x1b[2Jb", b"\xed\xa0\x80", b"\xe2\x80\xae\xff"]
)
@pytest.mark.parametrize("name", ["report", "package", "owner", "server-url", "keep-days"])
def test_bytes_that_are_no_text_get_a_sentence(
    filled: Box, tmp_path: Path, name: str, text: bytes
) -> None:
    env = {os.fsencode(key): os.fsencode(value) for key, value in inputs(filled, tmp_path).items()}
    given = {b"INPUT_" + name.upper().encode(): text}
    if name in ("report", "owner"):
        rest = [] if name == "owner" else ["--owner=acme"]
        option = b"--" + name.encode() + b"=" + text
        done = start("--package=app", *rest, option, env=environment(filled))
    else:
        done = start(env=env | given)
    assert (done.returncode, filled.faults.log) == (2, [])
    assert f"registry-gc: {name}: " in done.stderr
    assert {file.name for file in tmp_path.iterdir()} <= {"output"}  # which says how it ended


def test_a_token_of_bytes_is_a_sentence(filled: Box) -> None:
    done = start(*ORIGINAL, env=environment(filled, GITEA_TOKEN="\udcff-not-a-token", CI="true"))
    assert (done.returncode, filled.faults.log) == (2, [])
    env = environment(filled, GITEA_TOKEN="", GITHUB_ACTIONS="true")
    done = start(*ORIGINAL, env=env | {"INPUT_TOKEN": "\udcff"})
    assert (done.returncode, "copy it again" in done.stderr) == (2, True)


def test_a_workspace_whose_name_is_no_text_is_one(filled: Box, tmp_path: Path) -> None:
    """A report goes there, and its path is an output, byte for byte."""
    folder = tmp_path / "\udcff"
    folder.mkdir()
    done = start(env=inputs(filled, folder, report="gc.json"))
    assert done.returncode == 0
    assert outputs(folder)["report"] == str(folder / "gc.json")


@pytest.mark.parametrize("form", ["{}", "--{}", "--keep-days{}", "--report={}", "--{}=x"])
def test_a_token_on_the_command_line_is_not_shown(filled: Box, form: str) -> None:
    for text in (filled.token, f"{filled.token[:9]}\n{filled.token[9:]}"):
        done = start(*ORIGINAL, form.format(text), env=environment(filled))
        assert (done.returncode, filled.faults.log) == (2, [])
        assert filled.token[9:] not in done.stdout + done.stderr


VARIABLES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from((*OPTIONS, "--", "-", "=", "--dry-run=", "\ud800", "\x00", "*" * 70_000)),
    st.builds("{}={}".format, st.sampled_from(OPTIONS), st.text(max_size=20)),
)


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=5), st.dictionaries(st.sampled_from(OPTIONS), VARIABLES))
def test_no_command_line_ends_in_a_traceback(arguments: list[str], given: dict[str, str]) -> None:
    env = {f"INPUT_{name[2:].upper()}": text for name, text in given.items()}
    # Without an address nothing can be sent.
    env |= {"GITEA_TOKEN": "f00dfeed5ec7e7", "INPUT_SERVER-URL": "none"}
    nowhere = [text for text in arguments if not text.startswith("--server-url")]
    done = CliRunner().invoke(main, nowhere, env=env)
    assert done.exit_code == 2 or "--help" in arguments
    assert isinstance(done.exception, SystemExit | None)


def test_a_thousand_random_bytes_are_a_sentence(filled: Box) -> None:
    noise = random.Random(1).randbytes(1000).replace(b"\0", b"")
    done = start(*ORIGINAL, b"--protect=" + noise, env=environment(filled))
    assert (done.returncode, filled.faults.log) == (2, [])
    assert len(done.stderr) < 1000
