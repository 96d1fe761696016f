"""What a file is by its first bytes, never by its name or content type."""

from __future__ import annotations

import re

_CAMT = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:camt\.05[234]|<(?:\w+:)?(?:BkToCstmr|Document\b)")
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def stripped(head: bytes) -> bytes:
    """The first bytes without byte order mark and white space before them."""
    return head.removeprefix(_UTF8_MARK).lstrip()


def looks_like_camt(head: bytes) -> bool:
    """Whether a bank statement begins so; XML that does not say what it is counts, for the reader will say."""
    start = stripped(head)
    if start[:2] in _UTF16_MARKS:
        return True
    return start.startswith(b"<") and (_CAMT.search(head) is not None or start.startswith(b"<?xml"))
