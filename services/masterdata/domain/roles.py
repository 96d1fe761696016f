"""The roles of accounts and journals, and what the books demand of each (ACCOUNTING, accounts and journals)."""

from __future__ import annotations

from collections.abc import Mapping
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
        "REV": "sales",
        "SHP": "shipping",
        "RET": "returns",
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
