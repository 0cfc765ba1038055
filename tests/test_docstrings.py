"""What a public field holds is said under it, where editors show it."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "gc" / "registry_gc"


def fields(path: Path) -> Iterator[tuple[str, bool]]:
    """Each public field of the public dataclasses in a file, and whether a docstring follows it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        if "dataclass" not in "".join(map(ast.unparse, node.decorator_list)):
            continue
        for field, after in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                is_told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                if not field.target.id.startswith("_"):
                    yield f"{path.name}: {node.name}.{field.target.id}", is_told


def test_every_public_field_has_a_docstring() -> None:
    found = [field for path in PACKAGE.rglob("*.py") for field in fields(path)]
    assert found
    assert [name for name, is_told in found if not is_told] == []
