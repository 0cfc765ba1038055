"""How much space images hold and deletions free: an upper bound, for other images share blobs."""

from collections.abc import Iterable

from registry_gc.registry.manifests import Graph


def size(graph: Graph, ids: Iterable[int], without: Iterable[int] = ()) -> int:
    """Bytes of the distinct blobs that the versions with these ids use, and none of the others."""
    blobs = {digest: size for i in ids if i in graph for digest, size in graph[i].blobs}
    for i in without:
        if i in graph:
            for digest, _ in graph[i].blobs:
                blobs.pop(digest, None)
    return sum(blobs.values())
