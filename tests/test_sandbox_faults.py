"""A sandbox fails as it is told to, and tells every request it got."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from tests.asking import LIST, ask
from tests.sandbox import (
    Answer,
    Box,
    CutBody,
    Drop,
    Fault,
    HalfJson,
    Hold,
    LoseAnswer,
    Request,
    first,
    serve,
)


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
