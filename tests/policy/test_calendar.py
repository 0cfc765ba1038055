"""The newest build of each day, week, month and year stays, as backup programs have it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc.policy.calendar import kept_by_calendar
from registry_gc.registry.versions import Version
from registry_gc.settings.parse import Policy

LATER = datetime(2200, 1, 1, tzinfo=UTC)
FIGURES = ("keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")


def builds(moments: Iterable[datetime]) -> list[Version]:
    """The later in the list, the newer in the registry; handed over newest first."""
    return [
        Version(number, "app", f"v{number}", moment) for number, moment in enumerate(moments, 1)
    ][::-1]


def at(*texts: str) -> list[Version]:
    return builds(datetime.fromisoformat(f"{text}+00:00") for text in texts)


def kept(among: Sequence[Version], now: datetime = LATER, **figures: Any) -> dict[str, str]:
    """Date -> reason, oldest first."""
    reasons = kept_by_calendar(among, Policy((), 0, 0, **figures), now)
    return {f"{b.created:%Y-%m-%d %H}": reasons[b.id] for b in among[::-1] if b.id in reasons}


WORKDAYS = at(
    *(f"2025-04-{day} 11:00" for day in (21, 22, 23, 24, 25)),
    "2025-04-25 23:00",
    "2025-04-28 11:00",
    "2025-04-29 11:00",
    "2025-05-01 11:00",
    "2025-05-02 11:00",
    "2025-05-02 23:00",
)


def test_only_days_with_a_build_count_and_the_newest_of_each_stays() -> None:
    """The example of restic's manual: one Wednesday has none."""
    assert kept(WORKDAYS, keep_daily=5) == {
        "2025-04-25 23": "the newest of day 2025-04-25, 5/5",
        "2025-04-28 11": "the newest of day 2025-04-28, 4/5",
        "2025-04-29 11": "the newest of day 2025-04-29, 3/5",
        "2025-05-01 11": "the newest of day 2025-05-01, 2/5",
        "2025-05-02 23": "the newest of day 2025-05-02, 1/5",
    }


def test_a_hundred_years_of_daily_builds() -> None:
    """The other example of restic's manual, and what it says of its outcome."""
    start = datetime(2000, 1, 1, 12, tzinfo=UTC)
    days = builds(start + timedelta(days=n) for n in range(36521))  # to a Sunday
    reasons = kept(days, keep_daily=7, keep_weekly=5, keep_monthly=12, keep_yearly=75)
    kinds = Counter(reason.split()[3] for reason in reasons.values())
    assert kinds == {"day": 7, "week": 4, "month": 11, "year": 74}
    assert next(iter(reasons)) == "2025-12-31 12"


@pytest.mark.parametrize(
    ("moments", "figures", "expected"),
    [
        (["2026-11-01 00:00", "2026-11-01 23:59"], {"keep_daily": 1}, ["2026-11-01 23"]),
        (["2026-10-31 23:59", "2026-11-01 00:00"], {"keep_monthly": 1}, ["2026-11-01 00"]),
        # Weeks begin on Monday, and belong to the year that has their Thursday.
        (["2026-11-01 12:00", "2026-11-02 12:00"], {"keep_weekly": 1}, ["2026-11-02 12"]),
        (["2024-12-30 12:00", "2025-01-05 12:00"], {"keep_weekly": 1}, ["2025-01-05 12"]),
        (
            ["2020-12-31 12:00", "2021-01-03 12:00", "2021-01-04 12:00"],
            {"keep_weekly": 2},
            ["2021-01-03 12", "2021-01-04 12"],
        ),
        # The same number of a week, day or month in another year is another one.
        (["2024-11-05 01:00", "2025-11-04 01:00"], {"keep_weekly": 1}, ["2025-11-04 01"]),
        (["2024-11-05 01:00", "2025-11-05 01:00"], {"keep_monthly": 1}, ["2025-11-05 01"]),
        # While there are too few, the oldest stays; once there are enough, it does not.
        (
            ["2026-01-01 00:00", "2026-01-01 01:00", "2026-01-01 02:00"],
            {"keep_daily": 2},
            ["2026-01-01 00", "2026-01-01 02"],
        ),
        (
            ["2026-01-01 00:00", "2026-01-01 01:00", "2026-01-02 02:00"],
            {"keep_daily": 2},
            ["2026-01-01 01", "2026-01-02 02"],
        ),
        (["2026-01-01 00:00"], {"keep_yearly": 3}, ["2026-01-01 00"]),
        ([], {"keep_daily": 1}, []),
        (["2026-01-01 00:00"], {}, []),
    ],
)
def test_the_edges_of_periods(
    moments: list[str], figures: dict[str, Any], expected: list[str]
) -> None:
    assert list(kept(at(*moments), **figures)) == expected


def test_the_oldest_says_why_it_stays() -> None:
    assert kept(at("2026-01-01 00:00", "2026-01-02 00:00"), keep_weekly=4) == {
        "2026-01-01 00": "the oldest, with builds in only 1 of 4 weeks",
        "2026-01-02 00": "the newest of week 2026-W01, 1/4",
    }


def test_the_first_reason_that_holds_is_told() -> None:
    days = at("2026-01-31 00:00", "2026-02-01 00:00")
    assert list(kept(days, keep_daily=1, keep_monthly=2, keep_yearly=1).values()) == [
        "the newest of month 2026-01, 2/2",
        "the newest of day 2026-02-01, 1/1",
    ]


def test_what_is_dated_in_the_future_takes_no_place() -> None:
    days = at("2026-01-01 00:00", "2026-01-02 00:00", "2026-01-03 00:00")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert list(kept(days, now, keep_daily=1)) == ["2026-01-02 00"]


def test_of_one_second_the_higher_id_is_the_newer() -> None:
    twins = at("2026-01-01 00:00", "2026-01-01 00:00")
    assert list(kept_by_calendar(twins[::-1], Policy((), 0, 0, 1), LATER)) == [2]


START = datetime(2025, 12, 20, tzinfo=UTC)
HOURS = st.lists(st.integers(0, 24 * 150), max_size=60).map(sorted)
COUNTS = st.fixed_dictionaries(dict.fromkeys(FIGURES, st.integers(0, 5)))


@given(HOURS, COUNTS, st.integers(0, 24 * 170))
def test_what_stays_is_the_newest_of_its_period_with_few_later_periods_or_the_oldest(
    hours: list[int], figures: dict[str, Any], now: int
) -> None:
    """The rule told again, build by build."""
    moment = START + timedelta(hours=now)
    days = builds(START + timedelta(hours=hour) for hour in hours)
    past = [b for b in days if b.created <= moment]
    forms = dict(zip(FIGURES, ("%Y-%m-%d", "%G-%V", "%Y-%m", "%Y"), strict=True))
    expected = set()
    for field, form in forms.items():
        periods = {b: b.created.strftime(form) for b in past}
        for b in past:
            newer = [o for o in past if o.id > b.id]
            is_newest = periods[b] not in {periods[o] for o in newer}
            is_oldest = b.id == min(o.id for o in past)
            later = {periods[o] for o in newer} | {periods[b]}
            has_room = len(later) <= figures[field] - (not is_newest)
            if has_room and (is_newest or is_oldest):
                expected.add(b.id)
    policy = Policy((), 0, 0, **figures)
    assert set(kept_by_calendar(days, policy, moment)) == expected


@given(HOURS, COUNTS)
def test_thinning_every_day_comes_out_as_thinning_once(
    hours: list[int], figures: dict[str, Any]
) -> None:
    """So nothing that was kept yesterday is missed today: only newer builds move it out."""
    days = builds(START + timedelta(hours=hour) for hour in hours)
    policy = Policy((), 0, 0, **figures)
    there: list[Version] = []
    for day in range(151):
        moment = START + timedelta(days=day)
        new = [b for b in days if moment - timedelta(days=1) < b.created <= moment]
        there = sorted([*there, *new], key=lambda b: -b.id)
        stays = kept_by_calendar(there, policy, moment)
        there = [b for b in there if b.id in stays]
    assert {b.id for b in there} == set(kept_by_calendar(days, policy, LATER))
