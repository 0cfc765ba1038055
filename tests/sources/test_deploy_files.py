"""Whatever the deploy file: what runs is found, or it is told that it cannot be known."""

import pytest

from registry_gc.sources.mentions import Search
from registry_gc.sources.source import Found
from registry_gc.sources.vocabulary import Vocabulary
from tests.sources.deploy_files import FOUND, TOLD, D

OTHERS = ["1.4.1", "1.4.0", "1.3.0", "main", "v1", "2"]
WORDS = Vocabulary.for_images(
    "acme", {"shop": ["1.4.2", "latest", *OTHERS], "shop-worker": ["1.4.2"], "old": ["1.4.2", "1"]}
)


def read(root: str) -> Found:
    search = Search(WORDS)
    for place, text in enumerate(root.split("----\n")):
        search.read(f"{place}.yaml", [text.encode()])
    return search.found()


@pytest.mark.parametrize("root", FOUND.values(), ids=FOUND)
def test_what_is_deployed_is_found(root: str) -> None:
    found = read(root)
    assert "1.4.2" in found.tags.get("shop", {}) or D in found.digests["shop"]


@pytest.mark.parametrize("root", FOUND.values(), ids=FOUND)
def test_no_other_release_is_kept_for_it(root: str) -> None:
    found = read(root)
    assert not {"1.4.1", "1.4.0", "1.3.0", "main"} & found.tags.get("shop", {}).keys()
    assert "old" not in found.tags


@pytest.mark.parametrize("root", TOLD.values(), ids=TOLD)
def test_what_cannot_be_known_is_told_with_its_place(root: str) -> None:
    found = read(root)
    assert "1.4.2" not in found.tags.get("shop", {})
    assert [d.place for d in found.doubts if d.image in ("shop", "") and ".yaml:" in d.place]
