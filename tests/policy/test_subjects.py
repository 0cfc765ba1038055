"""Attachments of what other images hold: they stay while it does, as far as that is known."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from registry_gc.policy.decide import Decision, Rules, decide
from tests.policy.registries import NOW, Row, attachment, digest, registry, rules, untagged
from tests.policy.test_reading import reading

ROWS = [Row("v1", 1, age=1), Row(attachment(9, ""), 5, (6,)), untagged(6)]


def told(elsewhere: Mapping[str, str] | None, days: int = 0) -> Rules:
    return replace(rules(latest=1, untagged_days=days), elsewhere=elsewhere)


def decision(elsewhere: Mapping[str, str] | None, rows: list[Row], days: int = 0) -> Decision:
    versions, graph = registry(rows)
    return decide(versions, graph, told(elsewhere, days), NOW)


def test_an_attachment_stays_with_what_it_needs_while_another_image_holds_its_subject() -> None:
    found = decision({digest(9): "web"}, ROWS)
    assert found.kept == {
        1: "keep-latest 1/1",
        2: "its subject is in web",
        3: f"part of {attachment(9, '')}",
    }
    assert found.subjects == frozenset()


def test_an_attachment_goes_with_its_reason_when_no_image_does() -> None:
    found = decision({digest(8): "web"}, ROWS)
    assert found.doomed == {2: "its subject is nowhere in acme", 3: "unreachable"}
    assert found.subjects == frozenset()


def test_an_attachment_stays_while_that_is_not_known() -> None:
    found = decision(None, ROWS)
    assert found.kept.keys() == {1, 2, 3}
    assert found.kept[2] == "its subject may be in another image"
    assert found.subjects == {digest(9)}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([Row("v1", 1), Row(attachment(1), 5)], id="of-what-stays"),
        pytest.param([Row("v1", 1, age=1), Row("v0", 9), Row(attachment(9), 5)], id="of-what-goes"),
        pytest.param([Row("v1", 1), untagged(9), Row(attachment(9), 5)], id="of-what-has-no-tag"),
        pytest.param([Row("v1", 1, also=(9,)), Row(attachment(9), 5)], id="of-an-older-manifest"),
        pytest.param([Row(attachment(9), 5)], id="in-an-image-that-is-left-alone"),
        pytest.param([Row("v1", 1), Row(attachment(9), 5, age=2)], id="young"),
    ],
)
def test_nobody_asks_other_images_where_the_image_itself_tells(rows: list[Row]) -> None:
    found = decision(None, rows, days=3)
    assert found.subjects == frozenset()
    assert "its subject may be in another image" not in found.kept.values()
    assert "its subject is nowhere in acme" not in found.doomed.values()


def test_all_tags_are_read_before_other_images_are_asked_and_not_before_the_rest() -> None:
    rows = [Row("b", 1, age=1), Row("a1", 2, age=300), Row("a2", 9), untagged(3)]
    rows += [Row(attachment(9), 5)]
    rounds, found = reading(rows, told(None), False)
    assert rounds == [{"b", "a1"}, {"a2", attachment(9)}]
    assert found.subjects == frozenset()
    assert found.doomed[5] == "unreachable"
