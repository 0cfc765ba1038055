"""What the sandbox adds to a real server, and what only some servers do.

What all servers do alike is pinned in tests/contract.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from tests.sandbox import (
    Answer,
    Box,
    CutBody,
    Drop,
    Fault,
    HalfJson,
    Hold,
    LoseAnswer,
    Pusher,
    Refused,
    Request,
    Store,
    first,
    serve,
)

LIST = "/api/v1/packages/acme"


@pytest.fixture
def box(running: Box) -> Box:
    running.reset()
    return running


def ask(
    box: Box, path: str = LIST, method: str = "GET", token: str | None = None, **kwargs: Any
) -> requests.Response:
    headers = {"Authorization": f"token {token or box.token}"}
    kwargs = {"timeout": 10, "allow_redirects": False, **kwargs}
    return requests.request(method, box.url + path, headers=headers, **kwargs)


def pull(box: Box, path: str, method: str = "GET", token: str | None = None) -> requests.Response:
    auth = ("any", token or box.token)
    return requests.request(method, f"{box.url}/v2/acme/{path}", auth=auth, timeout=10)


# --- faults and the log


def test_the_log_has_every_request_as_it_was_sent(box: Box) -> None:
    ask(box, f"{LIST}?q=a%2Fb&page=1")
    ask(box, f"{LIST}/container/a%2Fb/v1", "DELETE")
    assert box.faults.log == [
        ("GET", f"{LIST}?q=a%2Fb&page=1"),
        ("DELETE", f"{LIST}/container/a%2Fb/v1"),
    ]
    assert box.faults.count() == 2
    assert box.faults.count("DELETE") == box.faults.count(containing="page=") == 1


def test_a_plan_sees_each_request_and_its_number(box: Box) -> None:
    seen: list[tuple[int, str, str, str]] = []

    def plan(request: Request) -> Fault | None:
        seen.append((request.number, request.method, request.path, request.headers["User-Agent"]))
        return Answer(429) if request.number == 2 else None

    box.faults.plan = plan
    assert [ask(box, f"{LIST}?page={n}").status_code for n in (1, 2)] == [200, 429]
    agent = requests.utils.default_user_agent()
    assert seen == [(1, "GET", LIST, agent), (2, "GET", LIST, agent)]


def test_an_answer_replaces_what_was_asked(box: Box) -> None:
    box.push.image("app", "v1", 1)
    box.faults.plan = lambda request: Answer(503, "<html>", {"Retry-After": "7"})
    answer = ask(box, f"{LIST}/container/app/v1", "DELETE")
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "<html>", "7")
    assert "v1" in box.store.versions("app")


def test_a_dropped_request_is_not_carried_out(box: Box) -> None:
    box.push.image("app", "v1", 1)
    box.faults.plan = lambda request: Drop()
    with pytest.raises(requests.ConnectionError):
        ask(box, f"{LIST}/container/app/v1", "DELETE")
    assert "v1" in box.store.versions("app")


def test_a_request_whose_answer_is_lost_is_carried_out(box: Box) -> None:
    box.push.image("app", "v1", 1)
    box.faults.plan = lambda request: LoseAnswer()
    with pytest.raises(requests.ConnectionError):
        ask(box, f"{LIST}/container/app/v1", "DELETE")
    assert box.store.versions("app") == {}


def test_a_cut_body_ends_before_its_announced_length(box: Box) -> None:
    box.push.image("app", "v1", 1)
    box.faults.plan = lambda request: CutBody()
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(box)


def test_half_json_arrives_whole_and_cannot_be_read(box: Box) -> None:
    box.push.image("app", "v1", 1)
    box.faults.plan = lambda request: HalfJson()
    answer = ask(box)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_held_request_waits_for_the_test_while_others_go_on(box: Box) -> None:
    gate = threading.Event()
    box.faults.plan = first(1, Hold(gate), containing="held")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(ask, box, f"{LIST}?held")
        while not box.faults.count(containing="held"):
            assert ask(box).status_code == 200
        assert not held.done()
        gate.set()
        assert held.result().status_code == 200


def test_first_spoils_that_many_matching_requests_and_no_more(box: Box) -> None:
    box.faults.plan = first(2, Answer(502), "GET", "page=")
    asked = [f"{LIST}?page=1", LIST, f"{LIST}?page=1", f"{LIST}?page=1"]
    assert [ask(box, path).status_code for path in asked] == [502, 200, 502, 200]


def test_a_hook_can_push_between_two_requests_without_leaving_a_trace(box: Box) -> None:
    def before(request: Request) -> None:
        if request.number == 2:
            box.push.image("app", "late", 1)

    box.faults.before = before
    assert [len(ask(box).json()) for _ in range(3)] == [0, 1, 1]
    assert box.faults.count() == 3


def test_what_a_hook_raises_is_raised_again_when_the_box_closes() -> None:
    def before(request: Request) -> None:
        raise ValueError("in the hook")

    with pytest.raises(ValueError, match="in the hook"), serve() as box:
        box.faults.before = before
        assert ask(box).status_code == 500


def test_a_reset_box_is_as_new_at_the_same_address(box: Box) -> None:
    url, token = box.url, box.token
    box.push.image("app", "v1", 1)
    box.faults.plan = lambda request: Drop()
    box.store.max_items = 1
    box.reset()
    assert (box.url, box.token, box.faults.log) == (url, token, [])
    assert ask(box).json() == []
    assert box.store.max_items == 50


def test_one_connection_carries_many_requests(box: Box) -> None:
    host = box.url.removeprefix("http://")
    with closing(HTTPConnection(host, timeout=10)) as connection:
        connection.connect()
        opened = connection.sock
        for _ in range(3):
            connection.request("GET", "/api/v1/version")
            connection.getresponse().read()
            assert connection.sock is opened


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
    ("profile", "status", "left"),
    [("1.21", 404, 1), ("1.25", 405, 1), ("forgejo", 404, 1), ("main", 204, 0)],
)
def test_a_delete_without_version_deletes_the_whole_image_since_1_26(
    profile: str, status: int, left: int
) -> None:
    with serve(profile) as box:
        box.push.image("app", "v1", 1)
        assert ask(box, f"{LIST}/container/app/", "DELETE").status_code == status
        assert len(box.store.versions("app")) == left


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
    for profile, left in (("forgejo", 3), ("1.25", 4)):
        store = Store(profile)
        store.add_owner("acme")
        push = Pusher.into(store, "acme")
        _, children = push.multiarch("app", "v1", 1)
        orphan = push.image("app", None, 2)
        store.cleanup()
        assert len(store.versions("app")) == left, profile
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
