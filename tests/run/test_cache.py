"""What is read once is read once for ever, and it decides nothing."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import Outcome, age_all, in_process, names_in, once_before, run_gc
from tests.sandbox import Answer, Box, Fault, Pusher, Request

RULES: dict[str, Any] = {"keep_latest": 2, "keep_days": 30, "cache": "gc-cache.json"}
FILE = "gc-cache.json"


@pytest.fixture
def box() -> Iterator[Box]:
    """Eight images for two platforms each, all of them old."""
    with in_process() as box:
        for n in range(8):
            push(box, f"v{n}", n)
        yield box


def push(box: Box, tag: str, seed: int, days: float = 400) -> set[str]:
    _, parts = box.push.multiarch("app", tag, seed)
    age_all(box, days, (tag, *parts))
    return {tag, *parts}


def tidy(box: Box, workspace: Path, **changes: Any) -> Outcome:
    box.faults.log.clear()
    return run_gc(box, workspace=workspace, **{**RULES, **changes})


def read(box: Box) -> set[str]:
    """The names that were read."""
    parts = [target.split("/") for method, target in box.faults.log if method == "GET"]
    parts = [p for p in parts if not p[-1].startswith("token")]
    names = [p[-2] if p[-1] == "files" else p[-1] for p in parts if p[-1] == "files" or "v2" in p]
    return {name.replace("%3A", ":") for name in names}


def test_the_second_run_reads_only_what_is_new(box: Box, tmp_path: Path) -> None:
    first = tidy(box, tmp_path, dry_run=True)
    assert len(read(box)) == len(names_in(box)) + 8  # and the indexes themselves
    old = names_in(box)
    new = push(box, "v8", 8, 300) | push(box, "v9", 9, 299)
    second = tidy(box, tmp_path, dry_run=True)
    assert read(box) & old == set()
    assert len(read(box)) == len(new) + 2
    assert first.exit_code == second.exit_code == 0
    tidy(box, tmp_path, dry_run=True)
    assert read(box) == set()
    assert tidy(box, tmp_path).names(State.DELETED) == second.names(State.DOOMED)
    assert read(box) == set()
    assert names_in(box) == new


def test_a_tag_that_was_pushed_again_is_read_again(box: Box, tmp_path: Path) -> None:
    tidy(box, tmp_path, dry_run=True)
    new = push(box, "v0", 99, 200)
    assert tidy(box, tmp_path).exit_code == 0
    assert len(read(box)) == len(new) + 1
    assert {"v7", *new} <= names_in(box)
    assert not box.push.missing("app", "v0")


def test_a_run_in_which_nothing_can_go_forgets_nothing(box: Box, tmp_path: Path) -> None:
    tidy(box, tmp_path, dry_run=True)
    tidy(box, tmp_path, keep_days=1000)
    assert read(box) == set()
    tidy(box, tmp_path, dry_run=True)
    assert read(box) == set()


def test_what_is_gone_is_forgotten(box: Box, tmp_path: Path) -> None:
    tidy(box, tmp_path)
    before = (tmp_path / FILE).stat().st_size
    tidy(box, tmp_path)
    assert (tmp_path / FILE).stat().st_size < before / 2


def test_what_was_pushed_during_a_run_is_remembered_too(box: Box, tmp_path: Path) -> None:
    once_before(box, lambda: push(box, "late", 50, 0), "GET", "page=1&", 2)
    assert tidy(box, tmp_path).exit_code == 0
    assert names_in(box) > {"late"}
    box.faults.reset()
    tidy(box, tmp_path, keep_latest=1, dry_run=True)
    assert read(box) == set()


def test_a_run_that_ends_early_has_not_read_for_nothing(box: Box, tmp_path: Path) -> None:
    stop = Event()

    def before(request: Request) -> None:
        if "v3/files" in request.target:
            stop.set()

    box.faults.before = before
    assert run_gc(box, stop, tmp_path, **RULES, concurrency=1).exit_code == 1
    done = read(box)
    assert done
    box.faults.reset()
    tidy(box, tmp_path, dry_run=True)
    assert not read(box) & (done - {"v3"})


def test_without_a_listing_what_was_remembered_stays(box: Box, tmp_path: Path) -> None:
    tidy(box, tmp_path, dry_run=True)

    def plan(request: Request) -> Fault | None:
        return Answer(500) if "page=" in request.target else None

    box.faults.plan = plan
    assert tidy(box, tmp_path).exit_code == 1
    box.faults.reset()
    tidy(box, tmp_path, dry_run=True)
    assert read(box) == set()


def test_the_subjects_in_other_images_are_looked_up_once(box: Box, tmp_path: Path) -> None:
    box.push.image("sigs", "readme", "readme")
    box.push.signature("sigs", f"sha256:{7:064}")
    age_all(box, 400, image="sigs")
    tidy(box, tmp_path, package=("sigs",), dry_run=True)
    assert {"v0", "v7"} <= read(box)
    tidy(box, tmp_path, package=("sigs",), dry_run=True)
    assert read(box) == set()


def test_with_and_without_measuring_share_what_was_read(box: Box, tmp_path: Path) -> None:
    tidy(box, tmp_path, dry_run=True, measure_space=False)
    some = read(box)
    tidy(box, tmp_path, dry_run=True)
    assert not read(box) & some
    assert "freed" in tidy(box, tmp_path, dry_run=True).text
    assert read(box) == set()


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("1.25.0", "on 1.25.0 a version can change its content"),
        ("1.25.1", "on 1.25.1 a version can change its content"),
        ("15.0.0+gitea-1.25.1", "on 15.0.0+gitea-1.25.1 a version can change its content"),
        ("1.26.0+dev-12-gabc", "the server is 1.26.0+dev-12-gabc, which is no release"),
        ("", "the server does not tell its version"),
        (None, "the server does not tell its version"),
    ],
)
def test_where_a_version_may_change_its_content_nothing_is_remembered(
    box: Box, tmp_path: Path, version: str | None, why: str
) -> None:
    tidy(box, tmp_path, dry_run=True)
    before = (tmp_path / FILE).read_bytes()
    closed = Answer(401) if version is None else Answer(200, f'{{"version": "{version}"}}')
    box.faults.plan = lambda request: closed if "/version" in request.target else None
    outcome = tidy(box, tmp_path, dry_run=True)
    assert f"cache: neither read nor written, for {why}" in outcome.text
    assert (outcome.exit_code, outcome.warnings) == (0, [])
    assert len(read(box)) == len(names_in(box)) + 8
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("version", ["1.26.2", "9.0.3+gitea-1.22.0"])
def test_after_an_update_of_the_server_all_is_read_anew_once(
    box: Box, tmp_path: Path, version: str
) -> None:
    tidy(box, tmp_path, dry_run=True)
    told = Answer(200, f'{{"version": "{version}"}}')
    box.faults.plan = lambda request: told if "/version" in request.target else None
    outcome = tidy(box, tmp_path, dry_run=True)
    assert f"it is for the server's version 1.25.4, and this is {version}" in outcome.text
    assert len(read(box)) == len(names_in(box)) + 8
    assert "is not used" not in tidy(box, tmp_path, dry_run=True).text
    assert read(box) == set()


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\x00", None])
def test_what_is_damaged_is_said_in_a_line_and_made_anew(
    box: Box, tmp_path: Path, damage: bytes | None
) -> None:
    tidy(box, tmp_path, dry_run=True)
    raw = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(raw[: len(raw) // 2] if damage is None else damage)
    outcome = tidy(box, tmp_path, dry_run=True)
    (line,) = [line for line in outcome.text.splitlines() if line.startswith("cache: ")]
    assert line == (
        "cache: gc-cache.json is not used: it is damaged, or another token wrote it. Everything "
        "is read anew."
    )
    assert (outcome.exit_code, outcome.warnings) == (0, [])
    tidy(box, tmp_path, dry_run=True)
    assert read(box) == set()


def test_one_that_cannot_be_read_or_written_is_a_warning(box: Box, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no folder")
    outcome = tidy(box, tmp_path, cache="a/gc-cache.json")
    assert "a/gc-cache.json is not used: Not a directory" in outcome.text
    (warning,) = outcome.warnings
    assert warning.startswith(f"cache: {tmp_path / 'a' / 'gc-cache.json'} cannot be written")
    assert outcome.exit_code == 0
    assert outcome.names(State.DELETED)


def test_the_first_run_says_nothing_of_it(box: Box, tmp_path: Path) -> None:
    assert "is not used" not in tidy(box, tmp_path).text
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_without_it_the_server_is_not_asked_for_its_version(box: Box, tmp_path: Path) -> None:
    tidy(box, tmp_path, cache="")
    assert box.faults.count(containing="/version") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_search_of_the_whole_workspace_finds_no_use_in_it(box: Box, tmp_path: Path) -> None:
    """It names every version there is."""
    (tmp_path / "use.yaml").write_text("image: git.test/acme/app:v3\n", "utf-8")
    first = tidy(box, tmp_path, protect_from=(".",), dry_run=True)
    second = tidy(box, tmp_path, protect_from=(".",), dry_run=True)
    assert first.names(State.DOOMED) == second.names(State.DOOMED)
    assert len(first.names(State.DOOMED)) == 15


def test_each_owner_is_remembered_apart(box: Box, tmp_path: Path) -> None:
    box.store.add_owner("beta", ["acme"])
    beta = Pusher.into(box.store, "beta")
    for n in range(3):
        beta.multiarch("app", f"v{n}", f"beta's {n}")
    for name in names_in(box) | set(box.store.versions("app", "beta")):
        for owner in ("acme", "beta"):
            if name in box.store.versions("app", owner):
                box.store.age("app", name, 400, owner)
    rules = {"owner": "acme, beta", "keep_latest": 1}
    first = tidy(box, tmp_path, dry_run=True, **rules)
    assert len(first.names(State.DOOMED)) == 6 + 21
    assert tidy(box, tmp_path, dry_run=True, **rules).names(State.DOOMED) == first.names(
        State.DOOMED
    )
    assert read(box) == set()
    assert first.exit_code == 0


@pytest.mark.parametrize("measure_space", [True, False])
def test_the_second_run_costs_a_third_of_the_first_at_most(
    running: Box, tmp_path: Path, measure_space: bool
) -> None:
    """Of 65 images two are new, and two go."""
    running.reset()
    for n in range(65):
        running.push.image("app", f"v{n}", n)
        running.store.age("app", f"v{n}", 400 - n)
    rules = {"keep_latest": 63, "measure_space": measure_space}
    assert len(tidy(running, tmp_path, **rules).names(State.DELETED)) == 2
    first = len(running.faults.log)
    for n in range(65, 67):
        running.push.image("app", f"v{n}", n)
        running.store.age("app", f"v{n}", 400 - n)
    assert len(tidy(running, tmp_path, **rules).names(State.DELETED)) == 2
    assert len(running.faults.log) <= first / 3
