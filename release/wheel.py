"""The wheel, built from a copy of the sources, so that nothing else of a checkout gets into it.

python -m release.wheel dist
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
EPOCH = "315532800"  # 1980, the earliest date there is in such a file


def build(folder: Path) -> Path:
    """Builds with the setuptools installed here, which is locked; the same bytes each time."""
    with TemporaryDirectory() as copy:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / "gc", Path(copy) / "gc", ignore=unwanted)
        options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(folder), copy]
        subprocess.run(command, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH}, check=True)
    return max(folder.glob("registry_gc-*.whl"), key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
