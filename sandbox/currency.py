"""Currencies: their digits, and the company's rates at a day."""

from __future__ import annotations

from decimal import Decimal

from .env import Env
from .values import round_micro, units


def digits_of(env: Env, currency_id: int) -> int:
    """Digits after the point in the currency's smallest unit."""
    return int(env.store.one("SELECT decimal_places FROM res_currency WHERE id = ?", (currency_id,)))


def rate_at(env: Env, currency_id: int, day: str) -> Decimal:
    """Units of the currency for one of the company's: the last rate up to the day, else the first, else 1."""
    if currency_id == env.company["currency_id"]:
        return Decimal(1)
    rate = env.store.one(
        "SELECT rate FROM res_currency_rate WHERE currency_id = ? AND name <= ? ORDER BY name DESC LIMIT 1",
        (currency_id, day),
    ) or env.store.one("SELECT rate FROM res_currency_rate WHERE currency_id = ? ORDER BY name LIMIT 1", (currency_id,))
    return Decimal(repr(rate)) if rate else Decimal(1)


def to_company(env: Env, amount_currency: int, currency_id: int, day: str) -> int:
    """The amount in the company's currency at the day's rate, rounded to its digits."""
    company_currency = env.company["currency_id"]
    if currency_id == company_currency:
        return amount_currency
    return round_micro(units(amount_currency) / rate_at(env, currency_id, day), digits_of(env, company_currency))


def shown(env: Env, micro: int, currency_id: int | None = None) -> str:
    """As Odoo's refusals say it: `$ 1,234.50`, the symbol where the currency has it and a no-break space."""
    currency = env.store.need("res_currency", currency_id or env.company["currency_id"])
    number = f"{units(micro):,.{currency['decimal_places']}f}"
    if currency["position"] == "before":
        return f"{currency['symbol']}\xa0{number}"
    return f"{number}\xa0{currency['symbol']}"
