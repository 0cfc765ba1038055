"""A manifest gets another name, and is there when that is said."""

import pytest

from registry_gc.errors import Gone, WrongAnswer
from registry_gc.server import packages
from tests.harness import once_before
from tests.sandbox import Answer, Box, Drop, Fault, LoseAnswer, first
from tests.server.clients import client_of


def digest_of(box: Box, name: str = "v1") -> str:
    return box.store.manifest(box.owner, "app", name).blob.digest


def asked(box: Box) -> list[str]:
    return [method for method, target in box.faults.log if "/v2/token" not in target]


def test_a_copy_is_the_same_manifest_under_both_names(box: Box) -> None:
    packages.copy(client_of(box), "app", digest_of(box), "gc-trash.v1")
    assert digest_of(box, "gc-trash.v1") == digest_of(box)
    assert asked(box) == ["GET", "PUT", "HEAD"]


def test_an_index_keeps_its_bytes_and_its_media_type(box: Box) -> None:
    box.push.multiarch("app", "many", 3)
    packages.copy(client_of(box), "app", digest_of(box, "many"), "other")
    there = [box.store.manifest(box.owner, "app", name) for name in ("many", "other")]
    assert there[0].blob.digest == there[1].blob.digest
    assert there[0].media_type == there[1].media_type


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
@pytest.mark.parametrize("fault", [LoseAnswer(), Drop(), Answer(503), Answer(500)])
def test_a_fault_that_passes_changes_nothing(box: Box, method: str, fault: Fault) -> None:
    box.faults.plan = first(1, fault, method)
    packages.copy(client_of(box), "app", digest_of(box), "gc-trash.v1")
    assert digest_of(box, "gc-trash.v1") == digest_of(box)


def test_a_push_without_an_answer_is_not_sent_again_when_it_was_done(box: Box) -> None:
    box.faults.plan = first(1, LoseAnswer(), "PUT")
    packages.copy(client_of(box), "app", digest_of(box), "gc-trash.v1")
    assert asked(box) == ["GET", "PUT", "HEAD"]


def test_a_copy_that_someone_else_pushes_over_at_once_is_not_called_done(box: Box) -> None:
    digest = digest_of(box)
    once_before(box, lambda: box.push.image("app", "gc-trash.v1", 9), "HEAD", "gc-trash", 1)
    with pytest.raises(WrongAnswer, match="does not hold"):
        packages.copy(client_of(box), "app", digest, "gc-trash.v1")


def test_a_manifest_that_arrives_damaged_is_not_pushed(box: Box) -> None:
    box.faults.plan = first(1, Answer(200, "{}"), "GET")
    with pytest.raises(WrongAnswer, match="damaged"):
        packages.copy(client_of(box), "app", digest_of(box), "gc-trash.v1")
    assert asked(box) == ["GET"]


def test_the_digest_of_a_name_is_told_without_reading_it(box: Box) -> None:
    assert packages.digest(client_of(box), "app", "v1") == digest_of(box)
    assert asked(box) == ["HEAD"]
    with pytest.raises(Gone):
        packages.digest(client_of(box), "app", "v9")


def test_a_proxy_that_drops_the_digest_is_named(box: Box) -> None:
    box.faults.plan = first(1, Answer(200), "HEAD")
    with pytest.raises(WrongAnswer, match="Docker-Content-Digest"):
        packages.digest(client_of(box), "app", "v1")
