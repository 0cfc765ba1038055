"""What can go wrong, as few types that carry their own message; `main` alone shows them."""

from collections.abc import Iterable
from dataclasses import dataclass


class RegistryGcError(Exception):
    """Something failed or was refused: a sentence with the cause and what to change. Exit 1."""


class UsageError(RegistryGcError):
    """Wrong settings, all of them at once, found before any request. Exit 2."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Refused(RegistryGcError):
    """The settings allow less than what was to be done, and nothing was."""


class Stop(RegistryGcError):
    """No further request makes sense."""


class Interrupted(Stop):
    """The job was cancelled."""

    def __init__(self) -> None:
        super().__init__("The run was interrupted.")


class TooSlow(Stop):
    """The server was silent for longer than a run waits for it."""

    def __init__(self, seconds: float, failure: str) -> None:
        cause = f" ({failure})" if failure else ""
        super().__init__(
            f"The server gave no usable answer for {seconds:.0f} seconds{cause}, so it is asked "
            "nothing more. Is it up, and not overloaded?"
        )


class NoThreads(RegistryGcError):
    """The operating system refuses to start even one thread."""

    def __init__(self) -> None:
        super().__init__(
            "This machine lets no thread start: raise its limit of processes (ulimit -u, or the "
            "container's pids limit)."
        )


@dataclass(frozen=True, slots=True)
class Right:
    """What a request asks of the token, in the words of its refusal."""

    action: str
    """What the token may not do, after `The token may not`: `read packages of acme`."""
    scope: str
    """The scope of a token that may: `write:package`."""
    choice: str
    """The same scope as the server's page for new tokens has it: `package: read and write`."""
    who: str
    """Whose token it must be: `a user who may write to acme's packages; ...`."""

    @classmethod
    def of_anyone(cls, action: str) -> "Right":
        """What every token may, and nobody is refused for lack of a scope."""
        return cls(action, "any", "any", "anyone")

    def how_to_get(self, server_url: str) -> str:
        """What to do for a token that has it, as a sentence."""
        return (
            f"To get one: {server_url}/user/settings/applications, scope {self.choice}; store it "
            "as a secret and pass it as the input token (GITEA_TOKEN on a command line)."
        )


class Denied(Stop):
    """401 or 403: every further request would be refused too."""

    def __init__(self, text: str, answer: str = "") -> None:
        super().__init__(text)
        self.answer = answer

    @classmethod
    def from_response(
        cls, status: int, answer: str, right: Right, server_url: str, is_registry: bool
    ) -> "Denied":
        """A refusal with this status and `the server answered 401: ...`, of a server there.

        `is_registry` for /v2, which answers 401 also when the token's user has not the right.
        """
        make = right.how_to_get(server_url)
        if status == 401:
            user = f", or its user may not {right.action}" if is_registry else ""
            return cls(
                f"The server refused the token ({answer}): it is wrong, has expired, belongs to "
                f"another instance, or lacks the scope {right.scope}{user}. {make}",
                answer,
            )
        return cls(
            f"The token may not {right.action} ({answer}). It must be a personal access token "
            f"with the scope {right.scope}, of {right.who}. {make}",
            answer,
        )

    @classmethod
    def without_scope(cls, scopes: Iterable[str], right: Right, server_url: str) -> "Denied":
        """Known before it is tried, from the scopes that the server says the token has."""
        return cls(
            f"The token may not {right.action}: it has the scopes {', '.join(scopes) or 'none'}, "
            f"and needs {right.scope}. {right.how_to_get(server_url)}"
        )

    @classmethod
    def to_clean_up(cls, answer: str) -> "Denied":
        """The refusal of the cron task that frees the space."""
        return cls(
            f"The server refused to run cleanup_packages ({answer}): reclaim needs the token of a "
            "site admin with the scope write:admin. Without it the server frees the space in its "
            "nightly run."
        )


class Gone(RegistryGcError):
    """What was asked for is not, or no longer, there: 404, or another version of that name is."""

    def __init__(self, request: str) -> None:
        super().__init__(f"{request}: not there (404).")


class NoAnswer(RegistryGcError):
    """The server could not be reached, or only said that it is not able to answer."""

    @classmethod
    def after(cls, request: str, tries: int, failure: str, is_first: bool) -> "NoAnswer":
        """Given up after so many tries; `is_first` when the server has not answered anything."""
        times = "1 try" if tries == 1 else f"{tries} tries"
        hint = " Is server-url right, and reachable from here?" if is_first else ""
        return cls(f"{request} failed after {times}: {failure}.{hint}")

    @classmethod
    def for_good(cls, request: str, failure: str) -> "NoAnswer":
        """What no further try would change."""
        return cls(f"{request} failed: {failure}.")

    @classmethod
    def at_the_end(cls, request: str, failure: str) -> "NoAnswer":
        """In flight when the run was interrupted."""
        return cls(f"{request}: the run was interrupted, and {failure}.")


class WrongAnswer(RegistryGcError):
    """There is an answer, and it is not what Gitea's API gives."""

    @classmethod
    def from_status(cls, request: str, answer: str) -> "WrongAnswer":
        """A status that means failure, or none that this request has."""
        return cls(f"{request} failed: {answer}.")

    @classmethod
    def too_many(cls, request: str, answer: str, owner: str) -> "WrongAnswer":
        """A push that the server forbids though the token may push: it gives no reason (1.26.2)."""
        return cls(
            f"{request} was refused: {answer}. Has {owner} as many packages as the server allows "
            "(LIMIT_TOTAL_OWNER_COUNT in its app.ini)? Have that raised, or make room with one "
            "run without trash-days."
        )

    @classmethod
    def redirected(cls, request: str, target: str) -> "WrongAnswer":
        """A redirect: of a renamed owner, or of a proxy that has another address."""
        return cls(
            f"{request} was redirected to {target}, which is not followed: was the owner renamed, "
            "or is the server's address another? Set owner or server-url to it."
        )

    @classmethod
    def not_json(cls, server_url: str, text: str) -> "WrongAnswer":
        """A body that is no JSON, of which `text` is the beginning."""
        return cls(
            f"{server_url} answered {text or 'nothing'} instead of JSON. Check server-url: a login "
            "page or a proxy may answer in the server's place."
        )

    @classmethod
    def not_a_listing(cls, server_url: str) -> "WrongAnswer":
        """JSON, and no page of a listing."""
        return cls(
            f"{server_url} did not answer as Gitea's package API does (no list, or no "
            "X-Total-Count): check server-url, and whether a proxy drops headers."
        )

    @classmethod
    def not_a_version(cls, server_url: str) -> "WrongAnswer":
        """JSON, and no version with an id."""
        return cls(
            f"{server_url} did not answer as Gitea's package API does (no version with an id): "
            "check whether a proxy answers in its place."
        )

    @classmethod
    def too_large(cls, request: str, most: int) -> "WrongAnswer":
        """A body that has more bytes than any answer of Gitea."""
        return cls(
            f"{request} failed: the answer has more than {most >> 20} MiB, as none of Gitea's has."
        )

    @classmethod
    def damaged(cls, what: str, found: str, digest: str) -> "WrongAnswer":
        """A manifest whose bytes have another digest than the one it was asked for by."""
        return cls(
            f"The manifest of {what} arrived damaged: its digest is {found}, not {digest}. Does a "
            "proxy change what it passes on?"
        )

    @classmethod
    def without_digest(cls, what: str) -> "WrongAnswer":
        """A HEAD that does not tell which manifest it is about."""
        return cls(
            f"The server did not tell the digest of {what} (no Docker-Content-Digest): does a "
            "proxy drop headers?"
        )

    @classmethod
    def other_content(cls, what: str, digest: str) -> "WrongAnswer":
        """A name that does not hold what was just pushed under it."""
        return cls(
            f"{what} does not hold {digest} after it was pushed there: was it pushed by someone "
            "else at the same moment?"
        )

    @classmethod
    def no_address(cls, what: str) -> "WrongAnswer":
        """A redirect to the storage that leads nowhere."""
        return cls(f"{what} could not be read: the server sent it on to an address that is none.")

    @classmethod
    def from_storage(cls, what: str, status: int) -> "WrongAnswer":
        """A failure of the storage that the server redirected to."""
        return cls(
            f"{what} could not be read: the storage that the server names answered {status}."
        )


class UnknownOwner(WrongAnswer):
    """404 for a listing, which for an unknown image is empty."""

    def __init__(self, server_url: str, owner: str) -> None:
        super().__init__(
            f"{server_url} knows no user or organisation {owner} with packages (404): check owner "
            "and server-url."
        )


class NotAName(RegistryGcError):
    """A name that must not come into an address: an empty one, or `..`, would address others."""

    def __init__(self, image: str, version: str) -> None:
        super().__init__(f"Refused to ask for {image}:{version}: not a version's name.")


class TokenInAddress(RegistryGcError):
    """The token stands where a name should, and would be sent in an address."""

    def __init__(self) -> None:
        super().__init__(
            "Refused to send a request whose address holds the token: it was put into another "
            "setting, or is the name of something on the server. Make a new one, and delete it."
        )
