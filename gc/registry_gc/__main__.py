"""python -m registry_gc."""

from registry_gc.main import main

main(prog_name="registry-gc")
