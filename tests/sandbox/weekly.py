"""What a team pushes in a year: the image that the demo cleans up, and the scenarios too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .push import Pusher

PLATFORMS = ("amd64", "arm64")


@dataclass(frozen=True)
class Weekly:
    """Two-platform builds a week apart, `latest` moving along.

    Every tenth is made of tagged parts, as `docker manifest create` does, and every fourth signed.
    """

    weeks: int
    pins: tuple[int, ...]
    """The weeks whose builds went to production, as `corpus-<week>`."""
    layer_size: int = 64
    """Bytes of the layer that an image shares with no other."""

    def push(
        self, pusher: Pusher, image: str, before: Callable[[int], object] = lambda week: None
    ) -> None:
        """Pushes all of it; `before` is called with each week, to set a clock."""
        for week in range(self.weeks):
            before(week)
            tag = f"sha-{week:03}"
            are_tags = self.is_of_parts(week)
            names = [f"{tag}-{arch}" if are_tags else None for arch in PLATFORMS]
            children = [
                pusher.image(image, name, tag, arch, self.layer_size)
                for name, arch in zip(names, PLATFORMS, strict=True)
            ]
            index = pusher.index(image, tag, zip(children, PLATFORMS, strict=True))
            pins = [f"corpus-{week}"] if week in self.pins else []
            for name in ["latest", *pins]:
                pusher.index(image, name, zip(children, PLATFORMS, strict=True))
            if week % 4 == 0:
                pusher.signature(image, index)

    @staticmethod
    def is_of_parts(week: int) -> bool:
        """Whether that week's build is made of tags."""
        return week % 10 == 9

    def newest(self, count: int) -> set[str]:
        """The tags of the newest builds, parts too, but for latest and pins."""
        found = set()
        for week in range(self.weeks - count, self.weeks):
            found.add(f"sha-{week:03}")
            if self.is_of_parts(week):
                found |= {f"sha-{week:03}-{arch}" for arch in PLATFORMS}
        return found
