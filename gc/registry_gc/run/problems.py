"""What people must read about a run: one function a problem, with the sentence it is told in."""

from collections.abc import Iterable

from registry_gc.registry.manifests import Child
from registry_gc.registry.version_names import short
from registry_gc.registry.versions import Version
from registry_gc.report.report import Problem


def left_alone(owner: str, error: Exception, is_error: bool) -> Problem:
    """One of several owners to whose packages the token has no right."""
    return Problem(f"{owner} was left alone. {error}", is_error)


def unmatched(image: str) -> Problem:
    """A name or pattern of `package` that no image has."""
    return _warning(f"No versions found for {image}: check the name.")


def unused(setting: str, pattern: str) -> Problem:
    """A pattern of the user's that no tag matches."""
    return _warning(f"{setting}: {pattern} matches no tag. Is it misspelt?")


def no_image(pattern: str) -> Problem:
    """A pattern of the policy file's that no image has."""
    return _warning(f"policy-file: match {pattern} fits no image. Is it misspelt?")


def not_understood(image: str, error: Exception) -> Problem:
    """An image that could not be listed or read as a whole."""
    return Problem(f"Nothing of {image} was deleted, for it could not be understood. {error}")


def without_tag(image: str) -> Problem:
    """An image of untagged versions alone."""
    return _warning(f"{image} has no tag at all and was left alone.")


def broken_before(parent: Version, child: Child) -> Problem:
    """A tag that could not be pulled whole when the run began."""
    return _warning(
        f"{_part(parent, child)} was missing before this run, so it cannot be pulled whole. Push "
        "it again, or delete it."
    )


def lost(parent: Version, child: Child) -> Problem:
    """A version that lost a part while the run went on."""
    name = short(parent.name)
    return Problem(
        f"{_part(parent, child)} was lost during this run: {name} was pushed in the instant in "
        f"which its part was deleted, or someone else deleted it. Push {name} again."
    )


def subjects_unknown(image: str, count: int, error: Exception) -> Problem:
    """Attachments of which the subjects could not be looked for in other images."""
    what = "1 attachment" if count == 1 else f"{count} attachments"
    return Problem(
        f"The subject of {what} of {image} may be in another image, and that could not be looked "
        f"up, so what may belong there stays. {error}"
    )


def ended_early(image: str, error: Exception) -> Problem:
    """Deletions that could not go on."""
    return Problem(f"The deletions in {image} ended early. {error}")


def not_verified(image: str, error: Exception) -> Problem:
    """An image that could not be listed or read after its deletions."""
    return Problem(f"What stays of {image} could not be looked at again. {error}")


def gone(version: Version) -> Problem:
    """A version that was to stay and is not there."""
    return _warning(
        f"{short(version.name)} was kept and is gone: someone else deleted it meanwhile."
    )


def deleted_after_all(versions: Iterable[Version]) -> Problem:
    """Deletions that were taken for failed, with what was spared for their sake."""
    names = ", ".join(short(v.name) for v in versions)
    return Problem(
        f"{names}: deleted after all, though the server did not say so. What was spared for it "
        "goes with the next run."
    )


def strays(versions: Iterable[Version]) -> Problem:
    """Parts that were pushed during the run, and no tag with them."""
    names = ", ".join(short(v.name) for v in versions)
    return _warning(
        f"Pushed during the run, and no tag refers to it: {names}. Either that push is not "
        "finished, or it was to a tag that was deleted in the same instant: look whether your "
        "newest push is there."
    )


def not_put_back(tag: str, error: Exception) -> Problem:
    """A tag whose push from the trash failed; one after which no answer came may be there."""
    return Problem(f"{tag} could not be put back. {error} Restore it again: that changes no other.")


def not_reclaimed(error: Exception) -> Problem:
    """A clean-up that was asked for and did not come about."""
    return Problem(f"reclaim: {error}")


def not_remembered(error: Exception) -> Problem:
    """A cache that could not be written: the next run reads everything anew."""
    return _warning(f"cache: {error}")


def _warning(text: str) -> Problem:
    return Problem(text, is_error=False)


def _part(parent: Version, child: Child) -> str:
    """A missing child as people know it: `v1.2.0: linux/arm64 (sha256:12ab…)`."""
    return f"{short(parent.name)}: {child.platform or 'a part'} ({short(child.digest)})"
