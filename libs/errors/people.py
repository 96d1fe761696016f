"""Who is who, where one person may not do what another must."""

from __future__ import annotations

import unicodedata


def is_same_person(first: str, second: str) -> bool:
    """Whether two subjects of tokens are one person, however each spells the name (Unicode NFKC, letter case, blanks).

    A capital letter lets nobody approve what they made.
    """
    return _person(first) == _person(second)


def _person(subject: str) -> str:
    return unicodedata.normalize("NFKC", subject).casefold().strip()
