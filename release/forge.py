"""The release's page on the forge, with its files. Gitea's API, the same from 1.21 on."""

from pathlib import Path

import requests


def publish(
    session: requests.Session, url: str, repository: str, tag: str, text: str, files: list[Path]
) -> str:
    """Makes the page, or completes one that an earlier try left; its address.

    A file that is there already is replaced. Raises HTTPError.
    """
    address = f"{url}/api/v1/repos/{repository}/releases"
    answer = session.get(f"{address}/tags/{tag}", timeout=60)
    if answer.status_code == 404:
        wanted = {"tag_name": tag, "name": tag, "body": text, "prerelease": "-" in tag}
        answer = session.post(address, json=wanted, timeout=60)
    answer.raise_for_status()
    page = answer.json()
    assets = f"{address}/{page['id']}/assets"
    for asset in page["assets"]:
        if asset["name"] in {file.name for file in files}:
            session.delete(f"{assets}/{asset['id']}", timeout=60).raise_for_status()
    for file in files:
        given = {"attachment": (file.name, file.read_bytes())}
        session.post(
            assets, params={"name": file.name}, files=given, timeout=300
        ).raise_for_status()
    return str(page["html_url"])
