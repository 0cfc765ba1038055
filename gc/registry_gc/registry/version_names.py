"""What names mean: untagged versions, attachments and their subjects, shell-style patterns."""

import re
from collections.abc import Iterable

from registry_gc.registry.trash_names import is_in_trash
from registry_gc.server.references import is_digest
from registry_gc.settings.placeholders import fits

__all__ = ["first_match", "is_digest", "is_plain_tag", "short", "subject_of"]

_ATTACHMENT = re.compile(r"sha256-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")


def subject_of(name: str) -> str | None:
    """The digest an attachment's name points at (cosign, OCI referrers fallback), else None."""
    match = _ATTACHMENT.fullmatch(name.lower())
    return f"sha256:{match[1]}" if match else None


def is_plain_tag(name: str) -> bool:
    """Whether name is a tag people push to: not untagged, an attachment or in the trash."""
    return not is_digest(name) and subject_of(name) is None and not is_in_trash(name)


def short(name: str) -> str:
    """The name as people read it: a digest cut to twelve digits."""
    return name[:19] if is_digest(name) else name


def first_match(name: str, patterns: Iterable[str]) -> str | None:
    """The first of the shell-style, lower-case patterns that matches the whole name."""
    lowered = name.lower()
    return next((p for p in patterns if fits(lowered, p)), None)
