"""How much space images hold and deletions free: an upper bound, for other images share blobs."""

from collections.abc import Collection, Container, Iterable, Sequence

from registry_gc.registry.manifests import Graph


def blobs(graph: Graph, ids: Iterable[int]) -> dict[str, int]:
    """The distinct blobs that the versions with these ids use: digest -> size in bytes."""
    return {digest: size for i in ids if i in graph for digest, size in graph[i].blobs}


def size(graph: Graph, ids: Iterable[int], without: Container[str] = ()) -> int:
    """Bytes of the distinct blobs that the versions with these ids use, without some digests."""
    used = blobs(graph, ids)
    return sum(size for digest, size in used.items() if digest not in without)


def added(graph: Graph, groups: Sequence[Collection[int]]) -> list[int]:
    """For each group of versions, given by ids, the bytes of the blobs that no other group uses."""
    user: dict[str, int] = {}  # a blob's digest -> the first group that uses it
    sizes: dict[str, int] = {}  # of the blobs that only one group uses
    for place, ids in enumerate(groups):
        for digest, size in (blob for i in ids if i in graph for blob in graph[i].blobs):
            if digest not in user:
                user[digest] = place
                sizes[digest] = size
            elif user[digest] != place:
                sizes.pop(digest, None)
    found = [0] * len(groups)
    for digest, size in sizes.items():
        found[user[digest]] += size
    return found
