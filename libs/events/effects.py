"""The business key of one effect in the books: also the document's external id in Odoo."""

from __future__ import annotations

import re

_OTHERS = re.compile(rb"[^A-Za-z0-9]")


def effect_key(company: str, provider: str, account: str, object_id: str, effect: str) -> str:
    """`company_provider_account_object_effect`, the same whether the fact came by webhook, poll or file.

    Each part keeps `[A-Za-z0-9]`; any other byte of its UTF-8 becomes `-` and two hex digits
    (ACCOUNTING rule 2). So parts cannot run into each other and the key is reversible.
    """
    return "_".join(_escaped(part) for part in (company, provider, account, object_id, effect))


def _escaped(part: str) -> str:
    if part.isascii() and part.isalnum():
        return part
    return _OTHERS.sub(lambda other: b"-%02x" % ord(other[0]), part.encode()).decode()
