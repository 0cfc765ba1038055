"""What the files of protect-from refer to counts as in use, and nothing is lost silently."""

import os
import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc.errors import RegistryGcError
from registry_gc.sources.files import search
from registry_gc.sources.source import Found, LookedAt

DIGEST = "sha256:" + "0123456789abcdef" * 4
Tags = set[tuple[str, str]]
IMAGES = ("use", "Use-Other", "team/app")
T17, LATEST = {("use", "t17")}, {("use", "latest")}


def write(workspace: Path, name: str, content: str | bytes) -> None:
    path = workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def find(workspace: Path, *patterns: str, images: tuple[str, ...] = IMAGES) -> Found:
    return search(patterns, workspace, "Justin", dict.fromkeys(images, ()))


def find_text(text: str | bytes, images: tuple[str, ...] = IMAGES) -> Found:
    with TemporaryDirectory() as name:
        write(Path(name), "f", text)
        return find(Path(name), "f", images=images)


def pairs(known: Mapping[str, Mapping[str, str]]) -> Tags:
    return {(image, name) for image, places in known.items() for name in places}


def told(text: str | bytes) -> tuple[Tags, set[str], list[str]]:
    found = find_text(text)
    return (
        pairs(found.tags),
        {name for _, name in pairs(found.digests)},
        [d.image for d in found.doubts],
    )


HOSTS = (
    "", "git/", "localhost:3000/", "[::1]:3000/", "other.host/prefix/", "docker://git.example/",
    "oci://git/", "${REGISTRY}/", "$REGISTRY/", "{{ .Values.registry }}/", "${{ env.REGISTRY }}/",
)  # fmt: skip
AROUND = (
    "REF", "image: REF", "image:REF", "image:\tREF\t# why", "image: 'REF'", "# image: REF",
    '{"image":"REF","x":1}', r'{"script":"set -e\nREF\n"}', r'x: "{\"image\":\"REF\"}"', "(REF)",
    "Image=REF", "FROM --platform=$BUILDPLATFORM REF AS build", '["docker","run","REF"]', "`REF`",
    "docker pull REF; echo", "<image>REF</image>", "run -v /a:/a REF --tag=x", "x\r\nREF\r\n",
)  # fmt: skip


@pytest.mark.parametrize("text", [
    *(text.replace("REF", f"{host}justin/use:t17") for text in AROUND for host in HOSTS),
    r'{"image":"git\/justin\/use:t17"}', "GIT.example/Justin/Use:T17", "image: ${REGISTRY}/use:t17",
    "image: $REGISTRY/use:t17", 'run "$REGISTRY"/use:t17', "image: {{ .registry }}/use:t17",
    "${{ env.REG }}/use:t17", "${REGISTRY:-git/justin}/use:t17", "git/${OWNER-justin}/use:t17",
    "${IMAGE:-justin/use:t17}", "${A:-${B:-justin}}/use:t17", "registry: g/justin\nimage: use:t17",
    b"# caf\xe9\njustin/use:t17", b"#\rimage: justin/use:t17\r", "justin/use:t17".encode("utf-16"),
    b"\xfe\xff" + "justin/use:t17".encode("utf-16-be"), "justin/use:t17".encode("utf-32"),
    "justin/use:t17".encode("utf-8-sig"),
])  # fmt: skip
def test_a_tag_is_found_in_every_notation_and_encoding_and_is_clear(text: str | bytes) -> None:
    assert told(text) == (T17, set(), [])


def test_each_image_is_found_under_its_own_name() -> None:
    app = r"git/justin/team/app:1 justin\/team\/app:2 $R/use-other:3"
    assert told(app)[0] == {("team/app", "1"), ("team/app", "2"), ("use-other", "3")}
    use = 'justin/use:4.x\njustin/use: 5 "justin/use": "6" "$R/justin/use":7'
    assert told(use)[0] == {("use", tag) for tag in ("4.x", "5", "6", "7", "latest")}


@pytest.mark.parametrize("text", [
    "git/xjustin/use:t1", "git/x-justin/use:t1", "git/x.justin/use:t1", "git/justin/use/sub:t1",
    r"git\/justin\/use\/sub:t1", "git/justin/xuse:t1", "git/justin/use2:t1", "git/justin/use_x:t1",
    "git/justin/use.x:t1", "git/justin/use--x:t1", "git/justin/use.git", "git/justin/app:t1",
    "git/justin-use:t1", "git/use:t1", "${R}/use/sub:t1", "${R}/x/use:t1", "$R/use2:t1",
    "/home/justin/${DIR}:/data",
])  # fmt: skip
def test_another_name_protects_nothing(text: str) -> None:
    assert find_text(text) == Found(looked_at=(LookedAt(1, "file"),))
    assert find_text("justin/use:t17 justin/:x", images=()) == Found(
        looked_at=(LookedAt(1, "file"),)
    )


@pytest.mark.parametrize(("text", "tags"), {
    f"git/justin/use@{DIGEST}": set(), f"git/justin/use@sha256:{DIGEST[7:].upper()}": set(),
    f"git/justin/use:t17@{DIGEST}": T17, f"- name: git/justin/use\n  digest: {DIGEST}\n": LATEST,
    f"repository: justin/use\ntag: t17@{DIGEST}": T17 | LATEST,
    f"repository: justin/use\ntag: t17\ndigest: {DIGEST}": T17 | LATEST,
}.items())  # fmt: skip
def test_a_digest_is_in_use_and_so_is_the_tag_before_it(text: str, tags: Tags) -> None:
    assert told(text) == (tags, {DIGEST}, [])


TAGGED = (
    "tag: t17", 'tag: "t17"', "newTag: t17", "imageTag: t17", "version: t17", 'tag     = "t17"',
    "IMAGE_TAG=t17", "USE_TAG=t17", "TAG ?= t17", "# tag: t17", "tag: &t 't17'", "--set x.tag=t17",
    '"tag": "t17"', r'\"tag\":\"t17\"}', 'set { name = "image.tag"\n value = "t17" }',
    "tag: t17\ndigest: ''", "version: t17\nx: {y: z}",
)  # fmt: skip
BETWEEN = ("\n", "\r\n", "\n  pull:\n    x: y\n\n# why\n", ", ", "\n" * 7, f", x: {'x' * 300}, ")


@pytest.mark.parametrize("named", [
    "repository: justin/use", "registry: git\nrepository: justin/use", "image: justin/use",
    "- name: git/justin/use", "newName: justin/use", 'repository = "justin/use"',
    "registry: git/justin\nrepository: use", "IMAGE=justin/use", "IMAGE := justin/use",
    '"repository": "justin/use"', r'{\"repository\":\"justin/use\"', "#   repository: justin/use",
    "repository: &r justin/use", "--set image.repository=justin/use", "git/justin/use:",
    'set { name = "image.repository"\n value = "justin/use" }', 'run "$REGISTRY/justin/use"',
])  # fmt: skip
def test_a_tag_near_its_repository_is_found_and_clear(named: str) -> None:
    for tagged, between in product(TAGGED, BETWEEN):
        for text in (f"{named} {between}{tagged}", f"{tagged} {between}{named}"):
            assert told(text) == (T17 | LATEST, set(), [])


def test_in_doubt_every_tag_that_may_be_meant_is_in_use() -> None:
    two = T17 | {("use", "t18")}
    assert told("_See git/justin/use:t17_, or justin/use:t18.")[0] >= two
    assert told("- name: x\n  tag: t17\n- name: justin/use\n- tag: t18")[0] == two | LATEST


@pytest.mark.parametrize("text", [
    "image: git/justin/use", '"image": "git/justin/use"', 'image = "git/justin/use"',
    "Image=git/justin/use", "kubectl run x --image=justin/use", "FROM git/justin/use AS base",
    "docker run --rm registry:5000/justin/use", "container: git/justin/use",
    "the image justin/use.", "dir=$HOME/use", "source: https://git/justin/use",
    '"repository": "https://git/justin/use"', "uses: justin/use@v1",
    "volumes: ['/home/justin/use:/data']", "image: justin/use\nlabels:\n  version: 3",
])  # fmt: skip
def test_neither_tag_nor_digest_means_latest(text: str) -> None:
    tags, digests, unknown = told(text)
    assert (tags >= LATEST, digests, unknown) == (True, set(), [])


@pytest.mark.parametrize("text", [
    "repository: git/justin/use\npullPolicy: Always", "repository: justin/use\ntag: ''",
    "repository: justin/use\ntag:\npullPolicy: Always", "repository: justin/use\ntag: null",
    "image: justin/use\ntag: ''", "newName: justin/use", "repository: ${REGISTRY}/use",
    "IMAGE=git/justin/use\ndocker run $IMAGE:t17", "env:\n  IMAGE: git/justin/use",
    "image=justin/use", "repository: justin/use" + "\n" * 11 + "tag: t17",
    '{"repository":"justin/use", "x":"' + "x" * 400 + '","tag":"t17"}', "value: justin/use",
])  # fmt: skip
def test_a_repository_without_a_tag_near_it_means_latest_and_is_reported(text: str) -> None:
    assert told(text) == (LATEST, set(), ["use"])


@pytest.mark.parametrize("tail", [
    ":${TAG}", ":$TAG", ":$1", ":{{ .Values.tag }}", ":${{ github.sha }}", ":%TAG%", ":@TAG@",
    ":%s", ":<version>", ":$(git describe)", ":`git describe`", ":{a,b}", ":v1-${X}", ":v1-$X",
    ":v1.%X%", ":v1-{{ x }}", ":v1@TAG@", ':"$TAG', ':"${TAG}"', ":v1-'$TAG'", ":$$TAG", ':" + tag',
    "$COLON_AND_TAG", "@sha256:abc", "@$D", "@${DIGEST}", "@{{ .d }}", "@sha256:${HEX}", ": ${TAG}",
])  # fmt: skip
def test_a_variable_tag_or_digest_is_reported(tail: str) -> None:
    found = find_text(f'\nrun git/justin/use{tail} "x"')
    assert [(doubt.place, doubt.image) for doubt in found.doubts] == [("f:2", "use")]
    assert found.doubts[0].text.startswith("refers to git/justin/use")


@pytest.mark.parametrize("text", [
    "git/justin/use:${TAG:-t17}", "git/justin/use:${TAG-t17}", 'git/justin/use:${TAG:-"t17"}',
    "git/justin/use:${TAG:-${OTHER:-t17}}", "git/justin/use:t${N:-17}",
    "image: ${IMAGE:-git/justin/use}:${TAG:-t17}", "image: git/justin/${NAME:-use}:t17",
    "registry: git/justin\nrepository: use\ntag: ${TAG:-t17}", "justin/use: t17\nx:\n  tag: $TAG",
    "repository: ${R}/justin/use\ntag: ${TAG:-t17}",
    "repository: justin/use\ntag: t17\ndigest: ${DIGEST}", "justin/use:t17@{{ .d }}",
])  # fmt: skip
def test_a_default_is_in_use_and_the_variable_is_reported(text: str) -> None:
    tags, _, unknown = told(text)
    assert (tags >= T17, "use" in unknown) == (True, True)


@pytest.mark.parametrize("name", ["use${SUFFIX}", "us$A-$B", "{{ .name }}"])
def test_a_variable_in_the_image_name_concerns_every_image_it_can_mean(name: str) -> None:
    images = ["team/app", "use", "use-other"] if name == "{{ .name }}" else ["use", "use-other"]
    tags, _, unknown = told(f"image: git/justin/{name}:t17")
    assert tags >= {(image, "t17") for image in images}
    assert unknown == images


@pytest.mark.parametrize(("text", "shown"), {
    "-p hunter2; git/justin/use:${TAG}; -p hunter3": "git/justin/use:${TAG}",
    "oci://me:hunter2@git/justin/use:${TAG}|x": "git/justin/use:${TAG}",
    "image: {{ .registry }}/use:{{ .tag }} # x": "{{ .registry }}/use:{{ .tag }}",
    'repository: "${R}/justin/use"': "${R}/justin/use",
    "justin/use:t17@{{ .d }}": "justin/use:t17@{{ .d }}",
    "justin/use:${T\x1b\u2028}": "justin/use:${T}",
    f"{'h' * 50}/justin/use:${{{'A' * 300}}}": f"{'h' * 50}/justin/use:${{{'A' * 136}",
}.items())  # fmt: skip
def test_an_unknown_reference_is_told_alone_in_a_line_of_200_signs(text: str, shown: str) -> None:
    assert [d.text.split(", whose")[0] for d in find_text(text).doubts] == [f"refers to {shown}"]


def test_the_first_place_is_named_and_each_unknown_once_a_line(tmp_path: Path) -> None:
    write(tmp_path, "b.yaml", "\r\n\r\nimage: justin/use:t17\r\nimage: justin/use:t17")
    write(tmp_path, "a/a.yaml", f"\nimage: justin/use:t18@{DIGEST}\nimage: justin/use:t17")
    found = find(tmp_path, "b.yaml", "a")
    assert found.tags == {"use": {"t17": "b.yaml:3", "t18": "a/a.yaml:2"}}
    assert found.digests == {"use": {DIGEST: "a/a.yaml:2"}}
    found = find_text("tag justin/use:$A justin/use:$B\rpush justin/use:$B\r\npush justin/use:$B")
    assert [doubt.place for doubt in found.doubts] == ["f:1", "f:2", "f:3"]


@pytest.mark.parametrize("unit", ["justin/", "registry:/", "${A:-/", "$a/", "tag /", "justin/use "])
def test_a_long_text_is_searched_to_its_end(unit: str) -> None:
    """Hangs, instead of failing, when the search is no longer linear."""
    found = find_text(unit * (200_000 // len(unit)) + " justin/team/app:t17")
    assert ("team/app", "t17") in pairs(found.tags)


def test_binary_and_huge_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, "a.bin", b"\0justin/use:t17")
    write(tmp_path, "b.sql", b"justin/use:t17\n".ljust(5 * 1024 * 1024 + 1))
    write(tmp_path, "c.txt", b"justin/use:t18\n".ljust(5 * 1024 * 1024))
    found = find(tmp_path, ".")
    assert pairs(found.tags) == {("use", "t18")}
    assert [d.place for d in found.doubts] == ["a.bin", "b.sql"]


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
    found = find(tmp_path, pattern)
    assert ("".join(sorted(tag for _, tag in pairs(found.tags))), found.doubts) == (files, ())


@pytest.mark.parametrize("pattern", ["deploy/*.yaml", "no", "x.txt/y", "x.txt/*", "**/q", "empty"])
def test_a_pattern_that_matches_no_file_is_an_error(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "x.txt", "justin/use:t17")
    (tmp_path / "empty").mkdir()
    text = f"protect-from: {re.escape(pattern)} matches no file .* checked out before this step"
    for workspace in (tmp_path, tmp_path / "gone"):
        with pytest.raises(RegistryGcError, match=text):
            find(workspace, pattern)


@pytest.mark.parametrize("pattern", ["../x", "deploy/../../x", "/etc/passwd", "/", "", " "])
def test_a_pattern_cannot_leave_the_workspace(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(RegistryGcError, match="is not a path inside the workspace"):
        find(tmp_path, pattern)


@pytest.mark.parametrize(("pattern", "links"), {
    "out.yaml": ["out.yaml"], "*.yaml": ["out.yaml"], "**": ["out", "out.yaml"], "out": ["out"],
    "out/**": ["out"], "out/x.yaml": ["out/x.yaml"],
}.items())  # fmt: skip
def test_a_link_out_of_here_is_skipped(tmp_path: Path, pattern: str, links: list[str]) -> None:
    write(tmp_path, "outside/x.yaml", "justin/use:t17")
    write(tmp_path, "outside-not/y", "")
    (tmp_path / "outside-not/out.yaml").symlink_to(tmp_path / "outside/x.yaml")
    (tmp_path / "outside-not/out").symlink_to(tmp_path / "outside")
    found = find(tmp_path / "outside-not", pattern)
    assert not found.tags
    assert found.sentences() == [
        f"{link} was not searched: leads outside the workspace." for link in links
    ]


def test_links_inside_the_workspace_are_followed_when_named_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path, "releases/5/x.yaml", "justin/use:t17")
    write(tmp_path, "deploy/y.yaml", "justin/use:y")
    links = {"now": "../releases/5", "z.yaml": "../releases/5/x.yaml", "self": "self", "up": ".."}
    for name, target in links.items():
        (tmp_path / "deploy" / name).symlink_to(target)
    os.mkfifo(tmp_path / "deploy/pipe")
    assert find(tmp_path, "deploy/now/**").tags == {"use": {"t17": "deploy/now/x.yaml:1"}}
    below = find(tmp_path, "deploy")
    assert below.tags == {"use": {"y": "deploy/y.yaml:1", "t17": "deploy/z.yaml:1"}}
    link, no_file = "link to a directory, searched only when named", "not a file"
    reasons = {"now": link, "pipe": no_file, "self": no_file, "up": link}
    assert below.sentences() == [
        f"deploy/{n} was not searched: {why}." for n, why in reasons.items()
    ]


@pytest.mark.parametrize(("where", "method"), [(os, "scandir"), (Path, "read_bytes")])
def test_what_cannot_be_read_is_an_error(tmp_path: Path, where: object, method: str) -> None:
    write(tmp_path, "deploy/x", "justin/use:t17")
    error = PermissionError(13, "Permission denied", str(tmp_path / "deploy/x"))
    refused = pytest.raises(RegistryGcError, match=r"deploy/x cannot be read \(Permission denied")
    with patch.object(where, method, side_effect=error), refused:  # root may read everything
        find(tmp_path, "deploy")


@given(st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z"), st.sampled_from([
    "FROM git/justin/use:{} AS x", '{{"image":"justin/use:{}"}}', "image: justin/use:${{TAG:-{}}}",
    "repository: justin/use\ntag: '{}'", "tag: {}\nrepository: justin/use",
    '{{"repository":"justin/use","tag":"{}"}}', "justin/use:{}@" + DIGEST,
]))  # fmt: skip
def test_any_tag_is_found_in_any_template(tag: str, template: str) -> None:
    assert ("use", tag.lower()) in pairs(find_text(template.format(tag)).tags)
