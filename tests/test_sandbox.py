"""What the sandbox adds to a real server, and what only some servers do.

What all servers do alike is pinned in tests/contract.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from tests.asking import LIST, ask, pull
from tests.sandbox import (
    Box,
    Pusher,
    Refused,
    Store,
    serve,
)

# --- time


def test_pushes_and_the_date_header_follow_the_stores_clock(box: Box) -> None:
    box.store.now = datetime.fromisoformat("2026-03-01T10:00:00.9Z")
    box.push.image("app", "v1", 1)
    answer = ask(box)
    assert answer.json()[0]["created_at"] == "2026-03-01T10:00:00Z"
    assert answer.headers["Date"] == "Sun, 01 Mar 2026 10:00:00 GMT"


def test_age_backdates_a_version_and_moves_it_in_the_listing(box: Box) -> None:
    for tag in ("old", "new"):
        box.push.image("app", tag, tag)
    box.store.age("app", "new", days=200)
    rows = ask(box).json()
    assert [row["version"] for row in rows] == ["old", "new"]
    age = box.store.now - datetime.fromisoformat(rows[1]["created_at"])
    assert age == timedelta(days=200)


def test_dates_are_shown_in_the_servers_zone(box: Box) -> None:
    box.store.zone = timezone(timedelta(hours=2))
    box.push.image("app", "v1", 1)
    assert ask(box).json()[0]["created_at"] == "2026-06-01T14:00:00+02:00"


# --- what differs between servers


def pages(profile: str, size: int = 2) -> list[list[str]]:
    """Three versions of one second, listed in pages."""
    store = Store(profile)
    store.add_owner("acme")
    for tag in "abc":
        Pusher.into(store, "acme").image("app", tag, tag)
    return [[row.name for row in store.listing("acme", "app", n, size)[0]] for n in (1, 2)]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("1.22", [["a", "b"], ["c"]]),
        ("forgejo", [["a", "b"], ["c"]]),
        ("1.24", [["c", "b"], ["a"]]),
        ("1.25", [["c", "b"], ["a"]]),
        ("1.21", [["a", "b"], ["a"]]),  # c is missed, a comes twice
    ],
)
def test_versions_of_one_second_come_in_the_order_of_the_server(
    profile: str, expected: list[list[str]]
) -> None:
    assert pages(profile) == expected


@pytest.mark.parametrize(
    ("profile", "key"),
    [("1.21", "Size"), ("forgejo", "Size"), ("1.24", "size"), ("1.25", "size"), ("main", "size")],
)
def test_the_size_of_a_file_has_the_key_of_the_server(profile: str, key: str) -> None:
    with serve(profile) as box:
        box.push.image("app", "v1", 1, layer_size=77)
        files = ask(box, f"{LIST}/container/app/v1/files").json()
    assert {"size", "Size"} & set(files[0]) == {key}
    assert 77 in [file[key] for file in files]


@pytest.mark.parametrize(
    ("profile", "status", "remaining"),
    [("1.21", 404, 1), ("1.25", 405, 1), ("forgejo", 404, 1), ("main", 204, 0)],
)
def test_a_delete_without_version_deletes_the_whole_image_since_1_26(
    profile: str, status: int, remaining: int
) -> None:
    with serve(profile) as box:
        box.push.image("app", "v1", 1)
        assert ask(box, f"{LIST}/container/app/", "DELETE").status_code == status
        assert len(box.store.versions("app")) == remaining


def test_1_25_0_freezes_a_pushed_row_and_keeps_its_old_manifests(box: Box) -> None:
    with serve("1.25.0") as box:
        first_digest = box.push.image("app", "v1", 1)
        before = ask(box).json()
        box.store.now += timedelta(hours=1)
        digest = box.push.image("app", "v1", 2)
        assert ask(box).json() == before
        files = ask(box, f"{LIST}/container/app/v1/files").json()
        manifests = {f"sha256:{f['sha256']}" for f in files if f["name"] == "manifest.json"}
        assert manifests == {first_digest, digest}
        assert pull(box, "app/manifests/v1").headers["Docker-Content-Digest"] == digest


def test_only_forgejos_cron_deletes_untagged_versions_that_no_index_needs() -> None:
    for profile, remaining in (("forgejo", 3), ("1.25", 4)):
        store = Store(profile)
        store.add_owner("acme")
        push = Pusher.into(store, "acme")
        _, children = push.multiarch("app", "v1", 1)
        orphan = push.image("app", None, 2)
        store.cleanup()
        assert len(store.versions("app")) == remaining, profile
        assert {"v1", *children} <= store.versions("app").keys()
        assert (orphan in store.versions("app")) == (profile == "1.25")


# --- disk space and downloads


def test_the_cron_frees_blobs_a_day_after_their_push(box: Box) -> None:
    box.store.admins.add("acme")
    token = box.store.add_token("acme", "write:admin")
    digest = box.push.image("app", "v1", 1)
    box.store.delete_version("acme", "app", "v1")
    freed = []
    for days in (0.9, 0.2):
        box.store.now += timedelta(days=days)
        answer = ask(box, "/api/v1/admin/cron/cleanup_packages", "POST", token)
        assert answer.status_code == 204
        freed.append(not box.store.has_blob(digest))
    assert freed == [False, True]


def test_getting_a_manifest_counts_as_a_download_and_asking_for_its_head_does_not(
    box: Box,
) -> None:
    box.push.image("app", "v1", 1)
    pull(box, "app/manifests/v1", "HEAD")
    assert box.store.downloads("app", "v1") == 0
    pull(box, "app/manifests/v1")
    assert box.store.downloads("app", "v1") == 1


# --- rights


@pytest.mark.parametrize(
    ("method", "scope", "status"),
    [
        ("GET", "read:package", 200),
        ("GET", "write:package", 200),
        ("GET", "all", 200),
        ("GET", "write:user", 403),
        ("DELETE", "read:package", 403),
        ("DELETE", "write:package", 204),
        ("DELETE", "all", 204),
    ],
)
def test_a_token_can_do_what_its_scopes_say(box: Box, method: str, scope: str, status: int) -> None:
    box.push.image("app", "v1", 1)
    token = box.store.add_token("acme", scope)
    assert ask(box, f"{LIST}/container/app/v1", method, token).status_code == status


def test_anyone_may_read_a_public_owner_and_only_members_may_delete(box: Box) -> None:
    box.store.add_owner("org", members=["bob"])
    Pusher.into(box.store, "org").image("app", "v1", 1)
    path = "/api/v1/packages/org/container/app/v1"
    job = box.store.add_token("gitea-actions", "all")
    assert ask(box, path, token=job).status_code == 200
    assert ask(box, path, "DELETE", job).status_code == 403
    bob = box.store.add_token("bob", "write:package")
    assert ask(box, path, "DELETE", bob).status_code == 204


def test_a_private_owner_is_for_members_only(box: Box) -> None:
    box.store.add_owner("org", members=["bob"], public=False)
    assert ask(box, "/api/v1/packages/org").status_code == 403
    bob = box.store.add_token("bob", "read:package")
    assert ask(box, "/api/v1/packages/org", token=bob).status_code == 200


def test_the_registry_answers_401_to_every_lack_of_right(box: Box) -> None:
    box.push.image("app", "v1", 1)
    for user, scope in (("bob", "all"), ("acme", "read:package")):
        token = box.store.add_token(user, scope)
        assert pull(box, "app/manifests/v1", "DELETE", token).status_code == 401
    assert "v1" in box.store.versions("app")


@pytest.mark.parametrize(
    ("admin", "scope"), [(False, "all"), (True, "write:package"), (True, "read:admin")]
)
def test_the_cron_is_for_admins_with_the_scope(box: Box, admin: bool, scope: str) -> None:
    if admin:
        box.store.admins.add("acme")
    token = box.store.add_token("acme", scope)
    answer = ask(box, "/api/v1/admin/cron/cleanup_packages", "POST", token)
    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_renamed_owner_is_redirected_with_the_same_method(box: Box, method: str) -> None:
    box.push.image("app", "v1", 1)
    box.store.rename_owner("acme", "newname")
    answer = ask(box, f"{LIST}/container/app/v1?x=1", method)
    assert answer.status_code == 307
    assert answer.headers["Location"] == "/api/v1/packages/newname/container/app/v1?x=1"


def test_the_link_header_leads_to_an_address_that_cannot_be_reached(box: Box) -> None:
    for n in range(3):
        box.push.image("app", f"v{n}", n)
    assert "registry.invalid" in ask(box, f"{LIST}?limit=2").headers["Link"]


# --- the pusher


def test_the_same_push_gives_the_same_digests_over_http_and_directly(box: Box) -> None:
    wire = Pusher(box.url, "acme", box.token)
    assert wire.multiarch("a", "v1", 1) == box.push.multiarch("b", "v1", 1)
    assert wire.image("a", "x", 1) != wire.image("a", "x", 2)
    assert wire.signature("a", wire.image("a", "x", 1)) in box.store.versions("a")


def test_missing_names_everything_that_a_pull_would_not_find(box: Box) -> None:
    wire = Pusher(box.url, "acme", box.token)
    index, children = box.push.multiarch("app", "v1", 1)
    assert wire.missing("app", "v1") == box.push.missing("app", index) == []
    box.store.delete_version("acme", "app", children[1])
    gone = [f"app: manifest {children[1]}"]
    assert wire.missing("app", "v1") == box.push.missing("app", index) == gone
    assert wire.missing("app", "v2") == ["app: manifest v2"]


def test_a_pusher_says_what_the_registry_refused(box: Box) -> None:
    for push in (box.push, Pusher(box.url, "acme", box.token)):
        with pytest.raises(Refused, match="404"):
            push.manifest_create("app", "v1", ["nowhere"])
        with pytest.raises(Refused, match="400"):
            push.image("app", "-bad", 1)


def test_many_threads_can_push_list_and_delete_at_once(box: Box) -> None:
    def work(n: int) -> int:
        box.push.image("app", f"v{n}", n)
        assert ask(box, f"{LIST}?q=app").status_code == 200
        return ask(box, f"{LIST}/container/app/v{n}", "DELETE").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(40))) == {204}
    assert ask(box).json() == []
