"""A tag or digest that a text mentions is in use, in whatever format, and of the right image."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.roots import DIGEST, Tags, pairs, searched, tags, told

T17, LATEST = {("use", "t17")}, {("use", "latest")}

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
    "justin/use:t17".encode("utf-8-sig"), "?image=git%2Fjustin%2Fuse%3At17&x=1", "use-t17.tgz",
    r'{"url":"git\u002fjustin\u002fuse\u003at17"}', "mirror/of/other/use:t17", "use:t17",
])  # fmt: skip
def test_a_tag_beside_its_image_is_found_in_every_notation_and_is_clear(text: str | bytes) -> None:
    assert told(text) == (T17, set(), [])


def test_each_image_is_found_under_its_own_name() -> None:
    text = r"git/justin/team/app:t1 justin\/team\/app:t17 $R/use-other:t18"
    assert tags(text) == {("team/app", "t1"), ("team/app", "t17"), ("use-other", "t18")}


@pytest.mark.parametrize("text", [
    "git/justin/use/sub:t1", r"git\/justin\/use\/sub:t1", "git/justin/xuse:t1",
    "git/justin/use2:t1", "git/justin/use_x:t1", "git/justin/use.x:t1", "git/justin/use--x:t1",
    "git/justin/use.git:t1", "git/justin/application:t1", "git/justin-use:t1", "${R}/use/sub:t1",
    "$R/use2:t1", "abuse:t1", "/home/justin/${DIR}:/data",
])  # fmt: skip
def test_another_name_protects_nothing(text: str) -> None:
    assert tags(text) == set()
    assert tags(text, "image: justin/use:t18") == {("use", "t18")}
    assert searched("justin/use:t17 justin/:x", images={}).tags == {}


@pytest.mark.parametrize("other", [
    "justin/use-other:t17", "postgres:t17", "git.example.org:3000/me/x:t17", "image:postgres:t17",
    "docker://quay.io/me/my-use:t17", "${REGISTRY}/my-use:t17", f"postgres:t17@{DIGEST}",
    r"git\/me\/my-use:t17", r"x: \"postgres:t17\"", "me%2Fmy-use%3At17", "{{ .r }}/my-use:t17",
    r"pull postgres:t17\nrun", "<image>postgres:t17</image>", "'postgres:t17'", "postgres:t17.",
    "a/other:t17",
    "postgres:t17-alpine", "postgres:v1.t17", "t17-alpine/x", "refs/at17", "t17.5",
])  # fmt: skip
def test_the_tag_of_another_image_is_that_ones_alone(other: str) -> None:
    assert not tags("justin/use:t18", other) & T17
    assert ("use", "t17") in tags("justin/use:t18", other, "t17")


@pytest.mark.parametrize("text", [
    "tag:t17", "version:t17", "{tag:t17}", "image_tag:t17", "${IMAGE}:t17", "$IMAGE:t17", "x:t17/",
    "{{ .image }}:t17", "%IMAGE%:t17", "@IMAGE@:t17", "<image>:t17", "$(params.IMAGE):t17",
    "${{ github.repository }}:t17", "${PREFIX}use:t17", "my-${IMAGE}:t17", "IMAGE_NAME:t17",
    ":t17", "service:t17", "prod:t17", "other:t17", "build:t17", "12:t17:15", "env:t17",
    "me@host:t17", "git.example.org:t17", "`git x`:t17",
])  # fmt: skip
def test_what_may_be_a_tag_of_the_image_is_one(text: str) -> None:
    assert ("use", "t17") in tags("image: justin/use", text)


@pytest.mark.parametrize(
    "text", ["1.2.3", "v1.2.3", "V1.2.3", "helm-1.2.3", "tag=1.2.3,", "v1.2.3."]
)
@pytest.mark.parametrize("tag", ["1.2.3", "v1.2.3"])
def test_a_v_at_the_front_and_what_ends_a_sentence_make_no_difference(text: str, tag: str) -> None:
    is_whole = text != "helm-1.2.3"
    assert (("use", tag) in tags("justin/use", text, images={"use": [tag]})) is is_whole


@pytest.mark.parametrize("text", [
    "a\\nt17", r"\u2028t17", r"v: \"t17\"", r"{\\\"tag\\\":\\\"t17\\\"}", "x%20t17%22", "tag%3Dt17",
    "${TAG:-t17}", "${TAG-t17}", "${TAG:=t17}", r"t\u0031\u0037", r"\x20t17", "*t17*", "__t17__",
    r"\u0022t17",
    "tag: >-\n  t17\n", "tag: |\n  t17\n", "tag: &a t17", "<t17>", "t17版", "(t17)", "#t17",
    "refs/tags/t17", "x.git?ref=t17", "--set=image.tag=t17", "x:t17:ro", "t17/x", "'t17'", "T17",
])  # fmt: skip
def test_a_tag_alone_is_found_in_every_notation(text: str) -> None:
    assert ("use", "t17") in tags("image: justin/use", text)


@pytest.mark.parametrize(("tag", "text"), {
    "1.2.0_build.7": "version: 1.2.0+build.7", "_x": "tag: _x.", "v1.2-": "tag: v1.2-, ",
    "sha256-" + "a" * 64 + ".sig": "sha256-" + "A" * 64 + ".sig", "1": "replicas: 1",
    "v1.2.0": r"s/x/v1\.2\.0/", "latest": "Latest", "x" * 128: f"tag: {'x' * 128}",
}.items())  # fmt: skip
def test_tags_of_any_form_are_found(tag: str, text: str) -> None:
    assert ("use", tag) in tags("image: justin/use:no", text, images={"use": [tag]})


@pytest.mark.parametrize("mention", [
    "git/justin/use", "use", "name: use", "charts/use/values.yaml", r"git\/justin\/use:none",
    "me/use@sha256:" + "0" * 64, "USE", "use-t18.tgz", "justin%2Fuse",
])  # fmt: skip
def test_a_tag_in_another_text_is_in_use_where_the_root_mentions_the_image(mention: str) -> None:
    found = searched("tag: t17", mention)
    assert found.tags["use"]["t17"] == "f:1"
    assert not {image for image, tag in pairs(found.tags) if tag == "t17"} - {"use"}
    assert tags("tag: t17", mention.replace("use", "xuse").replace("USE", "xuse")) == set()


def test_the_name_of_a_text_mentions_an_image_too() -> None:
    for name in ("apps/use/values.yaml", "use.container", "my-org/use@main: x/values.yaml"):
        assert searched("tag: t17", names=[name]).tags == {"use": {"t17": f"{name}:1"}}
    assert searched("tag: t17", names=["apps/xuse/use-values.yaml"]).tags == {}


@pytest.mark.parametrize(("text", "found"), {
    f"git/justin/use@{DIGEST}": set(), f"git/justin/use@sha256:{DIGEST[7:].upper()}": set(),
    f"git/justin/use:t17@{DIGEST}": T17, f"- name: git/justin/use\n  digest: {DIGEST}\n": LATEST,
    f"repository: justin/use\ntag: t17@{DIGEST}": T17 | LATEST,
    f"repository: justin/use\ntag: t17\ndigest: {DIGEST}": T17 | LATEST,
    f"justin%2Fuse%40sha256%3A{DIGEST[7:]}": set(),
}.items())  # fmt: skip
def test_a_digest_is_in_use_and_so_is_the_tag_before_it(text: str, found: Tags) -> None:
    assert told(text) == (found, {DIGEST}, [])


def test_a_digest_is_in_use_of_all_images_that_its_root_mentions_known_or_not() -> None:
    found = searched(f"imageID: x@{DIGEST}", "image: justin/use:t17", "team/app:t17")
    assert found.digests == {"use": {DIGEST: "f:1"}, "team/app": {DIGEST: "f:1"}}
    assert searched(f"x@{DIGEST}", f"{DIGEST}0").digests == {}


TAGGED = (
    "tag: t17", 'tag: "t17"', "newTag: t17", "imageTag: t17", "version: t17", 'tag     = "t17"',
    "IMAGE_TAG=t17", "USE_TAG=t17", "TAG ?= t17", "# tag: t17", "tag: &t 't17'", "--set x.tag=t17",
    '"tag": "t17"', r'\"tag\":\"t17\"}', 'set { name = "image.tag"\n value = "t17" }',
    "tag: t17\ndigest: ''", "version: t17\nx: {y: z}", "appVersion: t17", "tag: >-\n  t17",
)  # fmt: skip
BETWEEN = ("\n", "\r\n", "\n  pull:\n    x: y\n\n# why\n", ", ", "\n" * 70, f", x: {'x' * 3000}, ")


@pytest.mark.parametrize("named", [
    "repository: justin/use", "registry: git\nrepository: justin/use", "image: justin/use",
    "- name: git/justin/use", "newName: justin/use", 'repository = "justin/use"',
    "registry: git/justin\nrepository: use", "IMAGE=justin/use", "IMAGE := justin/use",
    '"repository": "justin/use"', r'{\"repository\":\"justin/use\"', "#   repository: justin/use",
    "repository: &r justin/use", "--set image.repository=justin/use", "git/justin/use:",
    'set { name = "image.repository"\n value = "justin/use" }', 'run "$REGISTRY/justin/use"',
])  # fmt: skip
def test_a_tag_apart_from_its_repository_is_found_and_clear(named: str) -> None:
    for tagged, between in product(TAGGED, BETWEEN):
        for text in (f"{named} {between}{tagged}", f"{tagged} {between}{named}"):
            assert told(text) == (T17 | LATEST, set(), [])


@pytest.mark.parametrize("text", [
    "image: git/justin/use", '"image": "git/justin/use"', 'image = "git/justin/use"',
    "Image=git/justin/use", "kubectl run x --image=justin/use", "FROM git/justin/use AS base",
    "docker run --rm registry:5000/justin/use", "container: git/justin/use",
    "the image justin/use.", "source: https://git/justin/use", "uses: justin/use@v4",
    "volumes: ['/home/justin/use:/data']", "image: justin/use\nlabels:\n  version: 3",
])  # fmt: skip
def test_neither_tag_nor_digest_means_latest(text: str) -> None:
    found, digests, doubts = told(text)
    assert (found - {("use", "5000")}, digests, doubts) == (LATEST, set(), [])


def test_the_first_plain_place_is_named() -> None:
    found = searched("\r\n\r\nt18\r\nimage: justin/use:t17", f"\nuse:t18@{DIGEST}\nuse:t17")
    assert found.tags == {"use": {"t17": "f:4", "t18": "g:2"}}
    assert found.digests == {"use": {DIGEST: "g:2"}}


@given(st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z"), st.sampled_from([
    "FROM git/justin/use:{} AS x", '{{"image":"justin/use:{}"}}', "image: justin/use:${{TAG:-{}}}",
    "repository: justin/use\ntag: '{}'", "tag: {}\nrepository: justin/use", "use\n\n{}",
    '{{"repository":"justin/use","tag":"{}"}}', "justin/use:{}@" + DIGEST, "<a>{}</a><b>use</b>",
]))  # fmt: skip
def test_any_tag_is_found_in_any_template(tag: str, template: str) -> None:
    assert ("use", tag.lower()) in tags(template.format(tag), images={"use": [tag]})
