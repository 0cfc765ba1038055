"""What the container runs: the program, from its sources beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "gc"))

from registry_gc.main import main

main(prog_name="registry-gc")
