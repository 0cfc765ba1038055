"""Refuses a run that would delete more than max-delete allows."""

from collections.abc import Sequence

from registry_gc.errors import Refused
from registry_gc.run.plan import Plan
from registry_gc.settings.parse import Limit


class TooMany(Refused):
    """More is doomed than is allowed: nothing is deleted in the whole run."""

    def __init__(self, what: str, doomed: int, versions: int, limit: Limit, is_drain: bool) -> None:
        share = f" ({doomed * 100 / versions:.1f}%)" if limit.is_percentage else ""
        would = "are due" if is_drain else "would be deleted"
        how = (
            "raise max-delete until all of it is gone: it judges all that is due, of which "
            "delete-at-most lets the oldest go."
            if is_drain
            else "raise max-delete for one run."
        )
        super().__init__(
            f"Refused by max-delete: {doomed} of {versions} versions{share} of {what} {would}, and "
            f"max-delete allows {limit}. Nothing was deleted in the whole run. If the list above "
            f"is what you want, {how}"
        )


def guard(limit: Limit | None, plans: Sequence[Plan], is_drain: bool) -> None:
    """Raises TooMany: a count holds for the run, a percentage for each image.

    Of a drain it judges all that is due, for a mistake is one in portions too.
    """
    if limit is None:
        return
    figures = [(p.title, len(p.doomed), len(p.versions)) for p in plans]
    if not limit.is_percentage:
        figures = [("this run", sum(f[1] for f in figures), sum(f[2] for f in figures))]
    for what, doomed, versions in figures:
        allowed = versions * limit.figure / 100 if limit.is_percentage else limit.figure
        if doomed > allowed:
            raise TooMany(what, doomed, versions, limit, is_drain)
