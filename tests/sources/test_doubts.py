"""What a text leaves open is told with its place, and nothing near by hides it."""

import re

import pytest

from tests.sources.roots import DIGEST, doubted, pairs, searched, tags, told

T17, LATEST = {("use", "t17")}, {("use", "latest")}


@pytest.mark.parametrize("tail", [
    ":${TAG}", ":$TAG", ":$1", ":{{ .Values.tag }}", ":${{ github.sha }}", ":%TAG%", ":@TAG@",
    ":%s", ":<version>", ":$(git describe)", ":`git describe`", ":{a,b}", ":v1-${X}", ":v1-$X",
    ":v1.%X%", ":v1-{{ x }}", ":v1@TAG@", ':"$TAG', ':"${TAG}"', ":v1-'$TAG'", ":$$TAG", ':" + tag',
    "$COLON_AND_TAG", "@sha256:abc", "@$D", "@${DIGEST}", "@{{ .d }}", "@sha256:${HEX}", ": ${TAG}",
    ":~1.2", ":1.x", ":^2", ":t17@{{ .d }}", ':v1-" + build', r":\u0024{TAG}", "%3A${TAG}",
])  # fmt: skip
def test_a_tag_or_digest_that_is_put_together_while_it_runs_is_told(tail: str) -> None:
    found = searched(f'\nrun git/justin/use{tail} "x" t17')
    assert [(doubt.place, doubt.image) for doubt in found.doubts] == [("f:2", "use")]
    assert found.doubts[0].text.startswith("refers to git/justin/use")


@pytest.mark.parametrize("text", [
    "use:${TAG}", "use:$TAG", "my/use:{{ tag }}", "use:v1-${TAG}", "$R/use:$TAG", "image=use:@T@",
])  # fmt: skip
def test_the_last_part_of_a_name_is_enough(text: str) -> None:
    assert "use" in doubted(searched(text))


@pytest.mark.parametrize("text", [
    "git/justin/use:${TAG:-t17}", "git/justin/use:${TAG-t17}", 'git/justin/use:${TAG:-"t17"}',
    "git/justin/use:${TAG:-${OTHER:-t17}}", "image: ${IMAGE:-git/justin/use}:${TAG:-t17}",
    "image: git/justin/${NAME:-use}:t17", "registry: git/justin\nrepository: use\ntag: ${TAG:-t17}",
    "justin/use: t17\nx:\n  tag: $TAG", "repository: ${R}/justin/use\ntag: ${TAG:-t17}",
    "repository: justin/use\ntag: t17\ntag: ${OTHER}", "justin/use:t17@{{ .d }}",
])  # fmt: skip
def test_a_default_is_in_use_and_the_variable_is_told(text: str) -> None:
    found, _, doubts = told(text)
    assert found >= T17
    assert {"use", ""} & set(doubts)


@pytest.mark.parametrize(("name", "images"), {
    "use${SUFFIX}": ["use", "use-other"], "us$A-$B": ["use", "use-other"],
    "{{ .name }}": ["use", "use-other", "team/app"], "team/{{ x }}": ["team/app"],
}.items())  # fmt: skip
def test_a_variable_in_the_name_concerns_every_image_it_can_mean(
    name: str, images: list[str]
) -> None:
    found, _, doubts = told(f"image: git/justin/{name}:t17")
    assert found == {(image, "t17") for image in images}
    assert sorted(doubts) == sorted(images)


@pytest.mark.parametrize("text", [
    "image: ${IMAGE}", "image: $REPO:$TAG", 'image = "${var.image}"', "container: ${{ env.IMAGE }}",
    "image: $(params.image)", "image: '{{ app_image }}'", "FROM ${BASE}", "image: %IMAGE%:t99",
    "FROM --platform=linux/amd64 $REGISTRY/$NAME:$TAG", "APP_IMAGE: ${{ github.repository }}:t99",
    "image: git/me/${NAME}:t99", "image=$1",
])  # fmt: skip
def test_an_image_whose_name_is_put_together_is_told(text: str) -> None:
    assert doubted(searched("image: justin/use:t17", text)) == [""]


@pytest.mark.parametrize("text", [
    "tag: ${TAG}", "--set image.tag=$TAG", '"imageTag": "{{ tag }}"', "TAG=$(git describe)",
    "newTag: ${{ github.sha }}", "tag: <tag>", "tag: v1-${BUILD}", "tag: '@TAG@'", "APP_TAG=%TAG%",
    "tag: >-\n  ${TAG}",
])  # fmt: skip
def test_a_tag_apart_from_its_image_that_is_put_together_is_told(text: str) -> None:
    assert doubted(searched("image: justin/use:t17", text)) == [""]


@pytest.mark.parametrize("text", [
    "tag: *tag", "tag = var.app_tag", "version: ^1.2", 'version: ">=1.0.0 <2"', "semver: '~1.2'",
    "targetRevision: 1.x", "range: 1.2.*", "version: '*'", "tag: image.tag", "tag = local.tags.use",
    "version: ~> 1.2", "tag: >-\n  *tag",
])  # fmt: skip
@pytest.mark.parametrize("form", ["repository: justin/use\n{}\n", "{}\nrepository: justin/use\n"])
def test_an_identifier_an_alias_or_a_range_near_an_image_is_told(text: str, form: str) -> None:
    found = searched(form.format(text), "x: t17")
    assert ("use", "t17") in pairs(found.tags)
    assert doubted(found) == ["use"]
    assert re.split("[=:]", text, maxsplit=1)[0].strip() in found.doubts[0].text


@pytest.mark.parametrize("text", [
    "repository: git/justin/use\npullPolicy: Always", "repository: justin/use\ntag: ''",
    "repository: justin/use\ntag:\npullPolicy: Always", "repository: justin/use\ntag: null",
    "newName: justin/use", "repository: ${REGISTRY}/use", "IMAGE: git/justin/use",
    "image=justin/use", "value: justin/use", "image: justin/use:t99", f"justin/use@{DIGEST}0",
    "chart: use\nversion: 9.9.9", "image: justin/use\ntag: ''", 'image: {name: use, tag: ""}',
    '{"image":"justin/use","imageTag":null}', "image: justin/use\ntag:\n  x: y",
    "image: use", "repository: justin/use\ntag: t99",
])  # fmt: skip
@pytest.mark.parametrize("beside", [
    "", "image: postgres:t17", "apiVersion: v1", "image: justin/use-other:t17", "git/me/x:t17",
    "main", "replicas: 1", "nightly", "16.4",
])  # fmt: skip
def test_an_image_without_a_tag_or_digest_that_is_plainly_its_is_told(
    text: str, beside: str
) -> None:
    images = {"use": ["latest", "t17", "v1", "main", "1", "nightly", "16.4"], "use-other": ["t17"]}
    found = searched(text, beside, images=images)
    assert [(doubt.place, doubt.image) for doubt in found.doubts] == [("f:1", "use")]
    assert not {("use", "t17")} & pairs(found.tags)


@pytest.mark.parametrize("text", [
    f"- name: justin/use\n  digest: {DIGEST}", f"image: justin/use@{DIGEST}", "image: justin/use",
    "justin/use v1", "tag: main\nrepository: justin/use", "use is a word", "uses: justin/use@v4",
    "justin/use:main", "- value: t17\n- value: justin/use", "repository: justin/use\n1.2.3-rc",
])  # fmt: skip
def test_an_image_that_is_plainly_told_leaves_no_doubt(text: str) -> None:
    images = {"use": ["latest", "t17", "v1", "main", "1.2.3-rc"]}
    is_bare = "justin/use v1" in text
    assert searched(text, images=images).doubts == () or is_bare


def test_a_digest_of_its_untagged_versions_is_enough() -> None:
    images = {"use": ["t17", DIGEST], "use-other": ["t17"]}
    text = f"repository: justin/use\nx: {DIGEST}\nrepository: justin/use-other"
    assert doubted(searched(text, images=images)) == ["use-other"]


@pytest.mark.parametrize("text", [
    "- uses: actions/checkout@v4", 'version: "3.8"', "http://git/justin/use/src/tag/x",
    "justin/use.git", 'version = "~> 5.0"', "HOST=$HOST:$PORT", "image: {{ .Values.image.name }}",
    "image: postgres:${PG}", "tags: [a]", "image: ${REGISTRY}/postgres:16", "image: null",
    "a: $TAG", "tagged: $X", "image: git/me/x:$TAG", "stage: x",
])  # fmt: skip
def test_what_is_about_something_else_is_not_told(text: str) -> None:
    assert searched("image: justin/use:t17", "\n" * 700, text).doubts == ()


@pytest.mark.parametrize(("text", "shown"), {
    "-p hunter2; git/justin/use:${TAG}; -p hunter3": "git/justin/use:${TAG}",
    "oci://me:hunter2@git/justin/use:${TAG}|x": "git/justin/use:${TAG}",
    "image: {{ .registry }}/use:{{ .tag }} # x": "{{ .registry }}/use:{{ .tag }}",
    "justin/use:t17@{{ .d }}": "justin/use:t17@{{ .d }}",
    "justin/use:${T\x1b\u2028}": "justin/use:${T}",
    f"{'h' * 50}/justin/use:${{{'A' * 300}}}": f"{'h' * 50}/justin/use:${{{'A' * 136}",
}.items())  # fmt: skip
def test_a_reference_is_told_alone_in_a_line_of_200_signs(text: str, shown: str) -> None:
    assert [d.text.split(", whose")[0] for d in searched(text).doubts] == [f"refers to {shown}"]


def test_each_doubt_is_told_once_and_never_too_many() -> None:
    found = searched("tag justin/use:$A justin/use:$B\rpush justin/use:$A\r\npush justin/use:$C")
    assert [doubt.place for doubt in found.doubts] == ["f:1", "f:3"]
    many = searched("".join(f"justin/use:${{A{n}}}\n" for n in range(1_000)))
    assert len(many.doubts) < 100
    assert "not told" in many.doubts[-1].text


def test_a_root_without_an_image_of_the_run_has_no_doubts() -> None:
    assert searched("image: ${IMAGE}", "tag: $TAG", "x:${Y}").doubts == ()
    assert tags("tag: t17") == set()
