"""What can go wrong, as few types; `main` alone turns them into text and an exit code."""


class RegistryGcError(Exception):
    """Something failed or was refused: a sentence with the cause and what to change. Exit 1."""


class UsageError(RegistryGcError):
    """Wrong settings, all of them at once, found before any request. Exit 2."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Gone(RegistryGcError):
    """404: what was asked for is not, or no longer, there."""


class Stop(RegistryGcError):
    """No further request makes sense."""


class Denied(Stop):
    """401 or 403: every further request would be refused too."""


class Interrupted(Stop):
    """The job was cancelled."""
