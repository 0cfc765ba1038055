"""Which versions an index lists and which are attached to one, whatever names they have."""

from collections.abc import Iterable

from registry_gc.registry.manifests import Graph, digests_of
from registry_gc.registry.version_names import subject_of
from registry_gc.registry.versions import Version


class Links:
    """What leads from one version of an image to others, as far as the graph knows it."""

    def __init__(self, versions: Iterable[Version], graph: Graph) -> None:
        self._graph = graph
        self._holders: dict[str, list[Version]] = {}
        self._attached: dict[str, list[Version]] = {}
        for version in versions:
            for digest in digests_of(version, graph):
                self._holders.setdefault(digest, []).append(version)
            if subject := subject_of(version.name):
                self._attached.setdefault(subject, []).append(version)

    def listed(self, version: Version) -> list[Version]:
        """What holds something that this index or an older one of its row lists, by any name."""
        manifest = self._graph.get(version.id)
        listed = manifest.refers_to if manifest else ()
        return [holder for child in listed for holder in self._holders.get(child.digest, ())]

    def attached(self, version: Version) -> list[Version]:
        """The attachments whose subject is what this version holds."""
        digests = digests_of(version, self._graph)
        return [found for digest in digests for found in self._attached.get(digest, ())]
