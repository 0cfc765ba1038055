"""Reads as much of an image's graph as a decision needs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from registry_gc.policy.decide import Decision, Rules, unread
from registry_gc.registry.manifests import Graph
from registry_gc.registry.memory import Memory
from registry_gc.registry.reading import read
from registry_gc.registry.versions import Version
from registry_gc.server.client import Client
from registry_gc.sources.source import Progress


@dataclass(frozen=True, slots=True)
class Reader:
    """What the steps of a run need to ask the server."""

    client: Client
    """Asks on behalf of the owner."""
    progress: Progress
    """Shows what goes on."""
    measure_space: bool
    """Whether everything is to be read."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, from any moment on."""
    memory: Memory = field(default_factory=Memory)
    """What was read already."""

    def complete(
        self,
        versions: tuple[Version, ...],
        graph: Graph,
        rules: Rules,
        decision: Callable[[Graph], Decision],
    ) -> Graph:
        """The graph with all that is needed for the decision on it to be final."""
        while todo := unread(versions, decision(graph), graph, rules, self.measure_space):
            new = sum(self.memory.recall(version) is None for version in todo)
            with self.progress(f"reading {todo[0].image}", new) as advance:
                graph = {**graph, **read(self.client, todo, self.memory, advance)}
        return graph
