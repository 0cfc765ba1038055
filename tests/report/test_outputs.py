"""The outputs say what went, in a form that no runner cuts."""

import json
from dataclasses import replace

from registry_gc.report.outputs import outputs
from registry_gc.report.report import Report, State
from tests.harness import settings as chosen
from tests.report import samples
from tests.sandbox import Box, Store
from tests.sandbox.faults import Faults

BOX = Box("http://registry.test", Store("1.25"), Faults())


def written(report: Report, *package: str) -> dict[str, str]:
    """The outputs of a run over these packages."""
    return outputs(report, chosen(BOX, package=package), "/w/gc.json")


def report_of(*names: str, state: State = State.DELETED) -> Report:
    """A run over one image with these versions in one state."""
    builds = [samples.build(samples.row(name, 400, state, "older")) for name in names]
    return samples.report(samples.image("app", builds))


def test_the_tags_that_went_are_a_json_list_with_a_line_each() -> None:
    found = written(report_of("v1", "v2", "sha256:" + "a" * 64, f"sha256-{'b' * 64}.sig"), "app")
    assert json.loads(found["deleted-tags"]) == ["v1", "v2"]
    assert found["deleted-tags"].splitlines() == ["[", '"v1",', '"v2"', "]"]
    assert found["deleted"] == "4"


def test_an_empty_list_is_a_list() -> None:
    assert written(report_of("v1", state=State.KEPT), "app")["deleted-tags"] == "[]"


def test_tags_name_their_image_unless_there_is_one_only() -> None:
    assert json.loads(written(report_of("v1"), "app")["deleted-tags"]) == ["v1"]
    assert json.loads(written(report_of("v1"), "a*")["deleted-tags"]) == ["app:v1"]
    assert json.loads(written(report_of("v1"), "app", "web")["deleted-tags"]) == ["app:v1"]


def test_a_dry_run_says_what_would_go_and_a_refused_run_that_nothing_went() -> None:
    doomed = report_of("v1", state=State.DOOMED)
    assert json.loads(written(replace(doomed, is_dry_run=True), "app")["deleted-tags"]) == ["v1"]
    assert json.loads(written(doomed, "app")["deleted-tags"]) == []


def test_a_tag_that_was_pushed_again_is_not_named() -> None:
    rows = [
        samples.row("v1", 400, State.DELETED, "older"),
        samples.row("v1", 0, State.KEPT, "younger"),
        samples.row("v2", 400, State.DELETED, "older"),
    ]
    rows[1] = replace(rows[1], version=replace(rows[1].version, id=1))
    report = samples.report(samples.image("app", [samples.build(row) for row in rows]))
    assert json.loads(written(report, "app")["deleted-tags"]) == ["v2"]


def test_what_was_not_measured_is_empty() -> None:
    assert written(replace(report_of("v1"), freed=None), "app")["reclaimable-bytes"] == ""
    assert written(replace(report_of("v1"), freed=0), "app")["reclaimable-bytes"] == "0"
