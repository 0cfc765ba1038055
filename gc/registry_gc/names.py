"""What names mean: untagged versions, attachments and their subjects, shell-style patterns."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

# What Gitea 1.21 to main accept on PUT /v2/{owner}/{image}/manifests/{reference}. Anything else
# must never come into a URL: `..` or an empty name would address the whole image.
_TAG = re.compile(r"[a-z0-9_][a-z0-9._-]{0,127}", re.ASCII | re.IGNORECASE)
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*", re.ASCII | re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ATTACHMENT = re.compile(r"sha256-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")


def is_digest(text: str) -> bool:
    """Whether text is `sha256:<64 hex>`: as a version's name it means untagged."""
    return _DIGEST.fullmatch(text) is not None


def is_valid(name: str) -> bool:
    """Whether a registry can have given a version this name."""
    return is_digest(name) or _TAG.fullmatch(name) is not None


def is_valid_image(name: str) -> bool:
    """Whether a registry can have an image of this name."""
    return _IMAGE.fullmatch(name) is not None


def subject_of(name: str) -> str | None:
    """The digest an attachment's name points at (cosign, OCI referrers fallback), else None."""
    match = _ATTACHMENT.fullmatch(name.lower())
    return f"sha256:{match[1]}" if match else None


def is_plain_tag(name: str) -> bool:
    """Whether name is a tag people push to: neither untagged nor an attachment."""
    return not is_digest(name) and subject_of(name) is None


def short(name: str) -> str:
    """The name as people read it: a digest cut to twelve digits."""
    return name[:19] if is_digest(name) else name


def first_match(name: str, patterns: Iterable[str]) -> str | None:
    """The first of the shell-style, lower-case patterns that matches the whole name."""
    lowered = name.lower()
    return next((p for p in patterns if fnmatchcase(lowered, p)), None)
