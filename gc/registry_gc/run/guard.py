"""Refuses a run that would delete more than max-delete allows."""

from collections.abc import Sequence

from registry_gc.errors import Refused
from registry_gc.run.plan import Plan
from registry_gc.settings.parse import Limit


class TooMany(Refused):
    """More is doomed than is allowed: nothing is deleted in the whole run."""

    def __init__(self, what: str, doomed: int, versions: int, limit: Limit) -> None:
        share = f" ({doomed * 100 / versions:.1f}%)" if limit.is_percentage else ""
        super().__init__(
            f"Refused by max-delete: {doomed} of {versions} versions{share} of {what} would be "
            f"deleted, and max-delete allows {limit}. Nothing was deleted in the whole run. If the "
            "list above is what you want, raise max-delete for one run."
        )


def guard(limit: Limit | None, plans: Sequence[Plan]) -> None:
    """Raises TooMany: a count holds for the run, a percentage for each image."""
    if limit is None:
        return
    figures = [(p.image, len(p.doomed), len(p.versions)) for p in plans]
    if not limit.is_percentage:
        figures = [("this run", sum(f[1] for f in figures), sum(f[2] for f in figures))]
    for what, doomed, versions in figures:
        allowed = versions * limit.figure / 100 if limit.is_percentage else limit.figure
        if doomed > allowed:
            raise TooMany(what, doomed, versions, limit)
