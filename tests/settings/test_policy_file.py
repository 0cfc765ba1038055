"""A policy file says what inputs say, also by image; what is wrong in it is told with its line."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc.errors import UsageError
from registry_gc.settings.inputs import Settings
from registry_gc.settings.load import load
from registry_gc.settings.parse import Limit, Policy
from registry_gc.settings.policy_file import FILE_INPUTS, IMAGE_INPUTS

NAME = "gc.yml"
TOKEN = "f00dfeed5ec7e7f00dfeed5ec7e7f00dfeed5ec7"
REQUIRED = {"token": TOKEN, "server-url": "https://git.example.org", "owner": "acme"}


def loaded(folder: Path, text: str, **inputs: str) -> Settings:
    """The settings with this file in a workspace, and these inputs."""
    (folder / NAME).write_text(text, encoding="utf-8")
    given = REQUIRED | {"package": "app", "policy-file": NAME}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    return load({}, {f"INPUT_{name.upper()}": value for name, value in given.items()}, folder)


def problems(folder: Path, text: str, **inputs: str) -> list[str]:
    """What is wrong, without the file's name."""
    with pytest.raises(UsageError) as caught:
        loaded(folder, text, **inputs)
    return [message.removeprefix(f"{NAME}:") for message in caught.value.problems]


def test_it_says_what_inputs_say(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        r"""
keep-latest: 3
keep-days: "30"
keep-weekly: 4
protect: [latest, 1.10, 2024-10-01, "*-lts", no]
protect-from: deploy/*.yaml, compose.yaml
max-delete: 60%
dry-run: true
measure-space: false
report: out/gc.json
policies:
  - tags: v*
    group-by: minor
    order: version
    keep-latest: 2
  - tags: ["pr-*", MAIN-*]
    group-by: (.*)-\d{1,4}
    keep-days: 7
""",
    )
    assert settings.keep_latest == 3
    assert (settings.keep_days, settings.keep_untagged_days) == (30, 30)
    assert settings.default_policy == Policy((), 3, 30, keep_weekly=4)
    assert settings.protect == ("latest", "1.10", "2024-10-01", "*-lts", "no")
    assert settings.protect_from == ("deploy/*.yaml", "compose.yaml")
    assert settings.max_delete == Limit(60, True)
    assert (settings.dry_run, settings.measure_space) == (True, False)
    assert settings.report == "out/gc.json"
    assert settings.policies == (
        Policy(("v*",), 2, 0, group_by="minor", by_version=True),
        Policy(("pr-*", "main-*"), 0, 7, group_by=r"(.*)-\d{1,4}"),
    )


def test_an_input_wins_over_the_file_and_that_over_what_stands_in(tmp_path: Path) -> None:
    text = "owner: other\nkeep-days: 1\nprotect: [mine]\npackage: [web]\n"
    settings = loaded(tmp_path, text, keep_days="5", owner="", package="")
    assert (settings.owner, settings.keep_days) == ("other", 5)
    assert (settings.protect, settings.package) == (("mine",), ("web",))
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    env = {"GITEA_TOKEN": TOKEN, "GITEA_HOST": "https://x.example", "GITHUB_REPOSITORY_OWNER": "me"}
    assert load({"policy_file": NAME}, env, tmp_path).owner == "other"
    assert load({"policy_file": NAME, "owner": "you"}, env, tmp_path).owner == "you"


IMAGES = """
keep-days: 90
keep-latest: 4
images:
  - match: [app, "team/*"]
    keep-latest: 20
    policies:
      - tags: [v*]
        keep-latest: 2
  - match: cache-*
    keep-days: 0
    protect: []
  - match: "*"
    keep-untagged-days: 1
    repository: acme/all
"""


def test_the_first_entry_that_fits_an_image_holds(tmp_path: Path) -> None:
    settings = loaded(tmp_path, IMAGES)

    def figures(image: str) -> tuple[int, int, int]:
        own = settings.for_image(image)
        return own.keep_latest, own.keep_days, own.keep_untagged_days

    assert figures("app") == figures("team/web") == figures("Team/Web") == (20, 90, 90)
    assert figures("cache-go") == (4, 0, 0)
    assert figures("other") == (4, 90, 1)
    assert settings.for_image("app").policies == (Policy(("v*",), 2, 0),)
    assert settings.for_image("cache-go").policies == ()
    assert settings.for_image("cache-go").protect == ()
    assert settings.for_image("app").protect == ("latest", "corpus-*")
    assert settings.for_image("other").repository == "acme/all"
    assert settings.keep_latest == 4


def test_an_input_wins_over_the_entries_too(tmp_path: Path) -> None:
    settings = loaded(tmp_path, IMAGES, keep_latest="7", keep_days="3")
    own = [settings.for_image(image) for image in ("app", "cache-go", "other")]
    assert [(s.keep_latest, s.keep_days) for s in own] == [(7, 3)] * 3


def test_the_report_shows_what_was_written_by_image(tmp_path: Path) -> None:
    shown = loaded(tmp_path, IMAGES).public()
    assert shown["images"][1] == {"match": ("cache-*",), "keep-days": 0, "protect": ()}
    assert "images" not in loaded(tmp_path, "keep-days: 90").public()


def test_anchors_aliases_and_merge_keys_are_yamls_own(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
images:
  - &base
    match: [a]
    keep-latest: 1
    keep-days: 2
    policies: &both [{tags: [v*], keep-latest: 9}]
  - <<: *base
    match: [b]
    keep-days: 5
  - match: [c]
    policies: *both
  - <<: [{keep-latest: 8}, *base]
    match: [d]
""",
    )
    own = {image: settings.for_image(image) for image in "abcd"}
    assert {i: (s.keep_latest, s.keep_days) for i, s in own.items()} == {
        "a": (1, 2),
        "b": (1, 5),
        "c": (6, 180),
        "d": (8, 2),
    }
    assert own["c"].policies == own["b"].policies == (Policy(("v*",), 9, 0),)


def test_everything_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """
keep-latst: 3
keep-days: ten
token: abc
server-url: https://elsewhere.example
policy-file: other.yml
match: [a]
dry-run: [true]
protect:
  a: b
keep-days: 4
nonsense: 1
policies:
  - tags: [v*]
    keep-lates: 2
    keep-days: -1
    order: date
  - keep-latest: 1
  - v*
  - tags: [x]
    group-by: (a)(b)
images:
  - keep-latest: 1
    package: [x]
  - match: [b]
    keep-daily:
    Keep_Weekly: 1
  - match: []
  - just text
"""
    found = problems(tmp_path, text, max_delete="most")
    lines = [*range(2, 10), 11, 12, *range(15, 20), 21, 23, 24, *range(26, 30)]
    assert [int(message.partition(":")[0]) for message in found[:-1]] == lines
    assert found[-1].startswith('max-delete: "most" ')
    message = "\n".join(found)
    for part in (
        "2: keep-latst: there is no such setting. Did you mean keep-latest?",
        '3: keep-days: "ten" is not allowed: a whole number from 0 to 999999.',
        "4: token: must not stand in a file",
        "5: server-url: is an input only",
        "6: policy-file: is an input only",
        "7: match: stands in the entries of images only.",
        "8: dry-run: is a list, and takes one value.",
        "9: protect: has keys below it, and takes a value.",
        "11: keep-days: is there twice, first in line 3.",
        "12: nonsense: there is no such setting.\n",
        "15: keep-lates: a policy has no such key. Did you mean keep-latest?",
        '16: keep-days: "-1" is not allowed',
        '17: order: "date" is not allowed: version',
        "18: policies: names no tags: add tags=PATTERN.",
        "19: policies: each should be keys and values: begin with `- tags:`.",
        '21: group-by: "(a)(b)" is neither major nor minor',
        "23: match: is missing: say which images this entry is for.",
        "24: package: is a setting of the whole run: put it above images.",
        "26: keep-daily: says nothing: give it a value, or take the line out.",
        "27: Keep_Weekly: there is no such setting. Did you mean keep-weekly?",
        "28: match: names nothing: put one into its list at least.",
        "29: should be settings, one a line, such as keep-latest: 6.",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keep-days: 1\n\tkeep-latest: 2\n", "2: has a tab where YAML wants spaces"),
        ("images:\n\t- match: a\n", "2: has a tab where YAML wants spaces"),
        ("protect: [a, b\nkeep-days: 3\n", "2: is no YAML: expected ',' or ']'"),
        ("a: b: c\n", "1: is no YAML: mapping values are not allowed here."),
        (
            "protect: *-lts\n",
            "1: is no YAML: found undefined alias '-lts'. Put a value that begins",
        ),
        (
            "protect: @x\n",
            "Put a value that begins with a special character, such as *, in quotes.",
        ),
        ("keep-days: 1\n---\nkeep-days: 2\n", "2: is no YAML: but found another document."),
        ("keep-days: \x01\n", "1: is no YAML: unacceptable character"),
        ("[" * 3000, "1: is nested too deeply."),
        ("{<<: " * 400 + "}" * 400, "1: is nested too deeply."),
        ('keep-days: 1\nprotect: "\\U00110000"\n', "2: is no YAML that can be read, here or"),
        ('protect:\n- "\\UFFFFFFFF"\n', "2: is no YAML that can be read, here or"),
        (f"%YAML 1.{'9' * 5000}\n---\nkeep-days: 1\n", "1: is no YAML that can be read, here or"),
        ("%YAML 1.9\n---\nkeep-days: 1\n", "1: is no YAML that can be read, here or"),
        ("- keep-days: 1\n", "1: should be settings, one a line"),
        ("just text\n", "1: should be settings, one a line"),
        ("protect: !include other.yml\n", "1: has the tag !include: only plain values"),
        (
            "protect: !!python/object/apply:os.system [ls]\n",
            "1: has the tag tag:yaml.org,2002:pyth",
        ),
        ("? [a]\n: 1\n", "1: has a key that is no word."),
        ("<<: 3\n", "1: << takes keys with their values, or a list of such."),
        ("protect: [a, [b]]\n", "1: protect: has something in its list that is no text."),
        ("protect: [a, ~]\n", "1: protect: has something in its list that is no text."),
        ("protect: ''\n", "1: protect: says nothing"),
        ("protect: [a b]\n", '1: protect: "a b" has a space inside'),
        ("images: {match: a}\n", "1: images: should be a list: begin each entry with `- match:`."),
        ("policies:\n- {tags: ['{pull}*']}\n", '2: policies: takes with "{pull}*" tags'),
        ("keep-days: 00x7\n", '1: keep-days: "00x7" is not allowed'),
        ("keep-days: 1e3\n", '1: keep-days: "1e3" is not allowed'),
        ("dry-run: yes\n", '1: dry-run: "yes" is not allowed: true or false.'),
    ],
)
def test_what_is_no_settings_is_told(tmp_path: Path, text: str, message: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(message) or message in found


@pytest.mark.parametrize("blank", ["", "''", '" "', '"\\n"', "|+\n\n\n", '"\\u3000\\t"'])
@pytest.mark.parametrize("name", FILE_INPUTS)
def test_a_blank_value_says_nothing_whatever_the_setting(
    tmp_path: Path, name: str, blank: str
) -> None:
    """Not even that the policies above are to be none for an image."""
    nothing = f"{name}: says nothing: give it a value, or take the line out."
    assert problems(tmp_path, f"# blank\n{name}: {blank}\n") == [f"2: {nothing}"]
    if name in IMAGE_INPUTS:
        text = f"images:\n- match: a\n  {name}: {blank}\n"
        assert problems(tmp_path, text) == [f"3: {nothing}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images:\n- match: ' '\n", "2: match: says nothing"),
        ("policies:\n- tags: ' '\n", "2: tags: says nothing"),
        ("policies:\n- tags: v*\n  group-by: ' '\n", "3: group-by: says nothing"),
    ],
)
def test_a_blank_pattern_says_nothing(tmp_path: Path, text: str, message: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(message)


def test_package_may_be_said_in_the_file_and_is_not_missed_where_that_is_wrong(
    tmp_path: Path,
) -> None:
    assert loaded(tmp_path, "package: [App, web-*]", package="").package == ("app", "web-*")
    assert problems(tmp_path, "package: [a b]", package="") == [
        '1: package: "a b" has a space inside "a b": separate patterns by commas or lines.'
    ]
    assert len(problems(tmp_path, "\tpackage: a", package="")) == 1
    assert problems(tmp_path, "keep-days: 1", package="")[0].startswith("package: is missing.")
    assert problems(tmp_path, "package: []", package="") == [
        "1: package: names nothing: put one into its list at least."
    ]


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "---\n", "images: []\n", "\ufeffimages: []"]
)
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    settings = loaded(tmp_path, text)
    assert (settings.keep_days, settings.keep_latest) == (180, 6)
    assert settings.for_image("app") == settings


def problem_with(folder: Path, name: str) -> str:
    with pytest.raises(UsageError) as caught:
        load({}, {"INPUT_POLICY-FILE": name, "INPUT_PACKAGE": "app"} | ENV, folder)
    (found,) = caught.value.problems
    assert found.startswith(f'policy-file: "{name[:60]}')  # cut when long
    return found


ENV = {f"INPUT_{name.upper()}": text for name, text in REQUIRED.items()}


def test_the_file_lies_in_the_workspace_and_is_a_text_of_some_size(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "folder").mkdir(parents=True)
    (tmp_path / "outside.yml").write_text("keep-days: 0", encoding="utf-8")
    (work / "link.yml").symlink_to(tmp_path / "outside.yml")
    (work / "latin.yml").write_bytes("protect: [é]".encode("latin-1"))
    (work / "large.yml").write_text("# much\n" * 10_000, encoding="utf-8")
    (work / "inside.yml").symlink_to(work / "good.yml")
    (work / "good.yml").write_text("keep-days: 3", encoding="utf-8")
    for name in ("../outside.yml", "link.yml", str(tmp_path / "outside.yml")):
        assert "is not in the workspace" in problem_with(work, name)
    assert "check out the repository" in problem_with(work, "none.yml")
    assert "is a folder" in problem_with(work, "folder")
    os.mkfifo(work / "pipe")
    assert "is no regular file" in problem_with(work, "pipe")
    assert "is no text in UTF-8" in problem_with(work, "latin.yml")
    assert "is larger than 64 KiB" in problem_with(work, "large.yml")
    for name in ("inside.yml", "./folder/../good.yml", str(work / "good.yml")):
        env = ENV | {"INPUT_POLICY-FILE": name, "INPUT_PACKAGE": "app"}
        assert load({}, env, work).keep_days == 3


def test_an_alias_that_refers_to_what_it_is_in_is_told(tmp_path: Path) -> None:
    for text in ("protect: &a [*a]", "images: &a [{match: a, policies: *a}]", "&a {<<: *a}"):
        assert "1: has an alias that refers to what it is in." in problems(tmp_path, text)


def test_a_token_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f"report: {TOKEN}\n")
    assert TOKEN not in found
    assert "holds the token" in found


def test_aliases_of_aliases_take_no_time(tmp_path: Path) -> None:
    text = "policies: &a0 [{tags: [x]}]\n"
    text += "".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
    assert len(problems(tmp_path, text)) == 59


TEXTS = st.text("abk-*:[]{}&!<>|'\"#\n -123\t", max_size=60)
LINES = st.lists(
    st.sampled_from(
        ["keep-days: 3", "images:", "  - match: a", "    keep-latest: x", "policies:", "<<: *a"]
    )
    | TEXTS,
    max_size=8,
).map("\n".join)


@given(LINES)
def test_no_text_whatever_gets_anything_but_settings_or_problems(
    tmp_path_factory: Any, text: str
) -> None:
    try:
        assert isinstance(loaded(tmp_path_factory.getbasetemp(), text), Settings)
    except UsageError as error:
        assert all(error.problems)
        assert all("\n" not in message for message in error.problems)
