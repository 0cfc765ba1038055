"""What a server tells of itself to anyone who asks, if it does."""

from collections.abc import Callable, Mapping
from typing import Any

from registry_gc.errors import Denied, Gone, NoAnswer, WrongAnswer


def told(ask: Callable[[], object]) -> Mapping[str, Any]:
    """The JSON object that `ask` gives; an empty one when it is none, or there is no answer.

    Raises what ends the run.
    """
    try:
        found = ask()
    except (Denied, Gone, NoAnswer, WrongAnswer):
        return {}
    return found if isinstance(found, dict) else {}
