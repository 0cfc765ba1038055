"""Makes a release: `python -m release 1.2.0`, as .gitea/workflows/release.yml calls it.

Each step may be done again: what an earlier try left is replaced by the same. The tag v1, which
people use, moves last, when all that it needs is there.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
import requests

from registry_gc import __version__
from release import forge, image, pyz, sbom, source, trial, wheel

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a release goes to."""

    url: str
    """The forge's root, which is the registry's too."""
    repository: str
    """`owner/name`"""
    user: str
    token: str
    """Of the user, with write:package and write:repository."""

    @property
    def package(self) -> str:
        """The image's name in the registry, beside the repository's owner."""
        return f"{self.repository.partition('/')[0]}/registry-gc".lower()

    @property
    def image(self) -> str:
        """The image's name as it is pulled, without a tag."""
        return f"{urlsplit(self.url).netloc}/{self.package}"

    def git(self) -> dict[str, str]:
        """Lets git push there; in the environment, for command lines are seen by others."""
        if not self.url.startswith("http"):
            return {}
        secret = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
        keys = {
            "KEY_0": f"http.{self.url}/.extraHeader",
            "VALUE_0": f"Authorization: Basic {secret}",
        }
        return {"GIT_CONFIG_COUNT": "1"} | {f"GIT_CONFIG_{key}": text for key, text in keys.items()}


@click.command()
@click.argument("version")
@click.option("--server-url", envvar="GITHUB_SERVER_URL", required=True)
@click.option("--repository", envvar="GITHUB_REPOSITORY", required=True)
@click.option("--user", envvar="GITHUB_ACTOR", required=True)
@click.option("--token", envvar="RELEASE_TOKEN", required=True)
@click.option("--engine", default="docker", help="docker, podman, or what has their options")
@click.option("--base", default=image.base(), help="what to build on, an image of every platform")
@click.option("--trial-url", help="a server to try the image on, whose token is in TRIAL_TOKEN")
@click.option("--trial-token", envvar="TRIAL_TOKEN")
@click.option("--trial-network", default="host", help="of the container that tries it")
def main(
    version: str,
    server_url: str,
    repository: str,
    user: str,
    token: str,
    engine: str,
    base: str,
    trial_url: str | None,
    trial_token: str | None,
    trial_network: str,
) -> None:
    """Makes the release VERSION of the commit that is checked out."""
    place = Place(server_url.rstrip("/"), repository, user, token)
    container = image.Engine(engine, base)
    try:
        text = check(version)
        commit = source.commit(place.image, version)
        source.refuse_twice(f"v{version}", commit, **place.git())
        moving = source.moving_tags(version, **place.git())
        files = parts()
        built = build(container, place, version)
        if trial_url and trial_token:
            own = built[image.own_platform()]
            trial.clean_up(container, own, trial_network, trial_url, trial_token)
        else:
            print("The image was not tried on a server: no --trial-url and TRIAL_TOKEN.")
        with requests.Session() as session:
            session.auth = (user, token)
            digest = push(container, session, place, [f"v{version}", *moving], built)
            files += sign(place, digest, files[-1])
            source.push_tag(f"v{version}", commit, **place.git())
            page = forge.publish(session, place.url, repository, f"v{version}", text, files)
            for tag in set(moving) - {"latest"}:
                source.push_tag(tag, commit, **place.git())
    except (source.NotReady, OSError) as error:  # of requests too
        raise click.ClickException(str(error)) from None
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"{error.cmd[0]} ended with {error.returncode}.") from None
    print(f"Released {version}: {page}")


def check(version: str) -> str:
    """What is new in it. Raises NotReady unless code, changelog and checkout agree on it."""
    if version != __version__:
        raise source.NotReady(f"The code says {__version__}: set __version__ to {version}.")
    if changed := source.git("status", "--porcelain", "--untracked-files=no"):
        raise source.NotReady(f"The checkout has changes that no commit has:\n{changed}")
    if os.environ.get("COSIGN_KEY") and not shutil.which("cosign"):
        raise source.NotReady(
            "There is a key in COSIGN_KEY and no cosign to sign with: install it."
        )
    return source.changes(version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def parts() -> list[Path]:
    """Builds the files that go with it into dist/; the last has the others' checksums."""
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pyz.build(folder / "registry-gc.pyz")
    sbom.build(folder / "registry-gc.cdx.json")
    wheel.build(folder)
    files = sorted(folder.iterdir())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return [*files, folder / "SHA256SUMS"]


def build(engine: image.Engine, place: Place, version: str) -> dict[str, str]:
    """Builds the image for each platform; platform -> its name."""
    platforms = engine.platforms()
    labels = {
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": source.git("rev-parse", "HEAD"),
        "org.opencontainers.image.source": f"{place.url}/{place.repository}",
        "org.opencontainers.image.base.name": engine.base,
    }
    built = {}
    for target in platforms:
        built[target] = f"{place.image}:v{version}-{target.rpartition('/')[2]}"
        engine.build(built[target], target, platforms[image.own_platform()], labels)
    return built


def push(
    engine: image.Engine,
    session: requests.Session,
    place: Place,
    tags: list[str],
    built: dict[str, str],
) -> str:
    """Pushes the image of each platform and joins them under the tags; the digest."""
    host = urlsplit(place.url).netloc
    engine.call("login", "--username", place.user, "--password-stdin", host, given=place.token)
    for name in built.values():
        engine.call("push", name)
    pushed = {target: name.rpartition(":")[2] for target, name in built.items()}
    return image.join(session, place.url, place.package, pushed, tags)


def sign(place: Place, digest: str, sums: Path) -> list[Path]:
    """Signs the image and the checksums with the key in COSIGN_KEY, if there is one; new files."""
    if not os.environ.get("COSIGN_KEY"):
        print("Not signed: there is no key in COSIGN_KEY.")
        return []
    # No public log: it would have to be reached by all who verify, also from a closed network.
    how = ["--yes", "--tlog-upload=false", "--key", "env://COSIGN_KEY"]
    login = ["cosign", "login", urlsplit(place.url).netloc]
    login += ["--username", place.user, "--password-stdin"]
    subprocess.run(login, input=place.token, text=True, check=True)
    subprocess.run(["cosign", "sign", *how, f"{place.image}@{digest}"], check=True)
    signature = sums.with_name(f"{sums.name}.sig")
    into = ["--output-signature", str(signature), str(sums)]
    subprocess.run(["cosign", "sign-blob", *how, *into], check=True)
    return [signature]


if __name__ == "__main__":
    sys.exit(main())
