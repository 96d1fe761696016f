"""The business key of one effect in the books: also the document's external id in Odoo."""

from __future__ import annotations

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def effect_key(company: str, provider: str, account: str, object_id: str, effect: str) -> str:
    """`company_provider_account_object_effect`, the same whether the fact came by webhook, poll or file.

    Each part keeps `[A-Za-z0-9]`; any other byte of its UTF-8 becomes `-` and two hex digits
    (ACCOUNTING rule 2). So parts cannot run into each other and the key is reversible.
    """
    return "_".join(_escaped(part) for part in (company, provider, account, object_id, effect))


def _escaped(part: str) -> str:
    return "".join(chr(byte) if byte in _KEPT else f"-{byte:02x}" for byte in part.encode())
