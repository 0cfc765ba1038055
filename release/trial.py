"""The built image cleans up on a real server before anyone gets it."""

import secrets
from time import sleep

import requests

from release.image import Engine
from release.source import NotReady
from tests.sandbox import Pusher


def clean_up(engine: Engine, image: str, network: str, url: str, token: str) -> None:
    """Pushes three builds under a name of its own, runs the image, and sees that one stays whole.

    `network` is what the container is started in, and reaches `url` from; the token has
    write:package and read:user. Raises NotReady when the outcome is another one.
    """
    with requests.Session() as session:
        session.headers["Authorization"] = f"token {token}"
        answer = session.get(f"{url}/api/v1/user", timeout=60)
        answer.raise_for_status()
        owner, name = answer.json()["login"], f"trial-{secrets.token_hex(4)}"
        push = Pusher(url, owner, token)
        for number in range(3):
            parts = push.multiarch(name, f"v{number}", number)[1]
        _next_second(session, url)  # what was pushed in the second of the run would stay
        given = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": url,
            "GITHUB_REPOSITORY_OWNER": owner,
            "INPUT_TOKEN": token,
            "INPUT_PACKAGE": name,
            "INPUT_KEEP-DAYS": "0",
            "INPUT_KEEP-LATEST": "1",
        }
        told = [word for key, text in given.items() for word in ("--env", f"{key}={text}")]
        print(engine.call("run", "--rm", "--network", network, *told, image))
        address = f"{url}/api/v1/packages/{owner}"
        listed = session.get(address, params={"q": name}, timeout=60).json()
        stays = {row["version"] for row in listed}
        for version in stays:
            session.delete(f"{address}/container/{name}/{version}", timeout=60)
    if stays != {"v2", *parts}:
        raise NotReady(
            f"The image was tried on {url} and left {sorted(stays)}, not v2 and its parts."
        )


def _next_second(session: requests.Session, url: str) -> None:
    """Waits until the server's clock shows another second."""
    address = f"{url}/api/v1/version"
    at = session.get(address, timeout=60).headers["Date"]
    while session.get(address, timeout=60).headers["Date"] == at:
        sleep(0.1)
