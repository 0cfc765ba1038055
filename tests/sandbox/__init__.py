"""A small Gitea container registry in memory that real pushes work against."""

from .faults import (
    Answer,
    CutBody,
    Drop,
    Fault,
    Faults,
    HalfJson,
    Hold,
    LoseAnswer,
    Plan,
    Request,
    first,
)
from .manifests import Refused
from .push import Pusher
from .serve import Box, serve
from .store import Store

__all__ = [
    "Answer",
    "Box",
    "CutBody",
    "Drop",
    "Fault",
    "Faults",
    "HalfJson",
    "Hold",
    "LoseAnswer",
    "Plan",
    "Pusher",
    "Refused",
    "Request",
    "Store",
    "first",
    "serve",
]
