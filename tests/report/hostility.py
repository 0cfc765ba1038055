"""Texts that try to break out of where they are shown."""

from hypothesis import strategies as st

PIECES = st.sampled_from(
    [
        *"|\\`*_~$<>&#-+=!:@[](){}\n\r\t\x85\u2028\u202e\u2066\u200f\ufeff\ud800",
        *("```", "::", "\x1b[31m", "::set-output", "::endgroup::", "##[error]", "@user", "a#1"),
        *("[x](http://evil.example)", "</details>", "<script>", "</code>", "-->", "<!--"),
        *("| --- |", "1. ", "[[page]]", ":smile:"),
    ]
)
HOSTILE = st.one_of(st.text(min_size=1), st.lists(PIECES, min_size=1).map("".join))
