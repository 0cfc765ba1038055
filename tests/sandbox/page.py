"""A job summary as a page for a browser, near to how Gitea shows it, with nothing to fetch."""

import re

from markdown_it import MarkdownIt

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882 }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 sans-serif }
h2 { font-size: 1.4em; border-bottom: 1px solid var(--line); padding-bottom: .4em }
table { border-collapse: collapse; margin: .6em 0 }
th, td { border: 1px solid var(--line); padding: .15em .7em }
code { background: var(--soft); padding: .1em .3em; border-radius: 3px }
summary { margin: .4em 0; cursor: pointer }
blockquote { margin: 1em 0; padding: .1em 1em; border-left: 4px solid #d9742b }
figure { margin: 1.5em 0 } figcaption { text-align: center }
.bars { display: flex; align-items: end; gap: 1.5%; height: 10rem; margin-top: .5em }
.bars div { flex: 1; text-align: center; font-size: .75em }
.bars i { display: block } .going { background: #d9742b } .kept { background: #3d85c6 }
"""


def page(markdown: str) -> str:
    """The whole page; a Mermaid chart of ours becomes bars."""
    text = re.sub(r"\[!(WARNING|CAUTION)\]\n", r"<b>\1</b>\n", markdown)
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    body = renderer.render(re.sub(r"```mermaid\n(.*?)```", _bars, text, flags=re.DOTALL))
    start = '<!doctype html><meta charset="utf-8"><title>registry-gc</title>'
    return f"{start}<style>{STYLE}</style>{body}"


def _bars(chart: re.Match[str]) -> str:
    title = re.search(r'title "(.*)"', chart[1])
    labels = re.findall(r'"([^"]*)"', next(x for x in chart[1].split("\n") if "x-axis" in x))
    every, kept = (
        [int(n) for n in line.split(", ")] for line in re.findall(r"bar \[(.*)\]", chart[1])
    )
    scale = 8 / max(every)
    columns = "".join(
        f'<div><i class="going" style="height: {(e - k) * scale}rem"></i>'
        f'<i class="kept" style="height: {k * scale}rem"></i>{label}</div>'
        for label, e, k in zip(labels, every, kept, strict=True)
        if label.strip()
    )
    caption = title[1] if title else ""
    return f'<figure><figcaption>{caption}</figcaption><div class="bars">{columns}</div></figure>'
