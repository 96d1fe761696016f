"""The demonstration company's chart as plain data: the roles of the books, the same in sandbox and live server.

Codes that Odoo's generic chart already has are its own (121000 is its receivable); the
others are new. A role that a company has several of (clearing) is told apart by currency.
"""

from __future__ import annotations

from libs.odoo.company import PlannedAccount, PlannedJournal, PlannedTax, PlannedUser

COMPANY_CURRENCY = "USD"
ACTIVE_CURRENCIES = ("USD", "EUR")
# Company currency for one unit: EUR 50.00 is USD 55.00.
RATES = {"EUR": ("2026-01-01", 1.10)}

ACCOUNTS: tuple[PlannedAccount, ...] = (
    PlannedAccount("BANK", "101401", "Bank", "asset_cash"),
    PlannedAccount("SUS", "101402", "Bank Suspense Account", "asset_current"),
    PlannedAccount("AR", "121000", "Account Receivable", "asset_receivable", True),
    PlannedAccount("AP", "211000", "Account Payable", "liability_payable", True),
    PlannedAccount("TAX", "251000", "Tax Received", "liability_current"),
    PlannedAccount("REV", "400000", "Product Sales", "income"),
    PlannedAccount("CLR", "124100", "Provider Clearing USD", "asset_current", True, "USD"),
    PlannedAccount("CLR", "124101", "Provider Clearing EUR", "asset_current", True, "EUR"),
    PlannedAccount("TRN", "124200", "Payouts in Transit", "asset_current", True),
    PlannedAccount("RSV", "124300", "Provider Reserves", "asset_current", True),
    PlannedAccount("DSP", "124400", "Disputed Payments", "asset_current", True),
    PlannedAccount("UNX", "124500", "Provider Items Unexplained", "asset_current", True),
    PlannedAccount("FWH", "124600", "Fees Withheld", "asset_current", True),
    PlannedAccount("PRE", "214100", "Customer Advances", "liability_current", True),
    PlannedAccount("GCL", "214200", "Gift Cards Outstanding", "liability_current", True),
    PlannedAccount("DEF", "214300", "Deferred Revenue", "liability_current"),
    PlannedAccount("SHP", "401000", "Shipping Revenue", "income"),
    PlannedAccount("RET", "402000", "Sales Returns", "income"),
    PlannedAccount("INT", "451000", "Interest Received", "income_other"),
    PlannedAccount("FEE", "621000", "Payment Provider Fees", "expense"),
    PlannedAccount("BFE", "621100", "Bank Charges", "expense"),
    PlannedAccount("DFE", "622000", "Dispute Fees", "expense"),
    PlannedAccount("CBL", "623000", "Chargeback Losses", "expense"),
    PlannedAccount("FXD", "646000", "Exchange Differences", "expense"),
    PlannedAccount("RND", "647000", "Rounding Differences", "expense"),
)

JOURNALS: tuple[PlannedJournal, ...] = (
    PlannedJournal("SAL", "INV", "Customer Invoices", "sale", "400000"),
    PlannedJournal("PUR", "BILL", "Vendor Bills", "purchase", "621000"),
    PlannedJournal("MISC", "MISC", "Miscellaneous Operations", "general"),
    PlannedJournal("EXC", "EXCH", "Exchange Difference", "general"),
    PlannedJournal("BNK", "BNK1", "Bank", "bank", "101401", "101402"),
    PlannedJournal("PSP", "STRP", "Payment Provider", "general"),
    PlannedJournal("CLO", "CLOSE", "Closing and Tenders", "general"),
)

TAXES: tuple[PlannedTax, ...] = (
    PlannedTax("SALES_TAX", "Sales Tax 8%", "8", "sale", "251000"),
    PlannedTax("INPUT_TAX", "Input Tax 8%", "8", "purchase", "251000"),
)

PARTNERS: tuple[str, ...] = ("Ada Archer", "Bertil Berg", "Carla Costa", "Unidentified customer", "Payment Provider")

USERS: tuple[PlannedUser, ...] = (
    PlannedUser("concord", "Concord", ("account.group_account_invoice", "account.group_account_basic")),
    PlannedUser("masterdata", "Concord masters", ("account.group_account_manager", "base.group_partner_manager")),
    PlannedUser("close", "Concord close", ("base.group_erp_manager", "account.group_account_readonly")),
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
