"""Makes docs/summary.png: the job summary of a run as Gitea renders it, in both of its themes.

Run from the project's root, with chromium on the PATH, any Gitea running, and Mermaid's browser
build, which draws the chart there (`npm install mermaid` anywhere):
    GITEA_URL=https://git.example.org GITEA_TOKEN=... MERMAID=.../mermaid/dist/mermaid.min.js \\
        .venv/bin/python -m docs.summary
The server only renders Markdown; the token may be left out where that is open to all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import requests

from registry_gc.report import summary
from registry_gc.report.report import Report
from tests.harness import NOW, in_process, run_gc
from tests.sandbox.weekly import Weekly

PICTURE = Path(__file__).with_name("summary.png")
WIDTH, HEIGHT = 1880, 760
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; display: flex; font: 13px/1.5 "Liberation Sans", Arial, sans-serif }}
main {{ box-sizing: border-box; width: 940px; min-height: 760px; padding: 8px 24px;
  color: var(--text); background: var(--page) }}
.light {{ --text: #1e2327; --page: #fff; --line: #d0d7de; --code: #eff1f3; --row: #f6f8fa }}
.dark {{ --text: #d2d6db; --page: #171b1f; --line: #3b444c; --code: #2a3138; --row: #1f252a;
  color-scheme: dark }}
h2 {{ font-size: 21px; line-height: 1.3; border-bottom: 1px solid var(--line);
  padding-bottom: 8px; margin: 16px 0 12px }}
table {{ border-collapse: collapse; margin: 8px 0; display: block; width: max-content;
  max-width: 100% }}
th, td {{ border: 1px solid var(--line); padding: 2px 9px }}
tr:nth-child(2n) {{ background: var(--row) }}
code {{ font: 12px "DejaVu Sans Mono", monospace; background: var(--code); padding: 2px 5px;
  border-radius: 4px }}
sub {{ font-size: 11px; line-height: 1.4; vertical-align: baseline; display: block }}
progress {{ width: 110px }} details {{ margin: 6px 0 }}
</style><main class="light">{body}</main><main class="dark">{body}</main>
<script src="{mermaid}"></script><script>
(async () => {{
  let number = 0;
  for (const [page, theme] of [["light", "neutral"], ["dark", "dark"]]) {{
    mermaid.initialize({{startOnLoad: false, theme, securityLevel: "strict"}});
    for (const code of document.querySelectorAll(`.${{page}} code.language-mermaid`)) {{
      const block = code.closest("pre");
      const {{svg}} = await mermaid.render(`chart-${{number++}}`, code.textContent, block);
      block.outerHTML = `<div>${{svg}}</div>`;
    }}
    document.querySelectorAll(`.${{page}} details`)[1].open = true;  // what is kept
  }}
}})();
</script>"""


def cleaned_up() -> Report:
    """What a run leaves of 60 weekly builds in the sandbox."""
    weekly = Weekly(60, pins=(8, 28, 48), layer_size=1_400_000)
    with in_process() as box:

        def before(week: int) -> None:
            box.store.now = NOW - timedelta(weeks=weekly.weeks - week, days=-2)

        weekly.push(box.push, "crop-chem-docs", before)
        box.store.now = NOW
        done = run_gc(box, package=("crop-chem-docs",), keep_days=60)
    return replace(done.report, server_url="https://git.example.org")


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
        command += ["--allow-file-access-from-files", "--virtual-time-budget=10000"]
        command += [f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}"]
        command += [f"--screenshot={picture}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603


def main() -> None:
    """Cleans up a sample, renders what the run says and writes the picture."""
    server_url, mermaid = os.environ.get("GITEA_URL", "").rstrip("/"), os.environ.get("MERMAID")
    if not (server_url and mermaid):
        sys.exit("set GITEA_URL to a running Gitea, and MERMAID to the path of mermaid.min.js")
    text = summary.render(cleaned_up())
    body = rendered(text, server_url, os.environ.get("GITEA_TOKEN", ""))
    photograph(PAGE.format(body=body, mermaid=Path(mermaid).resolve().as_uri()), PICTURE)


if __name__ == "__main__":
    main()
