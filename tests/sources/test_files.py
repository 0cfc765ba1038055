"""The files of protect-from are searched whole, and what cannot be searched is never silent."""

import bz2
import gzip
import lzma
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from registry_gc.errors import RegistryGcError
from registry_gc.sources.files import search
from registry_gc.sources.source import Found, Images, LookedAt
from tests.sources.roots import IMAGES, OWNER, pairs

EVERY_LETTER: Images = {"use": ["t17", "t18", *"aeghtxyz"]}


def write(workspace: Path, name: str, content: str | bytes) -> Path:
    path = workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def find(workspace: Path, *patterns: str, images: Images = IMAGES) -> Found:
    return search(patterns, workspace, OWNER, images)


def refused(workspace: Path, *patterns: str, images: Images = IMAGES) -> str:
    """The message with which a search ends the run."""
    with pytest.raises(RegistryGcError) as caught:
        find(workspace, *patterns, images=images)
    return str(caught.value)


@pytest.mark.parametrize(("pattern", "files"), {
    "deploy": "ehyz", "deploy/": "ehyz", "./deploy/y.yaml": "y", "deploy/**": "ehyz",
    "deploy/*": "ehyz", "deploy/*.yaml": "y", "**/*.yaml": "ty", "**/*.y*ml": "tyz", "**": "ehtyz",
    ".": "ehtyz", "**/sub/**": "z", "deploy/**/z.y[k-m]l": "z", ".gitea/**/*.yaml": "t",
    ".gitea": "t", "*/.env": "e", "d?ploy/.h*": "h", ".git": "g",
}.items())  # fmt: skip
def test_patterns_match_what_people_expect(tmp_path: Path, pattern: str, files: str) -> None:
    below = ("deploy/.env", "deploy/.hidden/h", "deploy/y.yaml", "deploy/sub/z.yml")
    for name in (*below, ".gitea/workflows/t.yaml", ".git/g.yaml"):
        write(tmp_path, name, f"justin/use:{Path(name).name.lstrip('.')[0]}")
    found = find(tmp_path, pattern, images=EVERY_LETTER)
    assert ("".join(sorted(tag for _, tag in pairs(found.tags))), found.doubts) == (files, ())
    assert found.looked_at == (LookedAt(len(files), "file" if len(files) == 1 else "files"),)


@pytest.mark.parametrize("pattern", ["deploy/*.yaml", "no", "x.txt/y", "x.txt/*", "**/q", "empty"])
def test_a_pattern_that_matches_no_file_is_an_error(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "x.txt", "justin/use:t17")
    (tmp_path / "empty").mkdir()
    text = f"protect-from: {re.escape(pattern)} matches no file .* checked out before this step"
    for workspace in (tmp_path, tmp_path / "gone"):
        assert re.match(text, refused(workspace, pattern))
        assert re.match(text, refused(workspace, pattern, images={}))


@pytest.mark.parametrize("pattern", ["../x", "deploy/../../x", "/etc/passwd", "/", "", " "])
def test_a_pattern_cannot_leave_the_workspace(tmp_path: Path, pattern: str) -> None:
    assert "is not a path inside the workspace" in refused(tmp_path, pattern)


def test_without_patterns_nothing_is_looked_at(tmp_path: Path) -> None:
    assert find(tmp_path) == Found()


# --- what cannot be searched: an error when it was named, else told

Make = Callable[[Path], object]
BROKEN: dict[str, tuple[Make, str]] = {
    "binary": (lambda p: p.write_bytes(b"\0justin/use:t17"), "it is binary"),
    "a NUL late in it": (lambda p: p.write_bytes(b"x\n" * 9000 + b"\0x"), "it is binary"),
    "gzip": (lambda p: p.write_bytes(gzip.compress(b"justin/use:t17")), "it is compressed"),
    "bzip2": (lambda p: p.write_bytes(bz2.compress(b"justin/use:t17")), "it is compressed"),
    "xz": (lambda p: p.write_bytes(lzma.compress(b"justin/use:t17")), "it is compressed"),
    "a pipe": (os.mkfifo, "it is not a file"),
    "a link out": (lambda p: p.symlink_to("/etc/hostname"), "it leads outside the workspace"),
}


@pytest.mark.parametrize(("make", "why"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_searched_ends_the_run_when_named_and_is_told_else(
    tmp_path: Path, make: Make, why: str
) -> None:
    write(tmp_path, "deploy/app.yaml", "image: justin/use:t17")
    make(tmp_path / "deploy/x")
    text = refused(tmp_path, "deploy", "deploy/x")
    assert text.startswith(f"protect-from: deploy/x cannot be searched: {why}")
    for pattern in ("deploy", "deploy/*", "**"):
        found = find(tmp_path, pattern)
        assert found.tags == {"use": {"t17": "deploy/app.yaml:1"}}
        assert [(d.place, d.text.startswith(f"was not searched: {why}")) for d in found.doubts] == [
            ("deploy/x", True)
        ]
        assert found.looked_at == (LookedAt(1, "file"),)


def test_a_file_that_cannot_be_read_ends_the_run_when_named_and_is_told_else(
    tmp_path: Path,
) -> None:
    """Root may read everything, so that the refusal is pretended."""
    write(tmp_path, "deploy/app.yaml", "image: justin/use:t17")
    write(tmp_path, "deploy/secret", "justin/use:t18")
    real = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)

    with patch.object(Path, "open", refuse):
        text = refused(tmp_path, "deploy/secret", "deploy/app.yaml")
        assert "deploy/secret cannot be searched: Permission denied" in text
        found = find(tmp_path, "deploy")
    assert found.sentences() == ["deploy/secret was not searched: Permission denied."]
    assert ("use", "t17") in pairs(found.tags)


def test_a_directory_that_cannot_be_read_ends_the_run_when_named_and_is_told_else(
    tmp_path: Path,
) -> None:
    write(tmp_path, "deploy/app.yaml", "image: justin/use:t17")
    write(tmp_path, "deploy/secret/x", "justin/use:t18")
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    with patch.object(os, "scandir", refuse):
        assert "deploy/secret cannot be searched: Permission denied" in refused(
            tmp_path, "deploy/secret/*"
        )
        found = find(tmp_path, "deploy")
    assert found.sentences() == ["deploy/secret was not searched: Permission denied."]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Its names may be listed, and nothing in it looked at; pretended, for root may do all."""

    def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(path: Any, *args: Any, **options: Any) -> Any:
            if not isinstance(path, int) and folder in Path(os.fsdecode(path)).parents:
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *args, **options)

        return refuse

    with ExitStack() as stack:
        for name in ("stat", "lstat", "scandir"):
            stack.enter_context(patch.object(os, name, refusing(getattr(os, name))))
        yield


def test_what_may_not_be_looked_at_ends_the_run_when_named_and_is_told_else(tmp_path: Path) -> None:
    write(tmp_path, "deploy/app.yaml", "image: justin/use:t17")
    write(tmp_path, "deploy/secret/x", "justin/use:t18")
    write(tmp_path, "deploy/secret/sub/y", "justin/use:t18")
    (tmp_path / "deploy/secret/z").symlink_to("sub")
    with locked(tmp_path / "deploy/secret"):
        for name in ("x", "sub", "z", "none"):
            why = f"protect-from: deploy/secret/{name} cannot be searched: Permission denied."
            assert refused(tmp_path, f"deploy/secret/{name}").startswith(why)
            assert refused(tmp_path, f"deploy/secret/{name}/*", "deploy").startswith(why)
        found = find(tmp_path, "deploy")
    assert found.tags == {"use": {"t17": "deploy/app.yaml:1"}}
    assert sorted(found.sentences()) == [
        f"deploy/secret/{name} was not searched: Permission denied." for name in ("sub", "x", "z")
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 300, "File name too long"),
        ("x/" * 3000, "File name too long"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_a_path_that_leads_nowhere_ends_the_run_with_the_reason(
    tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for pattern in (name, f"{name}/*"):
        assert f"{name.rstrip('/')} cannot be searched: {why}." in refused(tmp_path, pattern)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", "\r\n".encode("utf-16")]
)
def test_an_empty_file_ends_the_run_when_named_and_is_nothing_else(
    tmp_path: Path, content: bytes
) -> None:
    write(tmp_path, "deploy/app.yaml", "image: justin/use:t17")
    write(tmp_path, "deploy/pods.json", content)
    text = refused(tmp_path, "deploy/app.yaml", "deploy/pods.json")
    assert text.startswith("protect-from: deploy/pods.json cannot be searched: it is empty")
    assert find(tmp_path, "deploy").doubts == ()


@pytest.mark.parametrize("content", [
    '{"apiVersion": "v1", "items": [], "kind": "List"}', "Error: connection refused", "[]", "t17",
    "image: justin/other:t17", "CONTAINER ID   IMAGE   COMMAND",
])  # fmt: skip
def test_files_that_mention_no_image_of_the_run_end_it(tmp_path: Path, content: str) -> None:
    write(tmp_path, "inventory/use/pods.json", content)
    write(tmp_path, "inventory/b.txt", "nothing")
    for patterns in (["inventory"], ["inventory/use/pods.json"], ["**/*.json", "inventory/b.txt"]):
        text = refused(tmp_path, *patterns)
        assert "mentions an image of this run (Use-Other, team/app, use)" in text
    assert find(tmp_path, "inventory", images={}).tags == {}


def test_a_named_file_that_mentions_nothing_is_told_beside_others_that_do(tmp_path: Path) -> None:
    write(tmp_path, "a.json", '{"image": "justin/use:t17"}')
    write(tmp_path, "b.json", '{"items": []}')
    write(tmp_path, "values.yaml", "tag: t17")
    write(tmp_path, "more.yaml", "tag: t17")
    write(tmp_path, "c.json", '{"image": "justin/use:t17"}')
    found = find(tmp_path, "a.json", "b.json", "c.json", "values.yaml", "more.yaml")
    assert [doubt.place for doubt in found.doubts] == ["b.json"]
    assert find(tmp_path, ".").doubts == ()


def test_what_stands_in_a_file_with_a_late_nul_stays_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, "x.log", b"use:t17\n" * 9000 + b"\0 use:t18\n")
    assert pairs(find(tmp_path, "*").tags) == {("use", "t17"), ("use", "t18")}


@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
def test_a_file_that_is_written_while_it_is_read_is_not_trusted(
    tmp_path: Path, change: str
) -> None:
    path = write(tmp_path, "pods.json", "image: justin/use:t17\n" * 2_000)
    real = os.fstat

    def between(number: int) -> os.stat_result:
        status = real(number)
        if change == "grow":
            with path.open("ab") as file:
                file.write(b"image: justin/use:t18\n")
        elif change == "shrink":
            os.truncate(path, 1000)
        else:
            os.utime(path, ns=(1, status.st_mtime_ns + 1))
        return status

    with patch.object(os, "fstat", between):
        text = refused(tmp_path, "pods.json")
        assert "pods.json cannot be searched: it was changed while it was read" in text
        found = find(tmp_path, "*")
    assert [doubt.place for doubt in found.doubts] == ["pods.json"]
    assert ("use", "t17") in pairs(found.tags)


@pytest.mark.parametrize(("pattern", "links"), {
    "*.yaml": ["out.yaml"], "**": ["out", "out.yaml"],
}.items())  # fmt: skip
def test_a_link_out_of_here_is_told(tmp_path: Path, pattern: str, links: list[str]) -> None:
    there, here = tmp_path / "outside", tmp_path / "outside-not"
    write(there, "x.yaml", "justin/use:t17")
    write(here, "y.yaml", "justin/use:t18")
    (here / "out.yaml").symlink_to(there / "x.yaml")
    (here / "out").symlink_to(there)
    found = find(here, pattern)
    assert pairs(found.tags) == {("use", "t18")}
    assert [doubt.place for doubt in found.doubts] == links
    for named in ("out.yaml", "out", "out/**", "out/x.yaml"):
        assert "cannot be searched: it leads outside the workspace" in refused(here, named)


def test_links_inside_the_workspace_are_followed_when_named_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path, "releases/5/x.yaml", "justin/use:t17")
    write(tmp_path, "deploy/y.yaml", "justin/use:y")
    links = {"now": "../releases/5", "z.yaml": "../releases/5/x.yaml", "self": "self", "up": ".."}
    for name, target in links.items():
        (tmp_path / "deploy" / name).symlink_to(target)
    there = find(tmp_path, "deploy/now/**", images=EVERY_LETTER)
    assert there.tags == {"use": {"t17": "deploy/now/x.yaml:1"}}
    below = find(tmp_path, "deploy", images=EVERY_LETTER)
    assert below.tags == {"use": {"y": "deploy/y.yaml:1", "t17": "deploy/z.yaml:1"}}
    link = "it is a link to a directory, which is searched only when named"
    reasons = {"now": link, "self": "Too many levels of symbolic links", "up": link}
    told = [f"deploy/{name} was not searched: {why}." for name, why in reasons.items()]
    assert below.sentences() == told


def test_names_that_are_no_text_are_shown_all_the_same(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9\n.yaml"
    Path(os.fsdecode(name)).write_text("justin/use:t17\njustin/use:${X}")
    found = find(tmp_path, "*")
    assert found.tags == {"use": {"t17": "caf\\xe9\n.yaml:1"}}
    assert found.doubts[0].place == "caf\\xe9\n.yaml:2"
