"""What is remembered comes back as it was, or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc.registry import cache
from registry_gc.registry.cache import Useless
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.memory import Memory
from registry_gc.registry.versions import Version

TOKEN = "a-token-of-someone"
HEAD = {"program": "1.2.3", "server": "https://git.test", "server's version": "1.25.4"}
ARM = Child("sha256:" + "b" * 64, "linux/arm64")
INDEX, IMAGE = "sha256:" + "a" * 64, "sha256:" + "c" * 64


def version(number: int, name: str = "v1", image: str = "app") -> Version:
    return Version(number, image, name, datetime(2026, 6, 1, 12, 30, number % 60, tzinfo=UTC))


def remembered() -> dict[str, Memory]:
    rows = {
        version(1): Manifest((INDEX,), (), ((INDEX, 500),)),
        version(2, IMAGE): Manifest((IMAGE,), (), ((IMAGE, 300), (ARM.digest, 70_000_000_000))),
    }
    indexes = {("app", INDEX): (ARM, Child(IMAGE, "")), ("app", IMAGE): ()}
    return {"acme": Memory(indexes, rows, {1, 2}), "ops": Memory(rows={}, listed={9})}


def written(folder: Path, memories: dict[str, Memory] | None = None, token: str = TOKEN) -> Path:
    path = folder / "gc-cache.json"
    path.write_text("".join(cache.lines(memories or remembered(), HEAD, token)), "utf-8")
    return path


def test_all_comes_back_for_each_owner(tmp_path: Path) -> None:
    found, before = cache.load(written(tmp_path), HEAD, TOKEN), remembered()
    assert list(found) == ["acme", "ops"]
    for owner, memory in found.items():
        assert memory.rows == before[owner].rows
        assert memory.indexes == before[owner].indexes
        assert not memory.listed


def test_what_was_not_listed_is_forgotten_with_its_index(tmp_path: Path) -> None:
    memory = remembered()["acme"]
    memory.listed.remove(1)
    found = cache.load(written(tmp_path, {"acme": memory}), HEAD, TOKEN)["acme"]
    assert list(found.rows or ()) == [version(2, IMAGE)]
    assert list(found.indexes) == [("app", IMAGE)]


def test_of_an_owner_of_whom_nothing_could_be_listed_all_is_kept(tmp_path: Path) -> None:
    memory = remembered()["acme"]
    memory.listed.clear()
    assert cache.load(written(tmp_path, {"acme": memory}), HEAD, TOKEN)["acme"].rows == memory.rows


@pytest.mark.parametrize(
    "other",
    [
        version(3),
        version(1, "v2"),
        version(1, image="app-x"),
        Version(1, "app", "v1", datetime(2026, 6, 1, 12, 30, 2, tzinfo=UTC)),
    ],
)
def test_another_version_is_not_taken_for_one_that_is_known(other: Version) -> None:
    """A database that was put back gives the same ids again, to others."""
    memory = remembered()["acme"]
    assert memory.recall(version(1))
    assert memory.recall(other) is None


@pytest.mark.parametrize("what", list(HEAD))
def test_what_was_written_for_something_else_says_nothing(tmp_path: Path, what: str) -> None:
    with pytest.raises(Useless, match=f"it is for the {what} {HEAD[what]}, and this is other"):
        cache.load(written(tmp_path), {**HEAD, what: "other"}, TOKEN)


def test_a_later_schema_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(cache, "SCHEMA", cache.SCHEMA + 1)
        path = written(tmp_path)
    with pytest.raises(Useless, match="cache 2, and this is 1"):
        cache.load(path, HEAD, TOKEN)


def test_what_another_token_wrote_says_nothing(tmp_path: Path) -> None:
    """A job that may write the file, and has no token that may delete, decides nothing."""
    with pytest.raises(Useless, match="another token wrote it"):
        cache.load(written(tmp_path, token="of-someone-else"), HEAD, TOKEN)


@given(st.data())
def test_no_damage_goes_unseen(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = written(tmp_path_factory.mktemp("cache"))
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    more = data.draw(st.binary(max_size=3))
    for damaged in (raw[:at], raw[:at] + more + raw[at + 1 :], raw + raw[at:], raw + more, more):
        if damaged != raw:
            path.write_bytes(damaged)
            with pytest.raises(Useless):
                cache.load(path, HEAD, TOKEN)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    monkeypatch.setattr(cache, "LARGEST", path.stat().st_size - 1)
    with pytest.raises(Useless, match="more than 0 MiB"):
        cache.load(path, HEAD, TOKEN)


def test_the_token_is_not_in_it(tmp_path: Path) -> None:
    assert TOKEN not in written(tmp_path).read_text("utf-8")


def test_it_begins_as_no_other_file_does(tmp_path: Path) -> None:
    assert written(tmp_path).read_bytes().startswith(cache.START)
