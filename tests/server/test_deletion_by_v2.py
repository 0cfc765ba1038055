"""A tag goes by /v2, with half the work for the server, and nothing else goes with it."""

import pytest

from registry_gc.server import packages
from registry_gc.server.client import Client
from tests.harness import once_before
from tests.sandbox import Answer, Box, CutBody, Drop, Fault, LoseAnswer, Request, first, serve
from tests.server.clients import client_of, error_of

V1 = "/v2/acme/app/manifests/v1"
API = "/api/v1/packages/acme/container/app/v1"


@pytest.fixture
def client(box: Box) -> Client:
    """One that has a token of /v2 already."""
    made = client_of(box)
    for _ in range(2):
        packages.digest(made, "app", "v1")
    box.faults.log.clear()
    return made


def delete(client: Client, box: Box, name: str = "v1", version_id: int = 0) -> None:
    packages.delete(client, "app", name, version_id or box.store.versions("app")[name])


def test_a_tag_goes_by_v2_and_alone(box: Box, client: Client) -> None:
    raw = box.push.registry.manifest("app", "v1") or b""
    digest = box.store.manifest("acme", "app", "v1").blob.digest
    for name in ("v1.0", digest):
        box.push.registry.put_manifest("app", name, raw, "")
    delete(client, box)
    assert box.faults.log == [("DELETE", V1)]
    assert box.store.versions("app").keys() == {"v1.0", digest}


def test_what_has_a_digest_for_its_name_never_goes_by_v2(box: Box, client: Client) -> None:
    """There it would take every tag that holds it."""
    digest = box.push.image("app", None, 5)
    box.push.registry.put_manifest(
        "app", "v5", box.push.registry.manifest("app", digest) or b"", ""
    )
    delete(client, box, digest)
    assert [target.split("/")[1] for _, target in box.faults.log] == ["api"]
    assert box.store.versions("app").keys() == {"v1", "v5"}


def test_the_first_deletion_of_a_run_asks_for_no_token(box: Box) -> None:
    delete(client_of(box), box)
    assert box.faults.log == [("DELETE", API)]


@pytest.mark.parametrize("status", [401, 403, 405])
def test_where_v2_does_not_take_it_the_api_does_from_then_on(
    box: Box, client: Client, status: int
) -> None:
    def plan(request: Request) -> Fault | None:
        is_it = request.method == "DELETE" and request.path.startswith("/v2/")
        return Answer(status) if is_it else None

    box.push.image("app", "v2", 2)
    box.faults.plan = plan
    delete(client, box)
    delete(client, box, "v2")
    assert box.faults.log == [("DELETE", V1), ("DELETE", API), ("DELETE", API[:-2] + "v2")]
    assert box.store.versions("app") == {}


def test_what_v2_does_not_find_is_looked_for(box: Box, client: Client) -> None:
    box.faults.plan = lambda request: Answer(404) if request.path == V1 else None
    delete(client, box)
    assert box.faults.log == [("DELETE", V1), ("GET", API), ("DELETE", API)]
    assert box.store.versions("app") == {}


def test_what_was_pushed_under_the_name_of_what_is_gone_stays(box: Box, client: Client) -> None:
    box.faults.plan = lambda request: Answer(404) if request.path == V1 else None
    once_before(box, lambda: box.push.image("app", "v1", 9), "GET", API, 1)
    delete(client, box)
    assert box.faults.log == [("DELETE", V1), ("GET", API)]
    assert box.store.versions("app").keys() == {"v1"}


def test_what_is_gone_already_is_deleted(box: Box, client: Client) -> None:
    delete(client, box)
    delete(client, box, "v1", 4)
    assert box.faults.log == [("DELETE", V1), ("DELETE", V1), ("GET", API)]


@pytest.mark.parametrize("fault", [LoseAnswer(), Answer(500), Answer(502), Drop(), CutBody()])
def test_what_was_pushed_while_an_answer_was_lost_stays(
    box: Box, client: Client, fault: Fault
) -> None:
    box.faults.plan = first(1, fault, "DELETE")
    once_before(box, lambda: box.push.image("app", "v1", 2), "GET", API, 1)
    delete(client, box)
    if fault != CutBody():
        assert box.faults.log == [("DELETE", V1), ("GET", API)]
        assert box.store.versions("app").keys() == {"v1"}


@pytest.mark.parametrize("status", [200, 204, 302, 307, 400])
def test_it_is_done_when_the_server_says_202_and_not_before(
    box: Box, client: Client, status: int
) -> None:
    box.faults.plan = lambda request: Answer(status, "<html>", {"Location": "/x"})
    error_of(lambda: delete(client, box))
    assert len(box.faults.log) == 1


def test_a_tag_that_v2_cannot_find_any_more_goes_all_the_same() -> None:
    """1.25.0 leaves a row without a manifest to pull when the same one is pushed a second time."""
    with serve("1.25.0") as box:
        for seed in (1, 2, 1):
            box.push.image("app", "v1", seed)
        box.push.image("app", "v2", 2)
        client = client_of(box)
        for _ in range(2):
            packages.digest(client, "app", "v2")
        delete(client, box)
        assert box.store.versions("app").keys() == {"v2"}
