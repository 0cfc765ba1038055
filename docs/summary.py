"""Makes docs/summary.png: a sample job summary as Gitea renders it, in both of its themes.

Run from the project's root, with chromium on the PATH and any Gitea running:
    GITEA_URL=https://git.example.org GITEA_TOKEN=... .venv/bin/python -m docs.summary
The server only renders Markdown; the token may be left out where that is open to all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from registry_gc.report import summary
from tests.report.samples import typical

PICTURE = Path(__file__).with_name("summary.png")
WIDTH, HEIGHT = 1520, 640
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; display: flex; font: 13px/1.5 "Liberation Sans", Arial, sans-serif }}
main {{ box-sizing: border-box; width: 760px; min-height: 640px; padding: 8px 24px;
  color: var(--text); background: var(--page) }}
.light {{ --text: #1e2327; --page: #fff; --line: #d0d7de; --code: #eff1f3; --row: #f6f8fa;
  --caution: #cf222e; --warning: #9a6700 }}
.dark {{ --text: #d2d6db; --page: #171b1f; --line: #3b444c; --code: #2a3138; --row: #1f252a;
  --caution: #ff6e67; --warning: #d8a33a }}
h2 {{ font-size: 21px; line-height: 1.3; border-bottom: 1px solid var(--line);
  padding-bottom: 8px; margin: 16px 0 12px }}
h3 {{ margin: 16px 0 8px }} h3 code {{ font-size: 15px }}
table {{ border-collapse: collapse; margin: 8px 0 }}
th, td {{ border: 1px solid var(--line); padding: 2px 9px }}
tr:nth-child(2n) {{ background: var(--row) }}
code {{ font: 12px "DejaVu Sans Mono", monospace; background: var(--code); padding: 2px 5px;
  border-radius: 4px }}
sub {{ font-size: 11px; line-height: 1.4; vertical-align: baseline; display: block }}
blockquote {{ margin: 12px 0; padding: 2px 14px; border-left: 4px solid var(--line) }}
blockquote p {{ margin: 4px 0 }} blockquote ul {{ margin: 4px 0; padding-left: 20px }}
.attention-icon {{ fill: currentColor; vertical-align: -2px; margin-right: 6px }}
blockquote.attention-caution {{ border-color: var(--caution) }}
blockquote.attention-warning {{ border-color: var(--warning) }}
svg.attention-caution, strong.attention-caution {{ color: var(--caution) }}
svg.attention-warning, strong.attention-warning {{ color: var(--warning) }}
</style><main class="light">{body}</main><main class="dark">{body}</main>"""


def rendered(markdown: str, server_url: str, token: str) -> str:
    """The Markdown as HTML (POST /api/v1/markdown, Gitea 1.21 and later)."""
    response = requests.post(
        f"{server_url}/api/v1/markdown",
        json={"Text": markdown, "Mode": "gfm"},
        headers={"Authorization": f"token {token}"} if token else {},
        timeout=30,
    )
    response.raise_for_status()
    return response.text


def photograph(page: str, picture: Path) -> None:
    """A picture of an HTML page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        sys.exit("chromium is not on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        source.write_text(page, encoding="utf-8")
        quiet = ["--disable-quic", "--disable-sync", "--disable-component-update"]
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += [*quiet, "--disable-background-networking", "--hide-scrollbars"]
        command += ["--disable-lcd-text"]  # grey edges make a smaller file
        command += [f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}"]
        command += [f"--screenshot={picture}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603


def main() -> None:
    """Renders the sample and writes the picture."""
    if not (server_url := os.environ.get("GITEA_URL", "").rstrip("/")):
        sys.exit("set GITEA_URL to a running Gitea")
    body = rendered(summary.render(typical()), server_url, os.environ.get("GITEA_TOKEN", ""))
    photograph(PAGE.format(body=body), PICTURE)


if __name__ == "__main__":
    main()
