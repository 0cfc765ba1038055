"""The faces of a run: each says the whole truth, once, and the same as the others."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from registry_gc.report import document, summary
from registry_gc.report.faces import faces
from registry_gc.report.files import Files
from registry_gc.report.report import Report
from registry_gc.settings.load import load
from tests.report import samples as reports
from tests.report.reading import check_counts, log_to, logged, parsed

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
SAMPLES: dict[str, Callable[[], Report]] = {
    name: getattr(reports, name)
    for name in (
        "nothing_to_do",
        "dry_run",
        "deletions",
        "failures",
        "names_apart",
        "broken_before",
        "refused",
        "refused_dry_run",
        "interrupted",
        "unreachable",
        "many_images",
        "hostile",
    )
}
every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def is_golden(name: str, text: str) -> None:
    """Compares with tests/golden; UPDATE_GOLDEN=1 writes the file instead."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="")
    with path.open(encoding="utf-8", newline="") as file:
        assert text == file.read()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_faces_of_every_outcome_are_as_agreed(name: str) -> None:
    """A change of a golden file is a change of what people read: look at it."""
    report = SAMPLES[name]()
    is_golden(f"{name}.txt", logged(report))
    is_golden(f"{name}.md", summary.render(report))
    is_golden(f"{name}.json", document.render(report, "1.2.3"))


def test_a_long_list_is_cut_and_every_version_is_told_as_agreed() -> None:
    """Rows go whole, the last of the longest tables first, and are counted."""
    is_golden("cut.md", summary.render(reports.many_images(), 4_000))
    is_golden("verbose.txt", logged(reports.names_apart(), verbose=True))


@every_sample
def test_the_json_report_is_what_its_schema_says(sample: Callable[[], Report]) -> None:
    """Whoever reads it can rely on docs/report.schema.json."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(parsed(sample()), schema)


@every_sample
def test_every_version_is_in_each_face_once_and_all_counts_agree(
    sample: Callable[[], Report],
) -> None:
    """A count that another face contradicts would mislead."""
    check_counts(sample())


def test_a_file_that_a_face_writes_is_written_when_there_is_one(tmp_path: Path) -> None:
    """Faces are shown one after the other, and where there is no file nothing is done."""
    env = {"INPUT_TOKEN": "t", "GITEA_HOST": "http://x", "INPUT_PACKAGE": "app"}
    settings = load({}, env | {"GITHUB_REPOSITORY_OWNER": "acme"})
    places = Files(tmp_path / "r.json", tmp_path / "out", tmp_path / "s.md", ())
    for files in (Files(None, None, None, ()), places):
        for face in faces(log_to(io.StringIO()), files, settings):
            face.show(reports.deletions())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "r.json", "s.md"]
    assert "deleted-builds=5\n" in (tmp_path / "out").read_text(encoding="utf-8")
    assert "outcome=done\n" in (tmp_path / "out").read_text(encoding="utf-8")
    assert (tmp_path / "s.md").read_text(encoding="utf-8").startswith("## Deleted 5 of 12 builds")


def test_what_was_not_measured_is_left_out() -> None:
    """No zero stands for an unknown size."""
    report = reports.deletions()
    image = parsed(report)["images"][0]
    assert not {"size", "digest", "error"} & set(image["versions"][0])
    assert not {"adds_bytes", "size_bytes", "digest"} & set(image["builds"][0])
    assert "| Size |" not in summary.render(report)
    assert " B " not in logged(report)


def test_the_json_report_is_ascii_and_keeps_every_text_as_it_was() -> None:
    """No reader's terminal or encoding is in danger, and nothing is lost."""
    text = reports.HOSTILE + "\ud800"
    rendered = document.render(reports.hostile(text), "1")
    assert rendered.isascii()
    assert json.loads(rendered)["problems"][0]["text"] == text


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (reports.deletions, "done"),
        (reports.nothing_to_do, "nothing"),
        (reports.dry_run, "dry-run"),
        (reports.refused, "refused"),
        (reports.refused_dry_run, "refused"),
        (reports.failures, "failed"),
        (reports.interrupted, "failed"),
        (reports.unreachable, "failed"),
    ],
)
def test_a_word_says_how_the_run_ended(sample: Callable[[], Report], expected: str) -> None:
    """Some engines show an action's exit 1 as success."""
    assert sample().outcome == expected
