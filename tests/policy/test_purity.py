"""The room of the policy decides, and can do nothing else."""

import subprocess
import sys


def test_what_decides_cannot_reach_a_server() -> None:
    program = (
        "import sys, registry_gc.policy.decide\n"
        "print(sorted({'requests', 'socket', 'registry_gc.server.client'} & set(sys.modules)))"
    )
    command = [sys.executable, "-I", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
