"""The roles of accounts and journals, and what the books demand of each (ACCOUNTING, accounts and journals)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

ACCOUNT_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "CLR": "provider clearing",
        "TRN": "payouts in transit",
        "RSV": "provider reserves",
        "DSP": "disputed money",
        "UNX": "provider items unexplained",
        "FWH": "fees withheld",
        "AR": "receivable",
        "AP": "payable",
        "PRE": "customer advances",
        "GCL": "gift cards outstanding",
        "DEF": "deferred revenue",
        "TAX": "tax",
        "ITX": "input tax",
        "REV": "sales",
        "SHP": "shipping",
        "RET": "returns",
        "EXP": "expenses",
        "FEE": "provider fees",
        "DFE": "dispute fees",
        "CBL": "chargeback losses",
        "FXD": "exchange differences",
        "RND": "rounding differences",
        "INT": "interest received",
        "BFE": "bank charges",
    }
)
# Without these, facts of everyday become exceptions.
EXPECTED_ROLES = (
    *("CLR", "TRN", "RSV", "DSP", "UNX", "AR", "TAX", "REV", "SHP", "RET", "GCL"),
    *("FEE", "DFE", "CBL", "FXD", "RND"),
)
RECONCILABLE_ROLES = frozenset({"CLR", "TRN", "RSV", "DSP", "UNX", "FWH", "AR", "AP", "PRE", "GCL"})
ACCOUNT_TYPES: Mapping[str, str] = MappingProxyType({"AR": "asset_receivable", "AP": "liability_payable"})
FEE_ROLES = frozenset({"FEE", "FWH", "DFE"})

JOURNAL_TYPES: Mapping[str, str] = MappingProxyType(
    {"SAL": "sale", "PUR": "purchase", "PSP": "general", "CLO": "general"}
)
EXPECTED_JOURNALS = ("SAL", "PSP")
BANK = "bank"  # the journal type of a bank account

SALE, PURCHASE = "sale", "purchase"  # what a tax is for, in Odoo's words
TAX_ROLES: Mapping[str, str] = MappingProxyType({SALE: "TAX", PURCHASE: "ITX"})


def unmet(role: str, account_type: str, reconcilable: bool) -> Iterator[tuple[str, str]]:
    """What the role demands of its account and this one does not have: stable reason, and words for people."""
    if role in RECONCILABLE_ROLES and not reconcilable:
        yield "ACCOUNT_NOT_RECONCILABLE", "must allow reconciliation"
    demanded = ACCOUNT_TYPES.get(role)
    if demanded and account_type != demanded:
        yield "ACCOUNT_TYPE_WRONG", f"is {account_type}, not {demanded}"
    if not demanded and account_type in ACCOUNT_TYPES.values():
        yield "ACCOUNT_TYPE_WRONG", f"is {account_type}: its lines would need a partner"
