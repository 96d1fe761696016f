"""Amounts as Odoo writes them into its refusals."""

from __future__ import annotations

from .env import Env
from .values import units


def shown(env: Env, micro: int, currency_id: int | None = None) -> str:
    """For example `$ 1,234.50`, with the symbol where the currency has it and a no-break space."""
    currency = env.store.need("res_currency", currency_id or env.company["currency_id"])
    number = f"{units(micro):,.{currency['decimal_places']}f}"
    if currency["position"] == "before":
        return f"{currency['symbol']}\xa0{number}"
    return f"{number}\xa0{currency['symbol']}"
