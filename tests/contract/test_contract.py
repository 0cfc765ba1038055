"""What the program relies on in a server. Differences between versions are named where allowed."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
import requests

from tests.sandbox import Refused

from .conftest import Server

OTHER = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"


# --- listing


def test_a_page_never_exceeds_the_cap_and_pages_end_with_an_empty_one(server: Server) -> None:
    settings = server.session.get(f"{server.url}/api/v1/settings/api", timeout=30).json()
    cap, usual = settings["max_response_items"], settings["default_paging_num"]
    if cap > 60:
        pytest.skip(f"the server's page cap of {cap} is too large to fill")
    image, pusher = server.image(), server.pusher
    for n in range(cap + 2):
        pusher.image(image, f"v{n}", seed=1)
    sizes = {
        (page, limit): len(server.api("GET", q=image, page=page, limit=limit).json())
        for page, limit in [(1, 1000), (2, 1000), (3, 1000), (1, cap), (1, 7), (1, 0)]
    }
    assert sizes == {
        (1, 1000): cap,
        (2, 1000): 2,
        (3, 1000): 0,
        (1, cap): cap,
        (1, 7): 7,
        (1, 0): usual,
    }
    assert set(server.rows(image)) == {f"v{n}" for n in range(cap + 2)}


def test_every_page_names_the_total_number_of_versions(server: Server) -> None:
    image = server.image()
    for tag in ("a", "b", "c"):
        server.pusher.image(image, tag, seed=tag)
    for page in (1, 2, 3):
        answer = server.api("GET", type="container", q=image, page=page, limit=2)
        assert answer.headers["X-Total-Count"] == "3", page


def test_versions_are_listed_newest_first(server: Server) -> None:
    image = server.image()
    for tag in ("a", "b", "c"):
        server.pusher.image(image, tag, seed=tag)
    dates = [row["created_at"] for row in server.api("GET", q=image).json()]
    assert len(dates) == 3
    assert dates == sorted(dates, reverse=True)


def test_q_is_a_substring_in_any_case_in_which_underscore_and_percent_match_all(
    server: Server,
) -> None:
    base = server.image()
    for ending in ("-x_y", "-xzy", "-xzzy"):
        server.pusher.image(base + ending, "v1", seed=1)

    def found(q: str) -> set[str]:
        rows = server.api("GET", type="container", q=q).json()
        return {row["name"].removeprefix(base) for row in rows}

    assert found(base[3:]) == {"-x_y", "-xzy", "-xzzy"}
    assert found(f"{base}-x_y") == {"-x_y", "-xzy"}
    assert found(f"{base}-X%Y") == {"-x_y", "-xzy", "-xzzy"}
    assert found(f"{base}-xzy") == {"-xzy"}


def test_an_unknown_image_lists_as_nothing(server: Server) -> None:
    answer = server.api("GET", type="container", q=server.image())
    assert (answer.status_code, answer.json()) == (200, [])


def test_an_unknown_owner_is_404(server: Server) -> None:
    url = f"{server.url}/api/v1/packages/{server.image()}"
    answer = requests.get(url, headers={"Authorization": f"token {server.token}"}, timeout=30)
    assert answer.status_code == 404


def test_a_row_has_the_fields_that_are_read(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    row = server.rows(image)["v1"]
    assert isinstance(row["id"], int)
    assert row["owner"]["login"].lower() == server.owner.lower()
    assert (row["type"], row["name"], row["version"]) == ("container", image, "v1")
    assert datetime.fromisoformat(row["created_at"]).tzinfo is not None


def test_the_server_says_its_version(server: Server) -> None:
    answer = server.forge("GET", "/version")
    assert answer.status_code == 200
    assert re.match(r"\d+\.\d+\.\d+", answer.json()["version"])


def test_the_server_says_what_time_it_is(server: Server) -> None:
    assert server.api("GET", limit=1).headers["Date"].endswith("GMT")


def test_reading_an_image_changes_nothing_in_the_listing(server: Server) -> None:
    image = server.image()
    server.pusher.multiarch(image, "v1", seed=1)
    before = server.rows(image)
    for name in before:
        server.v2("GET", f"{image}/manifests/{name}")
        server.v2("HEAD", f"{image}/manifests/{name}")
        server.version("GET", image, name, "/files")
    assert server.rows(image) == before


# --- what is a version


def test_an_index_and_each_child_pushed_by_digest_are_versions(server: Server) -> None:
    image = server.image()
    _, children = server.pusher.multiarch(image, "v1", seed=1)
    assert set(server.rows(image)) == {"v1", *children}


def test_signatures_and_referrers_are_tags(server: Server) -> None:
    image = server.image()
    digest = server.pusher.image(image, "v1", seed=1)
    signature = server.pusher.signature(image, digest)
    fallback, manifests = server.pusher.referrers(image, digest, count=2)
    assert set(server.rows(image)) == {"v1", signature, fallback, *manifests}


def test_a_tag_is_stored_and_found_in_lower_case(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "V1.RC", seed=1)
    assert set(server.rows(image)) == {"v1.rc"}
    assert server.pusher.missing(image, "V1.RC") == []
    assert server.version("DELETE", image, "V1.Rc").status_code == 204


def test_a_child_may_exist_as_a_tag_only(server: Server) -> None:
    image, pusher = server.image(), server.pusher
    for arch in ("amd64", "arm64"):
        pusher.image(image, f"v1-{arch}", seed=1, arch=arch)
    pusher.manifest_create(image, "v1", ["v1-amd64", "v1-arm64"])
    assert set(server.rows(image)) == {"v1", "v1-amd64", "v1-arm64"}
    assert pusher.missing(image, "v1") == []


# --- pushing


def test_a_second_push_of_a_tag_is_a_new_row(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    first = server.rows(image)["v1"]
    server.pusher.image(image, "v1", seed=1)
    second = server.rows(image)["v1"]
    assert second["id"] > first["id"]
    assert second["created_at"] >= first["created_at"]
    assert set(server.rows(image)) == {"v1"}


@pytest.mark.parametrize("child", ["nowhere", "only a blob"])
def test_an_index_whose_child_is_not_there_as_a_manifest_is_refused(
    server: Server, child: str
) -> None:
    image = server.image()
    server.pusher.image(image, "other", seed=1)
    digest = "sha256:" + "0" * 64
    if child == "only a blob":
        digest = server.v2("GET", f"{image}/manifests/other").json()["layers"][0]["digest"]
    entry = {"mediaType": OTHER, "digest": digest, "size": 2}
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    answer = server.v2("PUT", f"{image}/manifests/v1", data=body, headers={"Content-Type": INDEX})
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"
    assert set(server.rows(image)) == {"other"}


def test_an_index_of_an_index_is_refused(server: Server) -> None:
    image = server.image()
    inner, _ = server.pusher.multiarch(image, "inner", seed=1)
    with pytest.raises(Refused, match=r"^400 "):
        server.pusher.index(image, "outer", [(inner, "amd64")])


def test_an_image_whose_blob_is_not_there_is_refused(server: Server) -> None:
    image, other = server.image(), server.image()
    server.pusher.image(other, "v1", seed=1)
    raw = server.v2("GET", f"{other}/manifests/v1")
    answer = server.v2(
        "PUT",
        f"{image}/manifests/v1",
        data=raw.content,
        headers={"Content-Type": raw.headers["Content-Type"]},
    )
    assert answer.status_code == 404
    assert server.rows(image) == {}


def test_a_blob_can_be_sent_in_chunks(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    place = server.v2("POST", f"{image}/blobs/uploads/").headers["Location"]
    place = place.partition(f"/v2/{server.owner.lower()}/")[2]
    assert server.v2("PATCH", place, data=b"hello").status_code == 202
    digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert server.v2("PUT", f"{place}?digest={digest}").status_code == 201
    assert server.v2("GET", f"{image}/blobs/{digest}").content == b"hello"


# --- files and manifests


def test_the_files_of_an_image_are_its_manifest_config_and_layers(server: Server) -> None:
    image = server.image()
    digest = server.pusher.image(image, "v1", seed=1, layer_size=123)
    files = server.version("GET", image, "v1", "/files").json()
    manifest = server.v2("GET", f"{image}/manifests/v1").json()
    parts = [manifest["config"], *manifest["layers"]]
    sizes = {file["name"]: file.get("size", file.get("Size")) for file in files}
    assert {
        part["digest"].replace(":", "_"): part["size"] for part in parts
    }.items() <= sizes.items()
    assert len(files) == len(parts) + 1
    (found,) = [file["sha256"] for file in files if file["name"] == "manifest.json"]
    assert f"sha256:{found}" == digest


def test_an_index_has_one_file_its_manifest(server: Server) -> None:
    image = server.image()
    digest, _ = server.pusher.multiarch(image, "v1", seed=1)
    (file,) = server.version("GET", image, "v1", "/files").json()
    assert (file["name"], f"sha256:{file['sha256']}") == ("manifest.json", digest)


def test_a_manifest_comes_with_its_digest_whatever_is_accepted(server: Server) -> None:
    image = server.image()
    digest, _ = server.pusher.multiarch(image, "v1", seed=1)
    for method in ("GET", "HEAD"):
        for ref in ("v1", digest):
            answer = server.v2(method, f"{image}/manifests/{ref}", headers={"Accept": OTHER})
            assert answer.status_code == 200
            assert answer.headers["Docker-Content-Digest"] == digest
            assert answer.headers["Content-Type"] == INDEX


def test_a_manifest_or_blob_that_is_not_there_is_404(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    nowhere = "sha256:" + "0" * 64
    for path in (f"manifests/{nowhere}", "manifests/v2", f"blobs/{nowhere}"):
        assert server.v2("GET", f"{image}/{path}").status_code == 404, path
        assert server.v2("HEAD", f"{image}/{path}").status_code == 404, path


# --- deleting


def test_deleting_a_version_twice_is_204_then_404(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    assert server.version("DELETE", image, "v1").status_code == 204
    assert server.version("DELETE", image, "v1").status_code == 404
    assert server.version("GET", image, "v1").status_code == 404
    assert server.version("GET", image, "v1", "/files").status_code == 404


def test_deleting_an_index_leaves_its_children(server: Server) -> None:
    image = server.image()
    _, children = server.pusher.multiarch(image, "v1", seed=1)
    server.version("DELETE", image, "v1")
    assert set(server.rows(image)) == set(children)


def test_a_child_of_a_live_index_is_deleted_without_a_word(server: Server) -> None:
    image = server.image()
    _, children = server.pusher.multiarch(image, "v1", seed=1)
    assert server.pusher.missing(image, "v1") == []
    assert server.version("DELETE", image, children[0]).status_code == 204
    assert server.pusher.missing(image, "v1") == [f"{image}: manifest {children[0]}"]
    assert set(server.rows(image)) == {"v1", children[1]}


def test_deleting_a_tag_that_an_index_needs_breaks_the_index(server: Server) -> None:
    image, pusher = server.image(), server.pusher
    pusher.image(image, "v1-amd64", seed=1)
    pusher.manifest_create(image, "v1", ["v1-amd64"])
    assert server.version("DELETE", image, "v1-amd64").status_code == 204
    assert pusher.missing(image, "v1") != []


def test_a_manifest_stays_as_long_as_one_version_holds_it(server: Server) -> None:
    image, pusher = server.image(), server.pusher
    digest = pusher.image(image, None, seed=1)
    pusher.image(image, "v1", seed=1)
    pusher.index(image, "all", [(digest, "amd64")])
    server.version("DELETE", image, digest)
    assert pusher.missing(image, "all") == []
    server.version("DELETE", image, "v1")
    assert pusher.missing(image, "all") != []


def test_blobs_leave_the_registry_with_the_last_version_that_has_them(server: Server) -> None:
    image, pusher = server.image(), server.pusher
    pusher.image(image, "v1", seed=1)
    base, own = (
        layer["digest"] for layer in server.v2("GET", f"{image}/manifests/v1").json()["layers"]
    )
    pusher.image(image, "v2", seed=2)
    server.version("DELETE", image, "v1")
    assert server.v2("HEAD", f"{image}/blobs/{own}").status_code == 404
    assert server.v2("HEAD", f"{image}/blobs/{base}").status_code == 200
    assert pusher.missing(image, "v2") == []


def test_a_registry_delete_by_digest_takes_every_tag_of_the_manifest(server: Server) -> None:
    image = server.image()
    digest = server.pusher.image(image, "v1", seed=1)
    server.pusher.image(image, "v1.0", seed=1)
    server.pusher.image(image, "v2", seed=2)
    assert server.v2("DELETE", f"{image}/manifests/{digest}").status_code == 202
    assert set(server.rows(image)) == {"v2"}


def test_a_delete_without_a_version_deletes_everything_or_nothing(server: Server) -> None:
    # everything since 1.26: the reason why the client never sends one
    image = server.image()
    server.pusher.multiarch(image, "v1", seed=1)
    before = server.rows(image)
    status = server.version("DELETE", image, "").status_code
    assert (status, server.rows(image)) in [(204, {}), (404, before), (405, before)]


# --- names and tokens


def test_a_slash_in_a_name_must_be_escaped_and_else_names_another_package(server: Server) -> None:
    outer = server.image()
    inner = f"{outer}/sub"
    server.pusher.image(inner, "files", seed=1)
    server.pusher.image(outer, "sub", seed=2)
    assert server.rows(inner).keys() == {"files"}
    assert server.version("GET", inner, "files").json()["name"] == inner
    assert server.api("GET", f"/container/{outer}/sub").json()["name"] == outer
    assert server.api("DELETE", f"/container/{outer}/sub/files").status_code in (404, 405)
    assert server.api("DELETE", f"/container/{outer}/sub").status_code == 204
    assert server.rows(outer) == {}
    assert server.version("DELETE", inner, "files").status_code == 204
    assert server.rows(inner) == {}


def test_a_digest_may_be_sent_with_its_colon_escaped(server: Server) -> None:
    image = server.image()
    digest = server.pusher.image(image, None, seed=1)
    assert server.version("GET", image, digest.replace(":", "%3A"), "/files").status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_token_and_a_wrong_token_are_401(server: Server, method: str) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    path = f"/api/v1/packages/{server.owner}/container/{image}/v1"
    for headers in ({}, {"Authorization": "token " + "0" * 40}):
        answer = requests.request(method, server.url + path, headers=headers, timeout=30)
        assert answer.status_code == 401, headers
    assert set(server.rows(image)) == {"v1"}


def test_the_registry_takes_the_token_as_password_only(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    url = f"{server.url}/v2/{server.owner}/{image}/manifests/v1"

    def status(auth: tuple[str, str] | None = None, **headers: str) -> int:
        return requests.get(url, auth=auth, headers=headers, timeout=30).status_code

    assert status(("anyone", server.token)) == 200
    assert status() == 401
    assert status(("anyone", "0" * 40)) == 401
    assert status(Authorization=f"token {server.token}") == 401
