"""Whose images a run is about: the owners that the input names or fits, and what each has."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import islice

from registry_gc.errors import Denied, RegistryGcError, UnknownOwner
from registry_gc.registry.listing import Listing, select
from registry_gc.registry.memory import Memory
from registry_gc.report.report import Problem
from registry_gc.run import problems
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.selection import list_images
from registry_gc.server import forge, parallel
from registry_gc.settings.inputs import Settings
from registry_gc.settings.parse import is_pattern
from registry_gc.sources.source import LookedAt, counted

MemoryOf = Callable[[str], Memory]
"""What is remembered of an owner's versions."""
AT_ONCE = 8  # owners that are listed: more gain nothing, and each may have many pages


class NoOwner(RegistryGcError):
    """A pattern of `owner` that fits none: nothing is done in the whole run."""

    def __init__(self, pattern: str, known: LookedAt) -> None:
        super().__init__(f"owner: {pattern} fits none of {known}. Is it misspelt?")


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner of the run; the steps fill its plans, and replace them."""

    reader: Reader
    """Asks on its behalf."""
    is_named: bool = True
    """Whether the input has its name, and not only a pattern that fits it."""
    prefix: str = ""
    """What people read before the names of its images: `my-org/`, or "" for the only owner."""
    listings: Sequence[Listing] = ()
    """Of what `package` may select."""
    images: Mapping[str, Listing] = field(default_factory=dict)
    """Those that it selects."""
    plans: list[Plan] = field(default_factory=list)
    """One for each of these, as far as they are made."""
    refusals: list[Denied] = field(default_factory=list)
    """Why it was left alone, when it was."""

    @property
    def name(self) -> str:
        """As it stands in addresses."""
        return self.reader.client.owner


def find(
    reader: Reader, settings: Settings, memory_of: MemoryOf
) -> tuple[list[Owner], list[LookedAt]]:
    """The owners that the input names, as they are written there, and those that its patterns fit.

    And how many were looked through for the patterns. Raises NoOwner for a pattern that fits none,
    and RegistryGcError when nobody tells which there are.
    """
    if settings.only_owner:
        return [Owner(_on_behalf_of(settings.only_owner, reader, memory_of))], []
    wanted: dict[str, tuple[str, bool]] = {}  # its name in lower case -> as it is, is it written
    for name in settings.owners:
        if not is_pattern(name):
            wanted.setdefault(name.lower(), (name, True))
    looked_at: list[LookedAt] = []
    if patterns := [pattern for pattern in settings.owners if is_pattern(pattern)]:
        names, known = _known(reader)
        looked_at.append(known)
    for pattern in patterns:
        fitting = [name for name in names if fnmatchcase(name.lower(), pattern.lower())]
        if not fitting:
            raise NoOwner(pattern, known)
        for name in sorted(fitting, key=str.lower):
            wanted.setdefault(name.lower(), (name, False))
    owners = [_one_of_several(*which, reader, memory_of) for which in wanted.values()]
    return owners, looked_at


def _one_of_several(name: str, is_named: bool, reader: Reader, memory_of: MemoryOf) -> Owner:
    """What goes on is shown with its name."""
    own = _on_behalf_of(name, reader, memory_of)
    labelled = replace(own, progress=lambda label, n: reader.progress(f"{name}: {label}", n))
    return Owner(labelled, is_named, f"{name}/")


def _on_behalf_of(name: str, reader: Reader, memory_of: MemoryOf) -> Reader:
    return replace(reader, client=reader.client.for_owner(name), memory=memory_of(name))


def plans_of(owners: Sequence[Owner]) -> list[Plan]:
    """The plans of all of them."""
    return [plan for owner in owners for plan in owner.plans]


def give_back(owners: Sequence[Owner], plans: Iterable[Plan]) -> None:
    """Replaces all of these by others, in the same order."""
    new = iter(plans)
    for owner in owners:
        owner.plans[:] = islice(new, len(owner.plans))


def _known(reader: Reader) -> tuple[list[str], LookedAt]:
    """All owners on the server, or those that the token's user is and is in."""
    try:
        names, which = forge.all_owners(reader.client), ""
    except forge.Forbidden:
        names = forge.own_owners(reader.client)
        which = " that the token's user is or is in (a site admin's with read:admin sees all)"
    return names, counted(len(names), f"owner{which}", f"owners{which}")


def list_each(
    owners: Sequence[Owner], package: Collection[str]
) -> tuple[list[Owner], list[Problem]]:
    """The owners with what they have, and a problem for each that the token may not read.

    Raises RegistryGcError for a written name that nobody has, and when none can be read.
    """
    concurrency = owners[0].reader.client.concurrency

    def look(owner: Owner) -> tuple[Owner, RegistryGcError | None]:
        try:
            listings = list_images(owner.reader.client, package)
        except UnknownOwner as error:
            if owner.is_named:
                raise
            return owner, error
        except Denied as error:
            return owner, error
        owner.reader.memory.see(listings)
        return replace(owner, listings=listings, images=select(listings, package)), None

    looks = parallel.in_order(min(AT_ONCE, concurrency, len(owners)), look, owners)
    there = [owner for owner, error in looks if not error]
    for _, error in looks:
        if error and not there:
            raise error
    return there, [problems.left_alone(o.name, e, o.is_named) for o, e in looks if e]
