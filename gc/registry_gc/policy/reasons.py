"""Why a version stays or goes, as the report says it: one name a reason.

Why a build has a place, or none, is said where it is counted: in `places` and `calendar`.
"""

LEFT_ALONE = "left alone: the image has no tag"
LAST_TAG = "the image's last tag"
UNREACHABLE = "unreachable"
SUBJECT_UNKNOWN = "its subject may be in another image"
IN_TRASH = "in the trash"
IN_TRASH_AGAIN = "in the trash, and put there again"
IN_TRASH_FOR_GOOD = "in the trash, and trash-days is not set"
LACKS_A_PART = "lacks a part, so that the trash cannot take it"


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


def subject_in(image: str) -> str:
    """An attachment whose subject another image holds."""
    return f"its subject is in {image}"


def subject_nowhere(owner: str) -> str:
    """An attachment whose subject no image of the owner holds."""
    return f"its subject is nowhere in {owner}"


def waiting(reason: str) -> str:
    """It is due for that reason, and other builds go first: delete-at-most allows no more."""
    return f"left for the next run: {reason}"


def for_trash(reason: str) -> str:
    """It would be needed for that reason, were what goes put back from the trash."""
    return f"{reason} in the trash"


def out_of_trash(trash_days: int) -> str:
    """It was in the trash for so long."""
    return f"in the trash for more than {days(trash_days)}"


def days(count: int) -> str:
    """`1 day`, `2 days`."""
    return "1 day" if count == 1 else f"{count} days"
