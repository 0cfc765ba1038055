"""A policy is a line of keys and values, and each wrong one is named with what is allowed."""

import pytest

from registry_gc.settings.parse import Policy
from registry_gc.settings.policies import lines


def problem(text: str) -> str:
    with pytest.raises(ValueError, match="line") as caught:
        lines(text)
    return str(caught.value)


def test_a_policy_is_a_line() -> None:
    text = r"""
        tags=V*,keep-latest=20,keep-days=3650

        keep-days=7, tags=pr-*, tags = sha-?
        tags=x
        tags=n*,keep-daily=1,keep-weekly=2,keep-monthly=3,keep-yearly=4
        tags=r*,group-by=Minor,order=version,keep-latest=2
        tags=*-*,group-by=(.*)-\d+
    """
    assert lines(text) == (
        Policy(("v*",), 20, 3650),
        Policy(("pr-*", "sha-?"), 0, 7),
        Policy(("x",), 0, 0),
        Policy(("n*",), 0, 0, 1, 2, 3, 4),
        Policy(("r*",), 2, 0, group_by="minor", by_version=True),
        Policy(("*-*",), 0, 0, group_by=r"(.*)-\d+"),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("v*", 'has "v*". Allowed are tags=PATTERN'),
        ("tag=v*", 'has "tag=v*". Did you mean tags? Allowed are'),
        ("tags=v*,keep-latest", 'has "keep-latest". Allowed are'),
        ("tags=v*,keep-weakly=3", "Did you mean keep-weekly? Allowed are"),
        ("tags=v*,keep_monthly=3", "Did you mean keep-monthly? Allowed are"),
        ("tags=v*,groupby=minor", "Did you mean group-by? Allowed are"),
        ("tags=v*,", 'has "". Allowed are'),
        ("tags=,keep-days=3", 'has "tags=". Allowed are'),
        ("tags=v* w*", "has a space inside"),
        ("keep-latest=3", "names no tags: add tags=PATTERN."),
        ("tags=v*,keep-latest=", 'has "keep-latest=". Allowed are'),
        ("tags=v*,keep-latest=-3", 'keep-latest="-3" is not allowed: a whole number'),
        ("tags=v*,keep-days=ten", 'keep-days="ten" is not allowed: a whole number'),
        ("tags=v*,keep-yearly=1.5", 'keep-yearly="1.5" is not allowed: a whole number'),
        ("tags=v*,keep-days=1,keep-days=2", "says keep-days twice."),
        ("tags=v*,order=date", 'order="date" is not allowed: version, or leave it out'),
        ("tags=v*,order=version,order=version", "says order twice."),
        (
            "tags=v*,group-by=patch",
            "is neither major nor minor, and as a regular expression it must",
        ),
        (r"tags=v*,group-by=(\d)(\d)", "must have exactly one group"),
        (r"tags=v*,group-by=(\d{1,2})", 'group-by="(\\d{1" is neither'),
    ],
)
def test_a_wrong_policy_is_named_with_its_line(line: str, message: str) -> None:
    text = problem(f"tags=ok\n\n{line}\n")
    assert f'line 3 "{line.strip()}"' in text
    assert message in text


def test_every_wrong_policy_is_named() -> None:
    text = problem("tags=v*,keep-days=x\ntags=ok\nkeep-latest=1")
    assert "line 1 " in text
    assert "line 2 " not in text
    assert "line 3 " in text


def test_a_policy_tells_what_was_written() -> None:
    (policy,) = lines("tags=v*,keep-daily=7,group-by=minor,order=version")
    assert policy.settings() == {
        "tags": ("v*",),
        "keep-latest": 0,
        "keep-days": 0,
        "keep-daily": 7,
        "group-by": "minor",
        "order": "version",
    }
