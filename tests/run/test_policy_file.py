"""A policy file gives each image its own settings, and says what of it fits nothing."""

from pathlib import Path

from registry_gc.settings.load import load
from tests.harness import in_process, run_gc

FILE = """
package: "*"
keep-days: 0
keep-latest: 1
images:
  - match: [app]
    policies: [{tags: ["v*"], group-by: minor, order: version, keep-latest: 1}]
  - match: [cache-*, typo-*]
    keep-latest: 2
    protect: [never]
"""


def test_each_image_has_the_settings_of_the_first_entry_that_fits(tmp_path: Path) -> None:
    (tmp_path / "gc.yml").write_text(FILE, encoding="utf-8")
    with in_process() as box:
        env = {"GITEA_TOKEN": box.token, "GITEA_HOST": box.url, "INPUT_OWNER": box.owner}
        given = load({"policy_file": "gc.yml"}, env, tmp_path)
        for image in ("app", "cache-go", "web"):
            for number, tag in enumerate(("v1.0.1", "v1.1.0", "v1.0.0", "latest")):
                box.push.image(image, tag, seed=number)
                box.store.age(image, tag, days=400 - number)
        chosen = ("package", "keep_days", "keep_latest", "keep_untagged_days", "images")
        outcome = run_gc(box, **{name: getattr(given, name) for name in chosen})
        assert outcome.exit_code == 0
        stays = {image: set(box.store.versions(image)) for image in ("app", "cache-go", "web")}
    assert stays == {
        "app": {"v1.0.1", "v1.1.0", "latest"},
        "cache-go": {"v1.0.0", "latest"},
        "web": {"v1.0.0", "latest"},
    }
    assert outcome.why("app", "v1.0.1") == "keep-latest 1/1 of v*, group 1.0"
    assert "policy-file: match typo-* fits no image. Is it misspelt?" in outcome.warnings
    assert "protect: never matches no tag. Is it misspelt?" in outcome.warnings
