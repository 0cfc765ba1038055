"""What versions hold and refer to, and that nothing is guessed where it cannot be known."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from registry_gc.errors import Gone, RegistryGcError
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.memory import Memory
from registry_gc.registry.reading import read
from registry_gc.registry.versions import Version
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import Answer, Box, Fault, HalfJson, Request, first, serve

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


def graph_of(
    box: Box, *names: str, memory: Memory | None = None, image: str = "app"
) -> dict[str, Manifest]:
    """The manifests by name."""
    transport = Transport(4, Event(), wait=lambda seconds: None)
    client = Client(transport, box.url, box.owner, box.token, 4)
    there = box.store.versions(image)
    versions = [
        Version(there.get(name, 9), image, name, datetime(2026, 6, 1, tzinfo=UTC)) for name in names
    ]
    steps: list[None] = []
    found = read(client, versions, memory or Memory(), lambda: steps.append(None))
    assert len(steps) == len(versions)
    assert list(found) == [v.id for v in versions]
    return {v.name: found[v.id] for v in versions}


def digests(manifest: Manifest) -> list[str]:
    return [child.digest for child in manifest.children]


# --- what is there


@pytest.mark.parametrize("profile", ["1.21", "1.22", "1.24", "1.25", "main", "forgejo"])
def test_digest_children_and_sizes_are_read_from_every_server(profile: str) -> None:
    with serve(profile) as box:
        plain = box.push.image("app", "v1", 1, layer_size=1000)
        index, children = box.push.multiarch("app", "v2", 2)
        found = graph_of(box, "v1", "v2", *children)
        for name, digest in [("v1", plain), ("v2", index), *zip(children, children, strict=True)]:
            assert found[name].digests == (digest,)
            raw = box.store.manifest("acme", "app", name).blob.content
            assert dict(found[name].blobs)[digest] == len(raw)
        assert 1000 in dict(found["v1"].blobs).values()
        assert len(found["v1"].blobs) == 4
        assert found["v2"].children == (
            Child(children[0], "linux/amd64"),
            Child(children[1], "linux/arm64"),
        )
        assert not any(found[name].children for name in ("v1", *children))


def test_of_plain_images_no_manifest_is_fetched(box: Box) -> None:
    box.push.image("app", "v1", 1)
    graph_of(box, "v1")
    assert box.faults.count(containing="/v2/") == 0
    assert box.store.downloads("app", "v1") == 0


def test_an_index_is_fetched_once_whatever_its_names(box: Box) -> None:
    index, children = box.push.multiarch("app", "v1", 1)
    box.push.index("app", "latest", zip(children, ("amd64", "arm64"), strict=True))
    box.push.index("app", None, zip(children, ("amd64", "arm64"), strict=True))
    memory = Memory()
    found = graph_of(box, "v1", "latest", index, memory=memory)
    assert [digests(manifest) for manifest in found.values()] == [children] * 3
    assert box.faults.count("GET", f"/v2/acme/app/manifests/{index}") == 1
    graph_of(box, "latest", memory=memory)
    assert box.faults.count("GET", "/v2/") == 1


def test_children_that_are_tags_and_referrers_are_children(box: Box) -> None:
    parts = [box.push.image("app", f"v1-{arch}", 1, arch) for arch in ("amd64", "arm64")]
    box.push.manifest_create("app", "v1", ["v1-amd64", "v1-arm64"])
    tag, referrers = box.push.referrers("app", parts[0], 2)
    found = graph_of(box, "v1", tag)
    assert digests(found["v1"]) == parts
    assert digests(found[tag]) == referrers


def test_a_name_with_a_slash_is_read(box: Box) -> None:
    _, children = box.push.multiarch("team/app", "v1", 1)
    assert digests(graph_of(box, "v1", image="team/app")["v1"]) == children


@pytest.mark.parametrize("again", ["index", "image"])
def test_of_several_manifests_each_is_read_and_what_a_pull_gets_is_told_apart(again: str) -> None:
    with serve("1.25.0") as box:
        old, old_children = box.push.multiarch("app", "v1", 1)
        if again == "index":
            new, children = box.push.multiarch("app", "v1", 2)
        else:
            new, children = box.push.image("app", "v1", 2), []
        manifest = graph_of(box, "v1")["v1"]
        assert manifest.digests == (new, old)
        assert digests(manifest) == children
        assert [child.digest for child in manifest.older] == old_children
        assert [child.digest for child in manifest.refers_to] == children + old_children
        assert not set(children) & set(old_children)


def test_an_older_manifest_that_cannot_be_read_is_never_taken_for_an_image() -> None:
    with serve("1.25.0") as box:
        old, _ = box.push.multiarch("app", "v1", 1)
        box.push.image("app", "v1", 2)
        box.faults.plan = first(9, Answer(404), "GET", f"/v2/acme/app/manifests/{old}")
        with pytest.raises(Gone):
            graph_of(box, "v1")


def test_nothing_asked_is_nothing_read(box: Box) -> None:
    assert graph_of(box) == {}
    assert box.faults.log == []


# --- what cannot be understood


def test_a_version_that_went_meanwhile_is_gone(box: Box) -> None:
    box.push.multiarch("app", "v1", 1)
    with pytest.raises(Gone):
        graph_of(box, "v2")
    box.faults.plan = first(1, Answer(404), "GET", "/v2/")
    with pytest.raises(Gone):
        graph_of(box, "v1")


def hold(box: Box, raw: bytes, content_type: str = "") -> None:
    """Make every version one whose only file is this manifest."""
    sha256 = hashlib.sha256(raw).hexdigest()
    files = [{"id": 1, "name": "manifest.json", "sha256": sha256, "size": len(raw)}]

    def plan(request: Request) -> Fault:
        if request.path.endswith("/files"):
            return Answer(200, json.dumps(files))
        return Answer(200, raw.decode(), {"Content-Type": content_type})

    box.faults.plan = plan


def entry(**changes: Any) -> dict[str, Any]:
    return {"mediaType": IMAGE, "digest": DIGEST, "size": 1, **changes}


def index(*entries: Any, **changes: Any) -> bytes:
    return json.dumps({"mediaType": INDEX, "manifests": entries, **changes}).encode()


@pytest.mark.parametrize(
    ("raw", "content_type", "children"),
    [
        (index(), "", ()),
        (index(entry()), "text/plain", (Child(DIGEST, ""),)),
        (index(entry(), mediaType=LIST), "", (Child(DIGEST, ""),)),
        (index(entry(), mediaType=None), LIST, (Child(DIGEST, ""),)),
        (index(entry(), mediaType=None), f"{INDEX}; charset=utf-8", (Child(DIGEST, ""),)),
        (index(entry(mediaType=INDEX)), "", (Child(DIGEST, ""),)),
        (index(entry(mediaType="x/y")), "", (Child(DIGEST, ""),)),
        (
            index(entry(platform={"os": "linux", "architecture": "arm", "variant": "v7"})),
            "",
            (Child(DIGEST, "linux/arm/v7"),),
        ),
        (index(entry(platform=None)), "", (Child(DIGEST, ""),)),
        (json.dumps({"mediaType": IMAGE}).encode(), "", ()),
    ],
)
def test_an_index_of_any_kind_is_understood(
    box: Box, raw: bytes, content_type: str, children: tuple[Child, ...]
) -> None:
    hold(box, raw, content_type)
    assert graph_of(box, "v1")["v1"].children == children


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (index(mediaType="application/vnd.new+json"), "unknown media type application/vnd.new"),
        (index(mediaType=None), "unknown media type"),
        (b"", "JSONDecodeError"),
        (b"<html>", "JSONDecodeError"),
        (b"[]", "AttributeError"),
        (b"null", "AttributeError"),
        (b"[" * 100_000, "RecursionError"),
        (index(manifests=None), "TypeError"),
        (json.dumps({"mediaType": INDEX}).encode(), "KeyError"),
        (index({}), "KeyError"),
        (index("x"), "TypeError"),
        (index(entry(digest=None)), "TypeError"),
        (index(entry(digest="latest")), "a child without a digest: latest"),
        (index(entry(digest="sha256:12")), "a child without a digest"),
        (index(entry(platform="linux")), "AttributeError"),
    ],
)
def test_a_manifest_that_is_not_understood_is_named(box: Box, raw: bytes, message: str) -> None:
    hold(box, raw)
    with pytest.raises(RegistryGcError, match="The manifest of app:v1 could not be und") as caught:
        graph_of(box, "v1")
    assert message in str(caught.value)


@pytest.mark.parametrize("fault", [HalfJson(), Answer(200, "{}"), Answer(200, "<html>")])
def test_a_manifest_that_is_not_what_its_digest_says_is_named(box: Box, fault: Fault) -> None:
    box.push.multiarch("app", "v1", 1)
    box.faults.plan = first(1, fault, "GET", "/v2/")
    with pytest.raises(RegistryGcError, match="The manifest of app:v1 arrived damaged"):
        graph_of(box, "v1")


def file(**changes: Any) -> Mapping[str, Any]:
    return {"id": 1, "name": "manifest.json", "sha256": HEX, "size": 1, **changes}


@pytest.mark.parametrize(
    "files",
    [
        [],
        {},
        None,
        "x",
        {"message": "not found"},
        [None],
        [{}],
        [file(name="sha256_00")],
        [file(id=None)],
        [file(id="1")],
        [file(sha256=None)],
        [file(sha256="")],
        [file(sha256=HEX[1:])],
        [file(size=None)],
        [file(size="1")],
        [file(), file(name="x", sha256="zz")],
    ],
)
def test_files_that_are_not_understood_are_named(box: Box, files: Any) -> None:
    box.faults.plan = lambda request: Answer(200, json.dumps(files))
    with pytest.raises(RegistryGcError, match="The files of app:v1 could not be understood"):
        graph_of(box, "v1")
