"""Why a version stays or goes, as the report says it: one name a reason."""

from registry_gc.policy.places import days

LEFT_ALONE = "left alone: the image has no tag"
LAST_TAG = "the image's last tag"
UNREACHABLE = "unreachable"


def protected(pattern: str) -> str:
    """A pattern of `protect` matches the tag."""
    return f"protected by {pattern}"


def in_use(place: str) -> str:
    """A source found it there."""
    return f"in use: {place}"


def young(is_untagged: bool, age: int) -> str:
    """An untagged version or an attachment of at most so many days."""
    return f"{'untagged' if is_untagged else 'attachment'}, younger than {days(age)}"


def part_of(root: str) -> str:
    """An index that stays lists it; `root` is the tag that leads there."""
    return f"part of {root}"


def attached_to(root: str) -> str:
    """Its subject stays."""
    return f"attached to {root}"


def waiting(reason: str) -> str:
    """It is due for that reason, and other builds go first: delete-at-most allows no more."""
    return f"left for the next run: {reason}"


def for_trash(reason: str) -> str:
    """It would be needed for that reason, were what goes put back from the trash."""
    return f"{reason} in the trash"
