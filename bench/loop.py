"""The loop that scripts are: all pages, then each version, one by one, a connection each.

It reads and verifies nothing, so an image made of several manifests does not survive it.
"""

import http.client
import json
import sys
from urllib.parse import quote, urlsplit


def request(method: str, url: str, token: str) -> bytes:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    headers = {"Authorization": f"token {token}"}
    connection.request(method, f"{parts.path}?{parts.query}", headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status not in (200, 204, 404):
        raise SystemExit(f"{method} {url}: {response.status} {body[:200]!r}")
    return body


def main(url: str, owner: str, token: str, image: str, keep: int) -> None:
    """Deletes all versions of the image but the newest `keep`."""
    packages = f"{url}/api/v1/packages/{owner}"
    names: list[str] = []
    page = 1
    while rows := json.loads(
        request("GET", f"{packages}?type=container&q={image}&limit=50&page={page}", token)
    ):
        names += [row["version"] for row in rows if row["name"] == image]
        page += 1
    for name in names[keep:]:
        request("DELETE", f"{packages}/container/{image}/{quote(name, safe='')}?", token)


if __name__ == "__main__":
    URL, OWNER, TOKEN, IMAGE, KEEP = sys.argv[1:]
    main(URL, OWNER, TOKEN, IMAGE, int(KEEP))
