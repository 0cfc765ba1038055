"""What names mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_gc.registry.version_names import (
    first_match,
    is_digest,
    is_plain_tag,
    short,
    subject_of,
)
from registry_gc.server.references import is_valid

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("latest", "tag"),
        ("v1.2.0", "tag"),
        ("_x", "tag"),
        ("a" * 128, "tag"),
        ("sha256", "tag"),
        (HEX, "tag"),
        (f"sha256-{HEX[:63]}", "tag"),
        (f"sha256-{HEX}0", "tag"),
        (f"sha256-{HEX}.txt", "tag"),
        (f"sha256-{HEX}.sig.sig", "tag"),
        (f"x-sha256-{HEX}", "tag"),
        (f"sha512-{HEX}", "tag"),
        (f"sha256:{HEX}", "untagged"),
        (f"sha256-{HEX}", "attachment"),
        (f"sha256-{HEX}.sig", "attachment"),
        (f"sha256-{HEX}.att", "attachment"),
        (f"sha256-{HEX}.sbom", "attachment"),
        (f"SHA256-{HEX.upper()}.SIG", "attachment"),
    ],
)
def test_a_name_is_a_tag_or_untagged_or_an_attachment(name: str, kind: str) -> None:
    assert is_valid(name)
    assert is_digest(name) is (kind == "untagged")
    assert subject_of(name) == (f"sha256:{HEX}" if kind == "attachment" else None)
    assert is_plain_tag(name) is (kind == "tag")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "a/b",
        "a b",
        "a\n",
        "v1?x",
        "v1#x",
        "v1%2f",
        "a" * 129,
        "é",
        "v1:x",
        "sha256:",
        f"sha256:{HEX[:-1]}",
        f"sha256:{HEX}0",
        f"sha256:{HEX.upper()}",
        f"sha512:{HEX}",
        "\u212a",
    ],
)
def test_what_could_address_anything_else_is_no_name(name: str) -> None:
    assert not is_valid(name)


def test_only_a_digest_is_cut_for_people() -> None:
    assert short(f"sha256:{HEX}") == "sha256:0123456789ab"
    assert short("a" * 100) == "a" * 100


@pytest.mark.parametrize(
    ("name", "pattern", "matches"),
    [
        ("latest", "latest", True),
        ("LATEST", "latest", True),
        ("latest-1", "latest", False),
        ("my-latest", "latest", False),
        ("corpus-2026", "corpus-*", True),
        ("corpus-", "corpus-*", True),
        ("corpus", "corpus-*", False),
        ("v1", "v?", True),
        ("v10", "v?", False),
        ("v1", "v[0-9]", True),
        ("va", "v[!0-9]", True),
        ("v1", "v[!0-9]", False),
        ("team/app", "*", True),
        ("v1.2", "v1.2", True),
        ("v1x2", "v1.2", False),
        ("a", "[", False),
    ],
)
def test_a_pattern_is_shell_style_and_matches_the_whole_name(
    name: str, pattern: str, matches: bool
) -> None:
    assert (first_match(name, [pattern]) == pattern) is matches


def test_the_first_pattern_that_matches_counts() -> None:
    assert first_match("v1", ["x", "v*", "*"]) == "v*"
    assert first_match("v1", []) is None


@given(st.text("a[]!-*?^&|~\\(.", max_size=12))
def test_no_pattern_breaks_the_matching(pattern: str) -> None:
    first_match("a", [pattern])
