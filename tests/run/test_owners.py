"""Several owners in one run: each as if alone, one report, and nothing goes before all is known."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import jsonschema
import pytest

from registry_gc.report.document import render
from registry_gc.report.outputs import outputs
from registry_gc.report.report import State
from registry_gc.settings.parse import Limit
from registry_gc.settings.policies import lines as policies
from tests.harness import Outcome, in_process, once_before, run_gc, settings
from tests.sandbox import Answer, Box, Pusher

STRICT: dict[str, Any] = {"keep_days": 0, "keep_latest": 1, "package": ("*",)}
OWNERS = ("acme", "beta", "gamma")
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


@pytest.fixture
def box() -> Iterator[Box]:
    """A user and two organisations with an `app` each, and others without any image."""
    with in_process() as made:
        made.store.add_owner("beta", ["acme"])
        made.store.add_owner("gamma", ["acme"], public=False)
        made.store.add_owner("empty", ["acme"])
        made.store.add_owner("stranger")
        for owner in OWNERS:
            fill(made, owner, "app")
        fill(made, "beta", "web")
        made.faults.log.clear()
        yield made


def fill(box: Box, owner: str, image: str) -> None:
    """Three builds, v1 the oldest."""
    for number, tag in enumerate(("v1", "v2", "v3")):
        Pusher.into(box.store, owner).multiarch(image, tag, f"{owner}/{image}:{tag}")
        for name in box.store.versions(image, owner):
            if name == tag or name.startswith("sha256:"):
                box.store.age(image, name, 365 - number, owner)


def tags_of(box: Box, owner: str, image: str = "app") -> set[str]:
    return {n for n in box.store.versions(image, owner) if not n.startswith("sha256:")}


def allow(box: Box, *scopes: str, is_admin: bool = False) -> None:
    """Another token of acme's."""
    box.store.admins = {"acme"} if is_admin else set()
    box.token = box.store.add_token("acme", "write:package", *scopes)


def paths(box: Box, method: str) -> list[str]:
    return [target for sent, target in box.faults.log if sent == method]


def deleted_of(outcome: Outcome) -> set[str]:
    return {f"{image}:{name}" for image, name in outcome.names(State.DELETED) if ":" not in name}


def test_each_owner_is_cleaned_and_its_images_bear_its_name(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="acme, gamma, beta")
    assert (outcome.exit_code, outcome.warnings) == (0, []), outcome.text
    assert [image.name for image in outcome.report.images] == [
        "acme/app",
        "gamma/app",
        "beta/app",
        "beta/web",
    ]
    assert all(tags_of(box, owner) == {"v3"} for owner in OWNERS)
    assert tags_of(box, "beta", "web") == {"v3"}
    assert "beta/app: 2 of 3 builds" in outcome.text
    assert f"images of acme, gamma, beta on {box.url}" in outcome.text


def test_an_owner_that_is_named_twice_is_cleaned_once(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="beta, BETA, acme")
    assert [image.name for image in outcome.report.images] == ["beta/app", "beta/web", "acme/app"]


def test_every_owner_is_read_before_anything_is_deleted_anywhere(box: Box) -> None:
    run_gc(box, **STRICT, owner="acme, beta, gamma")
    first = next(n for n, (method, _) in enumerate(box.faults.log) if method == "DELETE")
    for owner in OWNERS:
        assert any(f"/{owner}/" in target and "/files" in target for _, target in box.faults.log)
        assert not any("/files" in target for _, target in box.faults.log[first:])
    parts = [target.split("/") for target in paths(box, "DELETE")]
    order = [part[2] if part[1] == "v2" else part[4] for part in parts]
    assert sorted(order, key=OWNERS.index) == order


def test_a_dry_run_says_what_the_real_one_does(box: Box) -> None:
    dry = run_gc(box, **STRICT, owner="acme, beta", dry_run=True)
    assert paths(box, "DELETE") == []
    real = run_gc(box, **STRICT, owner="acme, beta")
    assert dry.names(State.DOOMED) == real.names(State.DELETED)


# --- patterns


def test_a_site_admins_pattern_is_held_against_everyone(box: Box) -> None:
    allow(box, "read:admin", is_admin=True)
    fill(box, "stranger", "tool")
    outcome = run_gc(box, **STRICT, owner="*")
    assert outcome.exit_code == 0, outcome.text
    assert [i.name for i in outcome.report.images][0::2] == [
        "acme/app",
        "beta/web",
        "stranger/tool",
    ]
    assert outcome.report.looked_at == ("5 owners",)


def test_anyone_elses_is_held_against_its_own_organisations(box: Box) -> None:
    allow(box, "read:user", "read:organization")
    fill(box, "stranger", "tool")
    outcome = run_gc(box, **STRICT, owner="*")
    assert outcome.exit_code == 0, outcome.text
    assert len(outcome.report.images) == 4
    assert tags_of(box, "stranger", "tool") == {"v1", "v2", "v3"}
    (looked,) = outcome.report.looked_at
    assert looked.startswith("4 owners that the token's user is or is in")
    assert "read:admin" in looked


def test_patterns_and_names_come_together_in_any_case(box: Box) -> None:
    allow(box, "read:user", "read:organization")
    outcome = run_gc(box, **STRICT, owner="stranger, GAM*, B?ta")
    assert [i.name for i in outcome.report.images] == ["gamma/app", "beta/app", "beta/web"]


@pytest.mark.parametrize("owner", ["typo-*", "acme, typo-*", "*, typo-*"])
def test_a_pattern_that_fits_nobody_is_an_error_and_nothing_goes(box: Box, owner: str) -> None:
    allow(box, "read:admin", is_admin=True)
    outcome = run_gc(box, **STRICT, owner=owner)
    assert outcome.errors == ["owner: typo-* fits none of 5 owners. Is it misspelt?"]
    assert paths(box, "DELETE") == []


def test_a_token_that_may_not_tell_the_owners_ends_the_run(box: Box) -> None:
    allow(box)
    outcome = run_gc(box, **STRICT, owner="*")
    assert "read:user and read:organization" in outcome.errors[0]
    assert paths(box, "DELETE") == []


def test_a_listing_of_owners_that_is_not_whole_ends_the_run(box: Box) -> None:
    allow(box, "read:admin", is_admin=True)
    box.faults.plan = lambda r: (
        Answer(200, "[]", {"X-Total-Count": "3"}) if "/admin/orgs" in r.path else None
    )
    outcome = run_gc(box, **STRICT, owner="*")
    assert "The organisations: 0 of 3 could be seen" in outcome.errors[0]
    assert paths(box, "DELETE") == []


# --- what holds for all of them


def test_a_name_that_nobody_has_is_an_error_before_anything_goes(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="acme, typo, beta")
    (error,) = outcome.errors
    assert "knows no user or organisation typo" in error
    assert paths(box, "DELETE") == []


def test_max_delete_counts_the_whole_run(box: Box) -> None:
    one = run_gc(box, **STRICT, owner="beta", dry_run=True).report.count(State.DOOMED)
    outcome = run_gc(box, **STRICT, owner="acme, beta", max_delete=Limit(one, False))
    assert outcome.errors[0].startswith("Refused by max-delete")
    assert paths(box, "DELETE") == []


def test_max_delete_as_a_share_names_the_image_with_its_owner(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="acme, beta", max_delete=Limit(50, True))
    assert "versions (66.7%) of acme/app would be deleted" in outcome.errors[0]


def test_a_source_that_cannot_be_read_ends_the_whole_run(box: Box, tmp_path: Path) -> None:
    outcome = run_gc(
        box, **STRICT, owner="acme, beta", workspace=tmp_path, protect_from=("no.yaml",)
    )
    assert outcome.exit_code == 1
    assert paths(box, "DELETE") == []


def test_an_image_that_one_owner_lacks_is_no_warning(box: Box) -> None:
    chosen = {**STRICT, "package": ("web", "typo")}
    outcome = run_gc(box, **chosen, owner="acme, beta")
    assert [i.name for i in outcome.report.images] == ["beta/web"]
    assert outcome.warnings == ["No versions found for typo of acme, beta: check the name."]


def test_an_interruption_ends_the_whole_run(box: Box) -> None:
    stop = Event()
    once_before(box, stop.set, "DELETE", "/beta/", 1)
    outcome = run_gc(box, stop=stop, **STRICT, owner="acme, beta, gamma")
    assert outcome.errors[0].startswith("The run was interrupted.")
    assert tags_of(box, "acme") == {"v3"}
    assert tags_of(box, "gamma") == {"v1", "v2", "v3"}


# --- what is in use, and alive


@pytest.mark.parametrize("host", ["git.example.org", "registry:5000", "https://a.b"])
def test_a_whole_reference_keeps_the_image_of_its_owner_and_any_other_keeps_all(
    box: Box, tmp_path: Path, host: str
) -> None:
    (tmp_path / "a.yaml").write_text(f"image: {host}/acme/app:v1\n---\nimage: app:v2\n")
    outcome = run_gc(
        box, **STRICT, owner="ACME, Beta", workspace=tmp_path, protect_from=("a.yaml",)
    )
    assert outcome.exit_code == 0, outcome.text
    assert tags_of(box, "acme") == {"v1", "v2", "v3"}
    assert tags_of(box, "beta") == {"v2", "v3"}
    assert outcome.why("Beta/app", "v2") == "in use: a.yaml:3"


@pytest.mark.parametrize("start", ["acme/", "$ACME/", "${ACME}/", "./acme/", "r.test/mirror/acme/"])
def test_what_may_be_a_variable_or_a_folder_keeps_that_of_every_owner(
    box: Box, tmp_path: Path, start: str
) -> None:
    """As each of them alone would keep it."""
    (tmp_path / "a.yaml").write_text(f"image: {start}app:v1\n")
    run_gc(box, **STRICT, owner="acme, beta", workspace=tmp_path, protect_from=("a.yaml",))
    assert tags_of(box, "acme") == tags_of(box, "beta") == {"v1", "v3"}


def test_an_owner_called_as_a_folder_of_anothers_images_takes_no_reference_from_them(
    box: Box, tmp_path: Path
) -> None:
    fill(box, "acme", "beta/app")
    (tmp_path / "a.yaml").write_text("image: $R/beta/app:v1\n")
    run_gc(box, **STRICT, owner="acme, beta", workspace=tmp_path, protect_from=("a.yaml",))
    assert tags_of(box, "acme", "beta/app") == tags_of(box, "beta") == {"v1", "v3"}


@pytest.mark.parametrize("path", ["acme/web", "git.example.org/acme/web"])
def test_a_reference_to_what_an_owner_does_not_have_keeps_that_of_the_others(
    box: Box, tmp_path: Path, path: str
) -> None:
    (tmp_path / "a.yaml").write_text(f"image: {path}:v1\n")
    run_gc(box, **STRICT, owner="acme, beta", workspace=tmp_path, protect_from=("a.yaml",))
    assert tags_of(box, "beta", "web") == {"v1", "v3"}


def test_a_tag_apart_from_its_image_is_kept_of_each_that_may_be_meant(
    box: Box, tmp_path: Path
) -> None:
    (tmp_path / "values.yaml").write_text("repository: gamma/app\ntag: v1\n")
    run_gc(box, **STRICT, owner="acme, gamma", workspace=tmp_path, protect_from=("values.yaml",))
    assert tags_of(box, "gamma") == {"v1", "v3"}
    assert tags_of(box, "acme") == {"v1", "v3"}


def test_an_image_put_together_while_it_runs_is_told_of_its_owner(box: Box, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("image: beta/we$X:v1\nimage: beta/app:v9\n")
    outcome = run_gc(
        box, **STRICT, owner="acme, beta", workspace=tmp_path, protect_from=("a.yaml",)
    )
    assert any("beta/we$X:v1, whose image cannot be known" in text for text in outcome.warnings)


def test_repositories_are_searched_once_for_all(box: Box) -> None:
    deploy = box.store.forge.add(
        box.store.owner("beta"), "deploy", {"a.yaml": "r.test/gamma/app:v2\n"}
    )
    outcome = run_gc(box, **STRICT, owner="beta, gamma", protect_from_repositories=("beta/deploy",))
    assert outcome.exit_code == 0, outcome.text
    assert sum(target.endswith(f"/{deploy.full_name}") for target in paths(box, "GET")) == 1
    assert (tags_of(box, "beta"), tags_of(box, "gamma")) == ({"v3"}, {"v2", "v3"})


def test_each_image_asks_the_repository_that_it_is_linked_to(box: Box) -> None:
    for owner, branch in (("acme", "v1"), ("beta", "v2")):
        repository = box.store.forge.add(box.store.owner(owner), "code", {"a": "b"})
        repository.branches[branch] = {}
        box.store.owner(owner).images["app"].repository = "code"
    chosen = {**STRICT, "package": ("app",), "policies": policies("tags={branch},keep-latest=1")}
    outcome = run_gc(box, **chosen, owner="acme, beta")
    assert outcome.exit_code == 0, outcome.text
    assert tags_of(box, "acme") == {"v1", "v3"}
    assert tags_of(box, "beta") == {"v2", "v3"}
    assert outcome.why("beta/app", "v2") == "branch v2 exists"


def test_what_cannot_be_told_of_one_image_leaves_that_of_another_owner_to_its_rules(
    box: Box,
) -> None:
    box.store.forge.add(box.store.owner("acme"), "app", {"a": "b"})
    chosen = {**STRICT, "package": ("app",), "policies": policies("tags={branch},keep-latest=1")}
    outcome = run_gc(box, **chosen, owner="acme, beta", own_repository="acme/app")
    assert tags_of(box, "acme") == {"v3"}
    assert tags_of(box, "beta") == {"v1", "v2", "v3"}
    assert "the repository of beta/app, and it is not known" in outcome.errors[0]


def test_a_signature_belongs_to_an_image_of_its_own_owner(box: Box) -> None:
    signed = Pusher.into(box.store, "acme").image("app", "v4", "new")
    for owner in ("acme", "beta"):
        push = Pusher.into(box.store, owner)
        push.image("sigs", "readme", "readme")
        name = push.signature("sigs", signed)
        box.store.age("sigs", name, 365, owner)
    outcome = run_gc(box, **STRICT, owner="acme, beta")
    assert outcome.why("beta/sigs", name) == "its subject is nowhere in beta"
    assert len(tags_of(box, "acme", "sigs")) == 2
    assert tags_of(box, "beta", "sigs") == {"readme"}


def test_what_is_remembered_of_one_owner_serves_a_run_of_several(box: Box, tmp_path: Path) -> None:
    chosen = {**STRICT, "dry_run": True, "workspace": tmp_path, "cache": "gc.json"}
    alone = run_gc(box, **chosen, owner="beta")
    box.faults.log.clear()
    together = run_gc(box, **chosen, owner="acme, beta")
    assert not [target for target in paths(box, "GET") if "/beta/" in target and "/files" in target]
    assert together.names(State.DOOMED) >= {(f"beta/{i}", n) for i, n in alone.names(State.DOOMED)}


# --- the report


def test_the_json_report_names_the_owner_of_each_image(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="acme, beta")
    body = json.loads(render(outcome.report, "1.2.3"))
    jsonschema.validate(body, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert (body["schema"], body["owner"]) == (2, "acme, beta")
    found = [(image["owner"], image["name"]) for image in body["images"]]
    assert found == [("acme", "acme/app"), ("beta", "beta/app"), ("beta", "beta/web")]


@pytest.mark.parametrize(
    ("owner", "expected"),
    [("acme", ["v1", "v2"]), ("acme, gamma", [f"{o}/app:v{n}" for o in OWNERS[::2] for n in "12"])],
)
def test_deleted_tags_cannot_be_confused(box: Box, owner: str, expected: list[str]) -> None:
    chosen = {**STRICT, "package": ("app",), "owner": owner}
    outcome = run_gc(box, **chosen)
    found = json.loads(outputs(outcome.report, settings(box, **chosen), "")["deleted-tags"])
    assert sorted(found) == expected


def test_one_owner_by_name_is_reported_as_ever(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="beta")
    body = json.loads(render(outcome.report, "1.2.3"))
    assert [image["name"] for image in body["images"]] == ["app", "web"]
    assert not any("owner" in image for image in body["images"])
    assert not any("beta/" in line for line in outcome.text.splitlines()[2:])


def test_what_goes_on_is_told_of_its_owner(box: Box) -> None:
    for number in range(60):
        Pusher.into(box.store, "beta").image("app", f"old{number}", number)
        box.store.age("app", f"old{number}", 400, "beta")
    outcome = run_gc(box, **STRICT, owner="acme, beta")
    assert "beta: deleting from app: 60/" in outcome.text
