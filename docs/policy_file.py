"""Makes docs/policy-file.schema.json, by which editors check a policy file while it is written.

Run from the project's root: .venv/bin/python -m docs.policy_file
"""

import json
from pathlib import Path
from typing import Any

from registry_gc.settings import parse, policies
from registry_gc.settings.inputs import Input
from registry_gc.settings.policy_file import FILE_INPUTS, IMAGE_INPUTS

SCHEMA = Path(__file__).with_name("policy-file.schema.json")
# Draft 7, for editors know no newer one. A tag such as 1.10 is a number to them.
WORD = {"type": ["string", "number"], "minLength": 1}
WORDS = {"anyOf": [WORD, {"type": "array", "items": WORD}]}
SOME_WORDS = {"anyOf": [WORD, {"type": "array", "items": WORD, "minItems": 1}]}
FIGURE = {"type": "integer", "minimum": 0, "maximum": parse.MOST_DAYS}
KINDS: dict[Any, dict[str, Any]] = {
    parse.number: FIGURE,
    parse.boolean: {"type": "boolean"},
    parse.count: {**FIGURE, "minimum": 1},
    parse.in_flight: {"type": "integer", "minimum": 1, "maximum": 32},
    parse.limit: {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]},
    policies.lines: {
        "anyOf": [
            {"type": "array", "items": {"$ref": "#/definitions/policy"}},
            {"type": "string", "minLength": 1},
        ]
    },
}
POLICY: dict[str, tuple[dict[str, Any], str]] = {
    "tags": (SOME_WORDS, "Patterns: the policy takes the tags that match, and no policy before."),
    "group-by": (
        {"anyOf": [{"enum": ["major", "minor"]}, {"type": "string", "pattern": r"\("}]},
        "major, minor or a regular expression with one group: all figures hold for each group.",
    ),
    "order": ({"enum": ["version"]}, "The newest is the highest version, not the last push."),
}


def schema() -> dict[str, Any]:
    """What a policy file may hold."""
    images = {name: _described(declared) for name, declared in IMAGE_INPUTS.items()}
    match = {**SOME_WORDS, "description": "Names of images, or patterns."}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The policy file of registry-gc",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: _described(declared) for name, declared in FILE_INPUTS.items()},
            "images": {
                "description": "Settings of some images: the first entry that fits holds.",
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["match"],
                    "properties": {"match": match, **images},
                },
            },
        },
        "definitions": {"policy": _policy()},
    }


def text() -> str:
    """The schema as its file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def _described(declared: Input) -> dict[str, Any]:
    kind = KINDS.get(declared.parse, WORDS if declared.many else {"type": "string", "minLength": 1})
    if declared.required and declared.many:
        kind = SOME_WORDS
    if not declared.default:
        return {**kind, "description": declared.help}
    value = declared.parse(declared.default)
    default = list(value) if isinstance(value, tuple) else value
    return {**kind, "description": declared.help, "default": default}


def _policy() -> dict[str, Any]:
    figures = {key: {**FIGURE, "description": FILE_INPUTS[key].help} for key in policies.FIGURES}
    others = {key: {**kind, "description": said} for key, (kind, said) in POLICY.items()}
    keys = {key: (figures | others)[key] for key in policies.KEYS}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["tags"],
        "properties": keys,
    }


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
