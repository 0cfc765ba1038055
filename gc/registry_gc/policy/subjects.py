"""Attachments whose subject is in another image, where cosign's COSIGN_REPOSITORY puts them."""

from collections.abc import Iterable, Mapping

from registry_gc.policy import reasons
from registry_gc.registry.manifests import Graph, digests_of
from registry_gc.registry.version_names import subject_of
from registry_gc.registry.versions import Version


def astray(versions: Iterable[Version], graph: Graph) -> dict[int, str]:
    """The ids of the attachments whose subject no version of the image holds, with its digest.

    What was not read may hold it.
    """
    versions = list(versions)
    held = {digest for version in versions for digest in digests_of(version, graph)}
    subjects = ((version.id, subject_of(version.name)) for version in versions)
    return {i: subject for i, subject in subjects if subject and subject not in held}


def why(subject: str, elsewhere: Mapping[str, str] | None) -> str:
    """Why an old attachment of such a subject stays; "" when nothing keeps it.

    `elsewhere` has the image that holds it; None when that was not looked for, or not found out.
    """
    if elsewhere is None:
        return reasons.SUBJECT_UNKNOWN
    return reasons.subject_in(elsewhere[subject]) if subject in elsewhere else ""
