"""What may stand in an address of the registry: images, and the references to their manifests."""

import re

# What Gitea 1.21 to main accept on PUT /v2/{owner}/{image}/manifests/{reference}. Anything else
# must never come into a URL: `..` or an empty name would address the whole image.
_TAG = re.compile(r"[a-z0-9_][a-z0-9._-]{0,127}", re.ASCII | re.IGNORECASE)
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*", re.ASCII | re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether text is `sha256:<64 hex>`: as a version's name it means untagged."""
    return _DIGEST.fullmatch(text) is not None


def is_valid(name: str) -> bool:
    """Whether a registry can have given a version this name."""
    return is_digest(name) or _TAG.fullmatch(name) is not None


def is_valid_image(name: str) -> bool:
    """Whether a registry can have an image of this name."""
    return _IMAGE.fullmatch(name) is not None
