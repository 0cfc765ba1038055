"""Before anything is decided: the token may delete, and the clocks agree."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import patch

import pytest

from registry_gc.report.report import State
from tests.harness import NOW, Outcome, age_all, deletions, in_process, names_in, run_gc
from tests.sandbox import Answer, Box, CutBody, Drop, Fault, HalfJson, Request


@pytest.fixture
def box() -> Iterator[Box]:
    """Nine tags of half the age that goes, and one of more."""
    with in_process("1.27") as box:
        for n in range(10):
            box.push.image("app", f"v{n}", n)
        age_all(box, 90)
        age_all(box, 200, ["v0"])
        yield box


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{"keep_latest": 0, "keep_days": 180, **changes})


def asked_for(box: Box) -> list[str]:
    return [target.partition("?")[0] for _, target in box.faults.log]


# --- the clocks


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("days", [200, 0.05, -0.05, -200])
def test_a_clock_that_is_wrong_deletes_nothing_and_both_are_named(
    box: Box, days: float, dry_run: bool
) -> None:
    now = NOW + timedelta(days=days)
    outcome = tidy(box, now=now, dry_run=dry_run)
    assert outcome.exit_code == 1
    assert outcome.names(State.DOOMED) == outcome.names(State.DELETED) == set()
    assert len(names_in(box)) == 10
    error = " ".join(outcome.errors)
    assert f"{now:%Y-%m-%d %H:%M:%S}" in error
    assert f"{NOW:%Y-%m-%d %H:%M:%S}" in error


@pytest.mark.parametrize("minutes", [-59, 59])
def test_ages_count_from_the_earlier_of_two_clocks(box: Box, minutes: float) -> None:
    age_all(box, 180 + 30 / 1440, ["v1"])  # 180 days and half an hour by the server's clock
    outcome = tidy(box, now=NOW + timedelta(minutes=minutes))
    goes = {"v0", "v1"} if minutes > 0 else {"v0"}
    assert names_in(box) == {f"v{n}" for n in range(10)} - goes
    assert outcome.exit_code == 0
    age_all(box, 180 - 30 / 1440, ["v2"])
    tidy(box, now=NOW + timedelta(minutes=minutes))
    assert "v2" in names_in(box)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Jun 2026 12:00:00 GMT"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_server_that_does_not_tell_its_time_loses_nothing(
    box: Box, date: str, dry_run: bool
) -> None:
    with patch("tests.sandbox.app.format_datetime", lambda *_, **__: date):
        outcome = tidy(box, dry_run=dry_run)
    assert "does not tell its time" in " ".join(outcome.errors)
    assert outcome.names(State.DOOMED) == set()
    assert deletions(box) == []


def test_an_old_date_out_of_a_cache_makes_nothing_older(box: Box) -> None:
    def cached(now: datetime, **options: Any) -> str:
        return format_datetime(now - timedelta(minutes=50), **options)

    age_all(box, 180 + 30 / 1440, ["v1"])
    with patch("tests.sandbox.app.format_datetime", cached):
        assert tidy(box).exit_code == 0
    assert names_in(box) == {f"v{n}" for n in range(1, 10)}


# --- the token


@pytest.mark.parametrize(
    "scopes",
    [["all"], ["write:package"], ["public-only", "write:package"], ["all", "public-only"]],
)
def test_a_token_that_may_delete_is_passed_over(box: Box, scopes: list[str]) -> None:
    box.token = box.store.add_token("acme", *scopes)
    assert tidy(box).exit_code == 0
    assert "v0" not in names_in(box)


@pytest.mark.parametrize("scopes", [["read:package"], ["read:package", "write:admin"], []])
def test_a_token_that_may_not_delete_is_told_before_anything_is_read(
    box: Box, scopes: list[str]
) -> None:
    box.token = box.store.add_token("acme", *scopes)
    outcome = tidy(box)
    assert outcome.exit_code == 1
    assert asked_for(box) == ["/api/v1/token"]
    error = " ".join(outcome.errors)
    assert (
        f"it has the scopes {', '.join(sorted(scopes)) or 'none'}, and needs write:package" in error
    )
    assert f"{box.url}/user/settings/applications" in error


def test_in_a_dry_run_that_is_a_warning(box: Box) -> None:
    box.token = box.store.add_token("acme", "read:package")
    outcome = tidy(box, dry_run=True)
    assert outcome.exit_code == 0
    assert outcome.names(State.DOOMED) == {("app", "v0")}
    assert any("may not delete packages of acme" in warning for warning in outcome.warnings)


@pytest.mark.parametrize(
    "fault",
    [
        *(Answer(status) for status in (401, 403, 404, 405, 418, 500, 503)),
        Answer(302, headers={"Location": "/user/login"}),
        Answer(200, "<html>Sign in</html>"),
        Answer(200, ""),
        *(Answer(200, text) for text in ("null", "[]", "7", '"all"', "{}", '{"scopes": null}')),
        *(
            Answer(200, f'{{"scopes": {scopes}}}')
            for scopes in ('"read:package"', "7", "[1]", "[null]", '{"read:package": true}', "[[]]")
        ),
        Drop(),
        CutBody(),
        HalfJson(),
    ],
    ids=repr,
)
def test_any_other_answer_tells_nothing(box: Box, fault: Fault) -> None:
    def plan(request: Request) -> Fault | None:
        return fault if request.path == "/api/v1/token" else None

    box.faults.plan = plan
    outcome = tidy(box)
    assert (outcome.exit_code, outcome.warnings) == (0, [])
    assert "v0" not in names_in(box)


@pytest.mark.parametrize(("profile", "user"), [("main", "acme"), ("1.27", "job")])
def test_where_the_server_does_not_tell_it_is_tried(profile: str, user: str) -> None:
    with in_process(profile) as box:
        box.push.image("app", "v0", 0)
        box.push.image("app", "v1", 1)
        age_all(box, 200)
        box.token = box.store.add_token(user, "read:package")
        error = " ".join(tidy(box).errors)
        assert "may not delete packages of acme (the server answered 403" in error
