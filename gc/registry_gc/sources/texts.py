"""Bytes to text, or the finding that they are none."""

import codecs

_SAMPLE = 8 * 1024  # bytes looked at for a NUL

_BOMS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(data: bytes) -> str | None:
    """The text with plain line ends, or None when it is none."""
    coding = next((coding for bom, coding in _BOMS if data.startswith(bom)), "utf-8-sig")
    if coding == "utf-8-sig" and b"\0" in data[:_SAMPLE]:
        return None
    text = data.decode(coding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
