"""What stands in for a listing: the newest row, the total and the names of the tags."""

from __future__ import annotations

from .conftest import Server


def test_one_row_is_a_newest_one_and_comes_with_the_total(server: Server) -> None:
    image = server.image()

    def check(total: int) -> None:
        answer = server.api("GET", type="container", q=image, page=1, limit=1)
        (row,) = answer.json()
        rows = server.rows(image).values()
        assert row["created_at"] == max(other["created_at"] for other in rows)
        assert answer.headers["X-Total-Count"] == str(len(rows)) == str(total)

    for number, tag in enumerate(("a", "b", "c"), 1):
        server.pusher.image(image, tag, seed=tag)
        check(number)
    server.version("DELETE", image, "b")
    check(2)
    server.pusher.image(image, "a", seed="other")
    check(2)


def test_all_tags_are_named_in_one_answer_and_nothing_else(server: Server) -> None:
    image = server.image()
    _, children = server.pusher.multiarch(image, "v1", seed=1)
    signature = server.pusher.signature(image, children[0])
    tags = {"v1", signature, *(f"t{n}" for n in range(60))}
    for name in tags - {"v1", signature}:
        server.pusher.image(image, name.upper(), seed=1)
    assert sorted(_tags(server, image)) == sorted(tags)
    server.version("DELETE", image, "t5")
    assert sorted(_tags(server, image)) == sorted(tags - {"t5"})


def test_an_image_of_untagged_versions_has_no_tags(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, None, seed=1)
    assert _tags(server, image) == []


def _tags(server: Server, image: str) -> list[str]:
    return list(server.v2("GET", f"{image}/tags/list").json()["tags"] or ())
