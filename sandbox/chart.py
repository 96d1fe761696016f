"""The demonstration company's chart as plain data: the roles of the books, the same in sandbox and live server.

Codes that Odoo's generic chart already has are its own (121000 is its receivable); the
others are new. A role that a company has several of (clearing) is told apart by currency.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """One account. `currency` fixes it to that currency; `reconcile` lets its lines be matched."""

    role: str
    code: str
    name: str
    account_type: str
    reconcile: bool = False
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class JournalSpec:
    """One journal; accounts by code."""

    role: str
    code: str
    name: str
    type: str
    default_account: str | None = None
    suspense_account: str | None = None


@dataclass(frozen=True, slots=True)
class TaxSpec:
    """One tax; its distribution names the account, without which the tax would land on revenue."""

    role: str
    name: str
    percent: float
    use: str
    account: str


@dataclass(frozen=True, slots=True)
class UserSpec:
    """A user and the external ids of the groups that they need, no more."""

    login: str
    name: str
    groups: tuple[str, ...]


COMPANY_CURRENCY = "USD"
ACTIVE_CURRENCIES = ("USD", "EUR")
# Company currency for one unit: EUR 50.00 is USD 55.00.
RATES = {"EUR": ("2026-01-01", 1.10)}

ACCOUNTS: tuple[AccountSpec, ...] = (
    AccountSpec("BANK", "101401", "Bank", "asset_cash"),
    AccountSpec("SUS", "101402", "Bank Suspense Account", "asset_current"),
    AccountSpec("AR", "121000", "Account Receivable", "asset_receivable", True),
    AccountSpec("AP", "211000", "Account Payable", "liability_payable", True),
    AccountSpec("TAX", "251000", "Tax Received", "liability_current"),
    AccountSpec("REV", "400000", "Product Sales", "income"),
    AccountSpec("CLR", "124100", "Provider Clearing USD", "asset_current", True, "USD"),
    AccountSpec("CLR", "124101", "Provider Clearing EUR", "asset_current", True, "EUR"),
    AccountSpec("TRN", "124200", "Payouts in Transit", "asset_current", True),
    AccountSpec("RSV", "124300", "Provider Reserves", "asset_current", True),
    AccountSpec("DSP", "124400", "Disputed Payments", "asset_current", True),
    AccountSpec("UNX", "124500", "Provider Items Unexplained", "asset_current", True),
    AccountSpec("FWH", "124600", "Fees Withheld", "asset_current", True),
    AccountSpec("PRE", "214100", "Customer Advances", "liability_current", True),
    AccountSpec("GCL", "214200", "Gift Cards Outstanding", "liability_current", True),
    AccountSpec("DEF", "214300", "Deferred Revenue", "liability_current"),
    AccountSpec("SHP", "401000", "Shipping Revenue", "income"),
    AccountSpec("RET", "402000", "Sales Returns", "income"),
    AccountSpec("INT", "451000", "Interest Received", "income_other"),
    AccountSpec("FEE", "621000", "Payment Provider Fees", "expense"),
    AccountSpec("BFE", "621100", "Bank Charges", "expense"),
    AccountSpec("DFE", "622000", "Dispute Fees", "expense"),
    AccountSpec("CBL", "623000", "Chargeback Losses", "expense"),
    AccountSpec("FXD", "646000", "Exchange Differences", "expense"),
    AccountSpec("RND", "647000", "Rounding Differences", "expense"),
)

JOURNALS: tuple[JournalSpec, ...] = (
    JournalSpec("SAL", "INV", "Customer Invoices", "sale", "400000"),
    JournalSpec("PUR", "BILL", "Vendor Bills", "purchase", "621000"),
    JournalSpec("MISC", "MISC", "Miscellaneous Operations", "general"),
    JournalSpec("EXC", "EXCH", "Exchange Difference", "general"),
    JournalSpec("BNK", "BNK1", "Bank", "bank", "101401", "101402"),
    JournalSpec("PSP", "STRP", "Payment Provider", "general"),
    JournalSpec("CLO", "CLOSE", "Closing and Tenders", "general"),
)

TAXES: tuple[TaxSpec, ...] = (
    TaxSpec("SALES_TAX", "Sales Tax 8%", 8.0, "sale", "251000"),
    TaxSpec("INPUT_TAX", "Input Tax 8%", 8.0, "purchase", "251000"),
)

PARTNERS: tuple[str, ...] = ("Ada Archer", "Bertil Berg", "Carla Costa", "Unidentified customer", "Payment Provider")

USERS: tuple[UserSpec, ...] = (
    UserSpec("concord", "Concord", ("account.group_account_invoice", "account.group_account_basic")),
    UserSpec("masterdata", "Concord masters", ("account.group_account_manager", "base.group_partner_manager")),
    UserSpec("close", "Concord close", ("base.group_erp_manager", "account.group_account_readonly")),
)

# Of the company record: its field, the role whose account (or journal) it names.
COMPANY_ACCOUNTS = {
    "income_currency_exchange_account_id": "646000",
    "expense_currency_exchange_account_id": "646000",
    "account_journal_suspense_account_id": "101402",
    "transfer_account_id": "124200",
}
EXCHANGE_JOURNAL = "EXCH"


def code_of(role: str, currency: str | None = None) -> str:
    """The code of the role's account, in that currency where the role has several."""
    found = [spec for spec in ACCOUNTS if spec.role == role and currency in (None, spec.currency)]
    if not found:
        raise LookupError(f"no account has the role {role}")
    return found[0].code


def journal_code(role: str) -> str:
    """The code of the role's journal."""
    return next(spec.code for spec in JOURNALS if spec.role == role)
