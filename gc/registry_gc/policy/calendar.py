"""The newest build of each day, week, month, year: thinning with age, as backup programs do it."""

from collections.abc import Callable, Iterable
from datetime import datetime

from registry_gc.registry.versions import Version, newest_first
from registry_gc.settings.parse import Policy


def _week(day: datetime) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


_PERIODS: tuple[tuple[str, str, Callable[[datetime], str]], ...] = (
    ("day", "keep_daily", lambda day: f"{day:%Y-%m-%d}"),
    ("week", "keep_weekly", _week),
    ("month", "keep_monthly", lambda day: f"{day:%Y-%m}"),
    ("year", "keep_yearly", lambda day: f"{day:%Y}"),
)


def kept_by_calendar(builds: Iterable[Version], policy: Policy, now: datetime) -> dict[int, str]:
    """Why builds are kept, by id: each the newest of one of the last periods that have a build.

    Each build is given as the newest of its tags. Days, ISO weeks, months and years are those of
    UTC. While there are fewer periods than are to be kept, the oldest build stays too, so that what
    is kept reaches back as far as it can. What is dated in the future takes no place.
    """
    past = newest_first(build for build in builds if build.created <= now)
    reasons: dict[int, str] = {}
    for name, field, period_of in _PERIODS:
        count, most = 0, getattr(policy, field)
        last = ""
        for build in past:
            period = period_of(build.created)
            if count == most:
                break
            if period != last:
                count, last = count + 1, period
                reasons.setdefault(build.id, f"the newest of {name} {period}, {count}/{most}")
            elif build is past[-1]:
                room = f"with builds in only {count} of {most} {name}s"
                reasons.setdefault(build.id, f"the oldest, {room}")
    return reasons
