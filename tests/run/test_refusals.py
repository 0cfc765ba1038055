"""When a run refuses to delete: limits, last tags, and what it cannot read or understand."""

import base64
import hashlib
import json
from typing import Any

import pytest

from registry_gc.report.report import State
from registry_gc.settings.parse import Limit
from tests.harness import Outcome, age_all, contents, deletions, names_in, run_gc
from tests.sandbox import Answer, Box, Fault, Plan, Request
from tests.sandbox.push import IMAGE, INDEX

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30}


@pytest.fixture
def box(running: Box) -> Box:
    """Image `app` has 4 versions of which 3 go, `web` has 4 of which 1 goes."""
    running.reset()
    for n in range(4):
        running.push.image("app", f"v{n}", n)
        running.push.image("web", f"v{n}", n)
    age_all(running, 400, ("v0", "v1", "v2"))
    age_all(running, 400, ("v0",), "web")
    return running


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, "package": ("app", "web"), **changes})


# --- limits


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("limit", "figures"),
    [
        (Limit(3, False), ("4 of 8", "allows 3")),
        (Limit(74, True), ("3 of 4", "75.0%", "of app", "allows 74%")),
        (Limit(0, False), ("4 of 8",)),
        (Limit(0, True), ("3 of 4",)),
    ],
)
def test_more_than_max_delete_refuses_the_whole_run_and_names_both_figures(
    box: Box, limit: Limit, figures: tuple[str, ...], dry_run: bool
) -> None:
    before = contents(box)
    outcome = tidy(box, max_delete=limit, dry_run=dry_run)
    assert contents(box) == before
    assert deletions(box) == []
    assert len(outcome.errors) == 1
    assert all(figure in outcome.errors[0] for figure in figures)
    assert len(outcome.names(State.DOOMED)) == 4
    assert outcome.exit_code == 1


@pytest.mark.parametrize("limit", [Limit(4, False), Limit(75, True)])
def test_exactly_max_delete_is_allowed(box: Box, limit: Limit) -> None:
    assert tidy(box, max_delete=limit).exit_code == 0
    assert len(contents(box)) == 4


# --- tags


def test_the_last_tag_stays_with_its_parts_whatever_the_settings(box: Box) -> None:
    _, parts = box.push.multiarch("app", "v9", 9)
    age_all(box, 300, ("v9", *parts))
    age_all(box, 400, ("v3",))
    nothing = {"keep_latest": 0, "keep_days": 0, "keep_untagged_days": 0, "protect": ("none",)}
    outcome = tidy(box, package=("app",), **nothing)
    assert names_in(box) == {"v9", *parts}
    assert outcome.why("app", "v9") == "the image's last tag"
    assert outcome.exit_code == 0


def test_an_image_without_a_tag_is_left_alone_and_named(box: Box) -> None:
    digest = box.push.image("parts", None, 1)
    box.push.signature("parts", digest)
    age_all(box, 400, image="parts")
    before = names_in(box, "parts")
    outcome = tidy(box, package=("parts", "app"))
    assert names_in(box, "parts") == before
    assert names_in(box) == {"v3"}
    assert [w for w in outcome.warnings if w.startswith("parts has no tag at all")]
    assert outcome.exit_code == 0


# --- secrets


@pytest.mark.parametrize("part", ["page=", "/files", "/v2/acme/"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_a_server_that_repeats_what_it_was_sent_does_not_get_the_token_into_the_log(
    box: Box, part: str, status: int
) -> None:
    box.push.multiarch("app", "v4", 4)

    def plan(request: Request) -> Fault | None:
        sent = request.headers.get("Authorization", "")
        return Answer(status, sent) if part in request.target else None

    box.faults.plan = plan
    outcome = tidy(box)
    pair = base64.b64encode(f"{box.owner}:{box.token}".encode()).decode()
    assert outcome.exit_code == 1
    assert box.token not in outcome.text
    assert pair not in outcome.text


# --- what cannot be understood


def pretend(name: str, raw: bytes, content_type: str) -> Plan:
    """A plan: `app:{name}` holds this manifest, and nothing else."""
    digest = hashlib.sha256(raw).hexdigest()
    row = {"id": 1, "name": "manifest.json", "sha256": digest, "size": len(raw)}
    files = Answer(200, json.dumps([row]), {"Content-Type": "application/json"})
    manifest = Answer(200, raw.decode(), {"Content-Type": content_type})

    def plan(request: Request) -> Fault | None:
        if request.target.endswith(f"/app/{name}/files"):
            return files
        is_it = request.target.startswith("/v2/") and f"sha256:{digest}" in request.target
        return manifest if is_it else None

    return plan


INDEX_OF = '{{"mediaType": "{}", "manifests": {}}}'


@pytest.mark.parametrize("measure_space", [True, False])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("not JSON", IMAGE),
        ("[]", INDEX),
        ("null", INDEX),
        ('{"manifests": []}', "application/json"),
        (INDEX_OF.format("application/vnd.example+json", "[]"), INDEX),
        (INDEX_OF.format(INDEX, '[{"digest": "x"}]'), INDEX),
        (INDEX_OF.format(INDEX, "[{}]"), INDEX),
        (INDEX_OF.format(INDEX, "null"), INDEX),
    ],
)
def test_a_manifest_that_is_not_understood_stops_its_image_only(
    box: Box, body: str, content_type: str, measure_space: bool
) -> None:
    box.faults.plan = pretend("v3", body.encode(), content_type)
    only_app_is_left_alone(box, tidy(box, measure_space=measure_space), "app:v3")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500),
        Answer(400),
        Answer(404),
        Answer(200, "<html>"),
        Answer(200, "{}"),
        Answer(200, "[]"),
        Answer(200, '[{"id": 1, "name": "manifest.json", "sha256": "x", "size": 1}]'),
        Answer(307, "", {"Location": "/login"}),
    ],
)
def test_files_that_cannot_be_read_stop_their_image_only(box: Box, answer: Answer) -> None:
    box.faults.plan = lambda request: answer if "/app/v3/files" in request.target else None
    only_app_is_left_alone(box, tidy(box), "app")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_while_an_image_is_read_deletes_nothing_of_any_image(
    box: Box, status: int
) -> None:
    """It concerns all of them, and is told once."""
    box.faults.plan = lambda request: Answer(status) if "/web/v" in request.target else None
    before = contents(box)
    outcome = tidy(box)
    assert contents(box) == before
    assert (len(outcome.errors), outcome.exit_code) == (1, 1)


def only_app_is_left_alone(box: Box, outcome: Outcome, named: str) -> None:
    assert names_in(box) == {"v0", "v1", "v2", "v3"}
    assert names_in(box, "web") == {"v1", "v2", "v3"}
    assert outcome.why("app", "v0") == "left alone: the image could not be understood"
    assert len(outcome.errors) == 1
    assert named in outcome.errors[0]
    assert outcome.exit_code == 1


def with_date(box: Box, version: tuple[str, str], date: Any) -> Plan:
    """A plan: this version of this image is listed with this date."""

    def plan(request: Request) -> Fault | None:
        if "page=" not in request.target:
            return None
        query = next(p[2:] for p in request.target.split("&") if p.startswith("q="))
        page = int(next(p[5:] for p in request.target.split("&") if p.startswith("page=")))
        rows, total = box.store.listing("acme", query, page, 1000)
        shown = [
            {
                "id": row.id,
                "name": row.image.name,
                "version": row.name,
                "created_at": date
                if (row.image.name, row.name) == version
                else row.created_at.isoformat(),
            }
            for row in rows
        ]
        return Answer(200, json.dumps(shown), {"X-Total-Count": str(total)})

    return plan


@pytest.mark.parametrize("package", [("app", "web"), ("*",)])
@pytest.mark.parametrize(
    "date", ["yesterday", "", None, 7, "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_date_that_is_not_understood_stops_its_image_only(
    box: Box, date: Any, package: tuple[str, ...]
) -> None:
    box.faults.plan = with_date(box, ("app", "v1"), date)
    only_app_is_left_alone(box, tidy(box, package=package), "The date of v")


def test_a_strange_date_in_an_image_that_is_not_selected_does_not_end_the_run(box: Box) -> None:
    """`web-old` is on the pages of `web`, for the server looks for parts of names."""
    box.push.image("web-old", "v1", 1)
    box.store.age("web-old", "v1", 500)
    box.faults.plan = with_date(box, ("web-old", "v1"), "yesterday")
    outcome = tidy(box)
    assert len(contents(box)) == 5
    assert outcome.exit_code == 0
