"""Tags stay while their branch, pull request or git tag is there, as metadata-action names them."""

from collections.abc import Iterator
from datetime import datetime
from threading import Event
from typing import Any

import pytest

from registry_gc.errors import Interrupted
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from registry_gc.settings.policies import lines as policies
from registry_gc.sources.alive import Alive, Homes, as_tag, look
from registry_gc.sources.source import LookedAt
from tests.harness import Time, in_process
from tests.sandbox import Answer, Box, Drop, first
from tests.sandbox.repositories import Repository


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as made:
        yield made


@pytest.fixture
def app(box: Box) -> Repository:
    """The repository acme/app, with a file on its branch main."""
    return box.store.forge.add(box.store.owner("acme"), "app", {"README.md": "hello"})


def asked(
    box: Box,
    pattern: str,
    tags: tuple[str, ...],
    image: str = "app",
    token: str = "",
    stop: Event | None = None,
    **homes: Any,
) -> Alive:
    """What is alive of an image with these tags, in acme/app unless told otherwise."""
    time = Time()
    transport = Transport(4, stop or Event(), time.wait, time.clock)
    client = Client(transport, box.url, "acme", token or box.token, 4)
    rules = {image: policies(f"tags={pattern},keep-days=0")}
    given = {image: homes.pop("given", "" if homes else "acme/app")}
    return look(client, rules, {image: tags}, Homes("acme", given, **homes))


# The table holds what docker/metadata-action 6 makes of a ref: src/meta.ts, setValue, sanitizeTag.
METADATA = [
    # type=ref,event=branch
    ("{branch}", "main", "main"),
    ("{branch}", "feature/login", "feature-login"),
    ("{branch}", "Feature/Login_Page#2", "feature-login_page-2"),
    ("{branch}", "fix/ünïcödé", "fix-n-c-d-"),
    ("{branch}", "a//b@c+d", "a-b-c-d"),
    ("{branch}", "renovate/node-22.x", "renovate-node-22.x"),
    # ... with prefix=dev- or suffix=-alpine, and prefix={{branch}}- of type=sha
    ("dev-{branch}", "feature/login", "dev-feature-login"),
    ("{branch}-alpine", "feature/login", "feature-login-alpine"),
    ("{branch}-*", "feature/login", "feature-login-860c190"),
    ("{branch}-*", "main", "main-20261124.153000"),
]


@pytest.mark.parametrize(("pattern", "branch", "tag"), METADATA)
def test_a_tag_of_a_branch_is_alive(
    box: Box, app: Repository, pattern: str, branch: str, tag: str
) -> None:
    app.branches[branch] = {}
    assert asked(box, pattern, (tag,)).tags["app"] == {tag: f"branch {branch} exists"}
    app.branches = {"other": {}}
    assert asked(box, pattern, (tag,)).tags["app"] == {}


def test_a_branch_with_a_space_in_its_name_is_written_as_a_tag_would_be() -> None:
    """Git allows no such branch, but other forges' names, and people, do."""
    assert as_tag("Feature/Login Page#2") == "feature-login-page-2"


@pytest.mark.parametrize(
    ("pattern", "tag"),
    [
        # type=ref,event=pr: refs/pull/12/merge, and refs/pull/12/head as Gitea has it
        ("pr-{pull}", "pr-12"),
        ("pr-{pull}*", "pr-12-head"),
        # ... with prefix= or suffix=, and a sha or a platform behind it
        ("{pull}", "12"),
        ("pr-{pull}-alpine", "pr-12-alpine"),
        ("pr-{pull}*", "pr-12-860c190"),
        ("pr-{pull}*", "pr-12-amd64"),
        ("preview-*-{pull}", "preview-web-12"),
    ],
)
def test_a_tag_of_a_pull_request_is_alive_until_it_is_closed(
    box: Box, app: Repository, pattern: str, tag: str
) -> None:
    app.pulls = {1: "open", 2: "open", 12: "open", 120: "open"}
    assert asked(box, pattern, (tag,)).tags["app"] == {tag: "pull request #12 is open"}
    app.pulls[12] = "closed"
    assert asked(box, pattern, (tag,)).tags["app"] == {}


@pytest.mark.parametrize(
    ("pattern", "git_tag", "tag", "is_alive"),
    [
        # type=ref,event=tag
        ("{tag}", "v1.2.3", "v1.2.3", True),
        ("{tag}", "release/2026-10", "release-2026-10", True),
        ("v{tag}", "v1.2.3", "v1.2.3", True),
        # type=semver: {{version}}, {{raw}}, {{major}}.{{minor}}, {{major}}; prefix=v
        ("{tag}", "v1.2.3", "1.2.3", True),
        ("{tag}", "v1.2.3", "1.2", True),
        ("{tag}", "v1.2.3", "1", True),
        ("{tag}", "1.2.3", "v1.2.3", True),
        ("v{tag}", "1.2.3", "v1.2", True),
        ("{tag}", "v1.2.3-rc.1", "1.2.3-rc.1", True),
        ("{tag}", "v1.2.3+build.5", "1.2.3-build.5", True),
        ("{tag}-alpine", "v1.2.3", "1.2.3-alpine", True),
        ("{tag}-*", "v1.2.3", "1.2-alpine3.20", True),
        # what a pre-release gives besides itself, other versions, and what only looks alike
        ("{tag}", "v1.2.3-rc.1", "1.2", False),
        ("{tag}", "v1.2.3", "1.2.4", False),
        ("{tag}", "v1.2.3", "1.3", False),
        ("{tag}", "v1.2.3", "2", False),
        ("{tag}", "v1.2.3", "1.2.3-rc.1", False),
        ("{tag}", "v1.2.30", "1.2.3", False),
        # type=match of a prefixed git tag has a name that the git tag does not have
        ("{tag}", "api/v1.2.3", "1.2.3", False),
        ("api-{tag}", "api/v1.2.3", "api-v1.2.3", False),
        ("{tag}", "api/v1.2.3", "api-v1.2.3", True),
    ],
)
def test_a_tag_of_a_git_tag_is_alive(
    box: Box, app: Repository, pattern: str, git_tag: str, tag: str, is_alive: bool
) -> None:
    app.tags = {git_tag}
    expected = {tag: f"git tag {git_tag} exists"} if is_alive else {}
    assert asked(box, pattern, (tag,)).tags["app"] == expected


def test_the_git_tag_of_that_very_name_is_the_reason(box: Box, app: Repository) -> None:
    app.tags = {"v1.2", "v1.2.3", "v1.2.4", "1.2"}
    assert asked(box, "{tag}", ("v1.2",)).tags["app"] == {"v1.2": "git tag v1.2 exists"}


def test_names_of_tags_are_compared_as_the_registry_stores_them(box: Box, app: Repository) -> None:
    app.branches["RC"] = {}
    assert asked(box, "{branch}", ("rc", "sha256:" + "a" * 64)).tags["app"] == {
        "rc": "branch RC exists"
    }


def test_pull_requests_of_many_pages_are_all_seen(box: Box, app: Repository) -> None:
    app.pulls = dict.fromkeys(range(1, 124), "open")
    found = asked(box, "pr-{pull}", ("pr-1", "pr-51", "pr-123", "pr-124"))
    assert set(found.tags["app"]) == {"pr-1", "pr-51", "pr-123"}
    assert found.looked_at == (LookedAt(123, "open pull requests", box.store.now),)


@pytest.mark.parametrize(
    ("pattern", "noun"),
    [("{branch}", "branch"), ("{tag}", "git tag"), ("{pull}", "open pull request")],
)
def test_what_was_asked_for_is_counted_with_its_moment(
    box: Box, app: Repository, pattern: str, noun: str
) -> None:
    app.tags, app.pulls = {"v1"}, {1: "open"}
    box.store.now = datetime.fromisoformat("2026-11-02T03:00:04Z")
    (found,) = asked(box, pattern, ("v1", "main", "1")).looked_at
    assert str(found) == f"1 {noun} (at 2026-11-02 03:00:04 UTC)"


def test_a_pull_request_closed_during_the_listing_hides_no_other(box: Box, app: Repository) -> None:
    app.pulls = dict.fromkeys(range(1, 102), "open")

    def close_one(request: Any) -> None:
        if "page=2&" in request.target:
            app.pulls[7] = "closed"

    box.faults.before = close_one
    assert set(asked(box, "pr-{pull}", ("pr-51", "pr-101")).tags["app"]) == {"pr-51", "pr-101"}


def test_nothing_is_asked_without_a_placeholder_or_a_tag_it_could_stand_in(
    box: Box, app: Repository
) -> None:
    assert asked(box, "pr-*", ("pr-12",)) == Alive()
    assert asked(box, "pr-{pull}*", ("main", "pr-next", "sha256:" + "1" * 64)) == Alive()
    assert box.faults.log == []


@pytest.mark.parametrize(
    ("pattern", "requests"),
    [("{branch}", ["refs/heads"]), ("v{tag}", ["refs"]), ("pr-{pull}", ["pulls"] * 2)],
)
def test_only_what_is_needed_is_asked(
    box: Box, app: Repository, pattern: str, requests: list[str]
) -> None:
    app.tags, app.pulls = {"v1"}, {1: "open"}
    asked(box, pattern, ("v1", "pr-1", "v2", "pr-2"))
    targets = [target.partition("?")[0] for _, target in box.faults.log]
    start = "/api/v1/repos/acme/app/"
    assert [t.removeprefix(start).removeprefix("git/") for t in targets] == requests


def test_a_repository_of_many_images_is_asked_once(box: Box, app: Repository) -> None:
    app.branches["dev"] = {}
    images = {"app": ("dev",), "app/web": ("dev",), "app/db": ("old",)}
    time = Time()
    client = Client(Transport(4, Event(), time.wait, time.clock), box.url, "acme", box.token, 4)
    rules = dict.fromkeys(images, policies("tags={branch},keep-days=0"))
    homes = Homes("acme", dict.fromkeys(images, "acme/app"))
    found = look(client, rules, images, homes)
    assert found.tags == {
        "app": {"dev": "branch dev exists"},
        "app/web": found.tags["app"],
        "app/db": {},
    }
    assert len(box.faults.log) == 1


@pytest.mark.parametrize(
    ("image", "homes", "home"),
    [
        ("web", {"given": "acme/app", "linked": {"web": "acme/none"}}, True),
        ("web", {"linked": {"web": "acme/app"}, "workflow": "acme/none"}, True),
        ("app", {"workflow": "acme/app"}, True),
        ("App/web", {"workflow": "Acme/APP"}, True),
        ("web", {"workflow": "acme/app"}, False),
        ("app", {"workflow": "ops/app"}, False),
        ("app", {"workflow": ""}, False),
    ],
)
def test_the_repository_is_the_one_named_then_the_linked_one_then_the_workflows_own(
    box: Box, app: Repository, image: str, homes: dict[str, Any], home: bool
) -> None:
    """The workflow's own only where it bears the image's name: a clean-up may run anywhere."""
    found = asked(box, "{branch}", ("main",), image=image, **homes)
    if home:
        assert found.tags == {image: {"main": "branch main exists"}}
    else:
        assert "name it in the input repository" in str(found.unknown[image])
        assert box.faults.log == []


def unreadable(box: Box, pattern: str, tag: str = "v1", **options: Any) -> str:
    """Why nothing of the image can be judged."""
    found = asked(box, pattern, (tag,), **options)
    assert found.tags == {}
    return str(found.unknown["app"])


def test_a_repository_that_is_not_there_leaves_its_image_unknown(box: Box) -> None:
    for pattern, tag in (("{branch}", "v1"), ("v{tag}", "v1"), ("pr-{pull}", "pr-1")):
        assert "acme/app could not be read (404)" in unreadable(box, pattern, tag).replace(
            "The open pull requests of ", ""
        )


def test_a_hidden_or_renamed_repository_leaves_its_image_unknown(box: Box, app: Repository) -> None:
    box.store.add_owner("bob")
    app.private = True
    token = box.store.add_token("bob", "all")
    assert "may the token's user read its code?" in unreadable(box, "{branch}", token=token)
    box.store.forge.rename(app, "application")
    assert "was redirected to /api/v1/repos/acme/application" in unreadable(box, "{branch}")


def test_a_token_without_the_scope_leaves_the_image_unknown_and_names_it(
    box: Box, app: Repository
) -> None:
    token = box.store.add_token("acme", "write:package")
    for pattern, tag in (("{branch}", "v1"), ("pr-{pull}", "pr-1")):
        assert "the scope read:repository" in unreadable(box, pattern, tag, token=token)


def test_an_empty_repository_or_one_without_pull_requests_leaves_the_image_unknown(
    box: Box, app: Repository
) -> None:
    app.has_pull_requests = False
    assert "are pull requests on there" in unreadable(box, "pr-{pull}", "pr-1")
    app.branches = {}
    assert "is something in it" in unreadable(box, "{branch}")


def test_a_repository_without_any_git_tag_leaves_the_image_unknown(
    box: Box, app: Repository
) -> None:
    """It looks like the wrong repository, or one whose tags were not pushed."""
    assert "has no git tag at all" in unreadable(box, "v{tag}")


@pytest.mark.parametrize(
    "fault",
    [
        Answer(200, "<html>Please log in</html>"),
        Answer(200, '{"message": "hello"}'),
        Answer(200, '[{"name": "main"}]'),
        Answer(200, "[1]"),
        Answer(500),
        Answer(401),
        Drop(),
    ],
)
@pytest.mark.parametrize("pattern", ["{branch}", "pr-{pull}"])
def test_an_answer_that_is_none_leaves_the_image_unknown(
    box: Box, app: Repository, fault: Any, pattern: str
) -> None:
    app.pulls = {1: "open"}
    box.faults.plan = first(99, fault, containing="/repos/")
    assert unreadable(box, pattern, "pr-1")


def test_pull_requests_that_are_never_all_there_leave_the_image_unknown(
    box: Box, app: Repository
) -> None:
    app.pulls = dict.fromkeys(range(1, 70), "open")
    page = '[{"id": 1, "number": 1}]'
    box.faults.plan = first(99, Answer(200, page, {"X-Total-Count": "69"}), containing="/pulls")
    assert "1 of 69 could be seen" in unreadable(box, "pr-{pull}", "pr-1")


def test_an_interruption_ends_the_look(box: Box, app: Repository) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        asked(box, "{branch}", ("v1",), stop=stop)
