"""The day's trial balance computed from the partners' files alone, by a few sums: nothing of Concord is used.

Input files, as the partners would hand them over: `shopify/order-*.json`, `shopify/refund-*.json`,
`stripe/balance_transactions.json` (the API's list with its sources), `bank/statement.xml`.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

CENT = Decimal("0.01")
Balances = dict[str, Decimal]


def trial_balance(folder: Path, rates: dict[str, Decimal]) -> Balances:
    """Net balance by role in USD, debit above zero, zeros left out. `rates`: USD for one unit of a currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    orders = _read_all(folder, "order-*.json")
    _sales(sums, orders, rates)
    _returns(sums, _read_all(folder, "refund-*.json"))
    transactions = json.loads((folder / "stripe" / "balance_transactions.json").read_text())["data"]
    _money(sums, transactions, {str(order["id"]): order for order in orders}, rates)
    _bank(sums, folder / "bank" / "statement.xml", transactions, orders)
    return {role: amount for role, amount in sorted(sums.items()) if amount}


def _sales(sums: dict[str, Decimal], orders: list[Any], rates: dict[str, Decimal]) -> None:
    for order in orders:
        rate = rates.get(order["currency"], Decimal(1))
        tax, total = _usd(order["total_tax"], rate), _usd(order["total_price"], rate)
        sums["AR"] += total
        sums["TAX"] -= tax
        sums["REV"] -= total - tax


def _returns(sums: dict[str, Decimal], refunds: list[Any]) -> None:
    for refund in refunds:
        for line in refund["refund_line_items"]:
            net = Decimal(line["subtotal_set"]["shop_money"]["amount"])
            tax = Decimal(line["total_tax_set"]["shop_money"]["amount"])
            sums["RET"] += net
            sums["TAX"] += tax
            sums["AR"] -= net + tax


def _money(
    sums: dict[str, Decimal], transactions: list[Any], orders: dict[str, Any], rates: dict[str, Decimal]
) -> None:
    for transaction in transactions:
        gross, fee = Decimal(transaction["amount"]) / 100, Decimal(transaction["fee"]) / 100
        category = transaction["reporting_category"]
        sums["CLR"] += gross - fee
        sums["DFE" if category == "dispute" else "FEE"] += fee
        if category in ("charge", "refund"):
            order = orders.get(transaction["source"].get("metadata", {}).get("order_id", ""))
            foreign = order is not None and order["currency"] != "USD"
            carried = _usd(order["total_price"], rates[order["currency"]]) if foreign and order else gross
            sums["AR"] -= carried
            sums["FXD"] += carried - gross
        elif category == "dispute":
            sums["DSP"] -= gross
        elif category == "payout":
            sums["TRN"] -= gross


def _bank(sums: dict[str, Decimal], file: Path, transactions: list[Any], orders: list[Any]) -> None:
    """A line that bears a payout's trace ends the transit, one that names an order pays it, the rest is suspense."""
    traces = {
        str(transaction["source"]["trace_id"]["value"])
        for transaction in transactions
        if transaction["type"] == "payout"
    }
    numbers = {str(order["order_number"]) for order in orders}
    space = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
    for entry in ElementTree.parse(file).iterfind(".//c:Ntry", space):  # noqa: S314 - our own file
        amount = Decimal(str(entry.findtext("c:Amt", namespaces=space)))
        words = set(str(entry.findtext(".//c:Ustrd", namespaces=space)).split())
        sums["BANK"] += amount
        if words & traces:
            sums["TRN"] -= amount
        elif words & numbers:
            sums["AR"] -= amount
        else:
            sums["SUS"] -= amount


def _usd(amount: str, rate: Decimal) -> Decimal:
    return (Decimal(amount) * rate).quantize(CENT, ROUND_HALF_UP)


def _read_all(folder: Path, pattern: str) -> list[Any]:
    return [json.loads(file.read_text()) for file in sorted((folder / "shopify").glob(pattern))]
