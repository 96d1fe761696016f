"""The books: accounts, journals, taxes, entries, statements, reconciliations."""

from __future__ import annotations

from .fields import Model, boolean, char, choice, day, document, integer, links, money, real, text, to_many, to_one

ACCOUNT_TYPES = (
    "asset_receivable asset_cash asset_current asset_non_current asset_prepayments asset_fixed "
    "liability_payable liability_credit_card liability_current liability_non_current equity "
    "equity_unaffected income income_other expense expense_other expense_depreciation "
    "expense_direct_cost off_balance"
)
MOVE_TYPES = "entry out_invoice out_refund in_invoice in_refund out_receipt in_receipt"
_PRICED = "display_type IN ('product', 'line_section', 'line_note')"
DISPLAY_TYPES = "product cogs tax discount rounding payment_term line_section line_note epd"

ACCOUNT = Model(
    "account.account",
    "Account",
    "code, id",
    {
        "name": char("Account Name", required=True),
        "code": char("Code", size=64),
        "account_type": choice("Type", ACCOUNT_TYPES, required=True),
        "reconcile": boolean("Allow Reconciliation"),
        "currency_id": to_one("Account Currency", "res.currency"),
        "company_ids": links("Companies", "res.company", "account_account_res_company_rel"),
        "tax_ids": links("Default Taxes", "account.tax", "account_account_tax_default_rel"),
        "note": text("Internal Notes"),
        "deprecated": boolean("Deprecated", versions=(18,)),
        "active": boolean("Active", versions=(19,)),
    },
)

JOURNAL = Model(
    "account.journal",
    "Journal",
    "sequence, type, code",
    {
        "name": char("Journal Name", required=True),
        "code": char("Sequence Prefix", size=5, required=True),
        "type": choice("Type", "sale purchase cash bank credit general", required=True),
        "active": boolean("Active"),
        "sequence": integer("Sequence"),
        "company_id": to_one("Company", "res.company", required=True),
        "currency_id": to_one("Currency", "res.currency"),
        "default_account_id": to_one("Default Account", "account.account"),
        "suspense_account_id": to_one("Suspense Account", "account.account"),
        "profit_account_id": to_one("Profit Account", "account.account"),
        "loss_account_id": to_one("Loss Account", "account.account"),
        "refund_sequence": boolean("Dedicated Credit Note Sequence"),
        "payment_sequence": boolean("Dedicated Payment Sequence"),
        "restrict_mode_hash_table": boolean("Secure Posted Entries with Hash"),
    },
    unique=((("company_id", "code"), "Journal codes must be unique per company."),),
    defaults={"active": 1, "sequence": 10, "company_id": 1, "payment_sequence": 0, "refund_sequence": 0},
)

TAX_GROUP = Model(
    "account.tax.group",
    "Tax Group",
    "sequence, id",
    {
        "name": char("Name", required=True),
        "sequence": integer("Sequence"),
        "company_id": to_one("Company", "res.company"),
    },
    defaults={"sequence": 10, "company_id": 1},
)

TAX = Model(
    "account.tax",
    "Tax",
    "sequence, id",
    {
        "name": char("Tax Name", required=True),
        "description": char("Description"),
        "amount": real("Amount"),
        "amount_type": choice("Tax Computation", "group fixed percent division"),
        "type_tax_use": choice("Tax Type", "sale purchase none"),
        "active": boolean("Active"),
        "sequence": integer("Sequence"),
        "company_id": to_one("Company", "res.company", required=True),
        "country_id": to_one("Country", "res.country"),
        "tax_group_id": to_one("Tax Group", "account.tax.group"),
        "price_include": boolean("Included in Price", computed=True, readonly=True),
        "price_include_override": choice("Included in Price", "tax_included tax_excluded"),
        "include_base_amount": boolean("Affect Base of Subsequent Taxes"),
        "repartition_line_ids": to_many("Distribution", "account.tax.repartition.line", "tax_id"),
        "invoice_repartition_line_ids": to_many(
            "Distribution for Invoices", "account.tax.repartition.line", "tax_id", only="document_type = 'invoice'"
        ),
        "refund_repartition_line_ids": to_many(
            "Distribution for Refund Invoices",
            "account.tax.repartition.line",
            "tax_id",
            only="document_type = 'refund'",
        ),
    },
    unique=((("company_id", "name", "type_tax_use"), "Tax names must be unique!"),),
    defaults={
        "active": 1,
        "amount_type": "percent",
        "type_tax_use": "sale",
        "sequence": 1,
        "company_id": 1,
        "tax_group_id": 1,
        "include_base_amount": 0,
    },
)

REPARTITION = Model(
    "account.tax.repartition.line",
    "Tax Repartition Line",
    "document_type, repartition_type, sequence, id",
    {
        "tax_id": to_one("Tax", "account.tax", index=True),
        "document_type": choice("Related to", "invoice refund", required=True),
        "repartition_type": choice("Based On", "base tax", required=True),
        "factor_percent": real("%"),
        "account_id": to_one("Account", "account.account"),
        "sequence": integer("Sequence"),
        "company_id": to_one("Company", "res.company"),
        "use_in_tax_closing": boolean("Tax Closing Entry"),
    },
    defaults={"factor_percent": 100.0, "sequence": 1, "company_id": 1},
)

MOVE = Model(
    "account.move",
    "Journal Entry",
    "date desc, name desc, invoice_date desc, id desc",
    {
        "name": char("Number"),
        "state": choice("Status", "draft posted cancel", required=True, readonly=True),
        "move_type": choice("Type", MOVE_TYPES, required=True, readonly=True),
        "ref": char("Reference", index=True),
        "payment_reference": char("Payment Reference"),
        "invoice_origin": char("Origin"),
        "narration": text("Terms and Conditions"),
        "date": day("Date", required=True),
        "invoice_date": day("Invoice/Bill Date"),
        "invoice_date_due": day("Due Date"),
        "journal_id": to_one("Journal", "account.journal", required=True),
        "company_id": to_one("Company", "res.company", readonly=True),
        "company_currency_id": to_one("Company Currency", "res.currency", related="company_id.currency_id"),
        "currency_id": to_one("Currency", "res.currency", required=True),
        "invoice_currency_rate": real("Currency Rate", computed=True, readonly=True),
        "partner_id": to_one("Partner", "res.partner", index=True),
        "commercial_partner_id": to_one("Commercial Entity", "res.partner", readonly=True),
        "line_ids": to_many("Journal Items", "account.move.line", "move_id"),
        "invoice_line_ids": to_many("Invoice lines", "account.move.line", "move_id", only=_PRICED),
        "amount_untaxed": money("Untaxed Amount", readonly=True),
        "amount_tax": money("Tax", readonly=True),
        "amount_total": money("Total", readonly=True),
        "amount_residual": money("Amount Due", readonly=True),
        "amount_total_signed": money("Total Signed", readonly=True),
        "amount_residual_signed": money("Amount Due Signed", readonly=True),
        "payment_state": choice("Payment Status", "not_paid in_payment paid partial reversed blocked", readonly=True),
        "reversed_entry_id": to_one("Reversal of", "account.move", readonly=True, index=True),
        "reversal_move_ids": to_many("Reversal Moves", "account.move", "reversed_entry_id"),
        "statement_line_id": to_one("Statement Line", "account.bank.statement.line", readonly=True),
        "sequence_prefix": char("Sequence Prefix", readonly=True),
        "sequence_number": integer("Sequence Number", readonly=True),
        "posted_before": boolean("Posted Before", readonly=True),
        "auto_post": choice("Auto-post", "no at_date monthly quarterly yearly"),
        "duplicated_ref_ids": links("Duplicated Ref", "account.move", "", computed=True, readonly=True),
    },
)

LINE = Model(
    "account.move.line",
    "Journal Item",
    "date desc, move_name desc, id",
    {
        "move_id": to_one("Journal Entry", "account.move", required=True, index=True),
        "move_name": char("Number", readonly=True),
        "move_type": choice("Type", MOVE_TYPES, related="move_id.move_type"),
        "parent_state": choice("Status", "draft posted cancel", readonly=True),
        "date": day("Date", readonly=True),
        "invoice_date": day("Invoice/Bill Date", related="move_id.invoice_date"),
        "ref": char("Reference", readonly=True),
        "journal_id": to_one("Journal", "account.journal", readonly=True),
        "company_id": to_one("Company", "res.company", readonly=True),
        "company_currency_id": to_one("Company Currency", "res.currency", related="company_id.currency_id"),
        "sequence": integer("Sequence"),
        "account_id": to_one("Account", "account.account"),
        "account_type": choice("Internal Type", ACCOUNT_TYPES, related="account_id.account_type"),
        "name": char("Label"),
        "display_type": choice("Display Type", DISPLAY_TYPES, required=True),
        "debit": money("Debit"),
        "credit": money("Credit"),
        "balance": money("Balance"),
        "amount_currency": money("Amount in Currency"),
        "currency_id": to_one("Currency", "res.currency", required=True),
        "partner_id": to_one("Partner", "res.partner", index=True),
        "product_id": to_one("Product", "product.product"),
        "quantity": real("Quantity", digits=2),
        "price_unit": real("Unit Price", digits=2),  # Odoo's default precision of product prices
        "discount": real("Discount (%)", digits=2),
        "price_subtotal": money("Subtotal", readonly=True),
        "price_total": money("Total", readonly=True),
        "tax_ids": links("Taxes", "account.tax", "account_move_line_account_tax_rel"),
        "tax_line_id": to_one("Originator Tax", "account.tax", readonly=True),
        "tax_repartition_line_id": to_one(
            "Originator Tax Distribution Line", "account.tax.repartition.line", readonly=True
        ),
        "tax_base_amount": money("Base Amount", readonly=True),
        "date_maturity": day("Due Date"),
        "amount_residual": money("Residual Amount", readonly=True),
        "amount_residual_currency": money("Residual Amount in Currency", readonly=True),
        "reconciled": boolean("Reconciled", readonly=True),
        "full_reconcile_id": to_one("Matching", "account.full.reconcile", readonly=True, index=True),
        "matching_number": char("Matching #"),
        "matched_debit_ids": to_many("Matched Debits", "account.partial.reconcile", "credit_move_id", readonly=True),
        "matched_credit_ids": to_many("Matched Credits", "account.partial.reconcile", "debit_move_id", readonly=True),
        "statement_line_id": to_one("Originator Statement Line", "account.bank.statement.line", readonly=True),
        "statement_id": to_one("Statement", "account.bank.statement", related="statement_line_id.statement_id"),
        "analytic_distribution": document("Analytic Distribution"),
    },
)

STATEMENT = Model(
    "account.bank.statement",
    "Bank Statement",
    "name desc, id desc",
    {
        "name": char("Reference"),
        "reference": char("External Reference"),
        "date": day("Date"),
        "balance_start": money("Starting Balance"),
        "balance_end": money("Computed Balance", computed=True, readonly=True),
        "balance_end_real": money("Ending Balance"),
        "company_id": to_one("Company", "res.company"),
        "currency_id": to_one("Currency", "res.currency", readonly=True),
        "journal_id": to_one("Journal", "account.journal"),
        "line_ids": to_many("Statement lines", "account.bank.statement.line", "statement_id"),
        "is_complete": boolean("Is Complete", computed=True, readonly=True),
        "is_valid": boolean("Is Valid", computed=True, readonly=True),
        "problem_description": text("Problem Description", computed=True, readonly=True),
    },
    defaults={"balance_start": 0, "balance_end_real": 0, "company_id": 1},
)

STATEMENT_LINE = Model(
    "account.bank.statement.line",
    "Bank Statement Line",
    "internal_index desc",
    {
        "move_id": to_one("Journal Entry", "account.move", readonly=True, index=True),
        "statement_id": to_one("Statement", "account.bank.statement", index=True),
        "journal_id": to_one("Journal", "account.journal"),
        "company_id": to_one("Company", "res.company"),
        "currency_id": to_one("Journal Currency", "res.currency"),
        "sequence": integer("Sequence"),
        "payment_ref": char("Label"),
        "partner_id": to_one("Partner", "res.partner"),
        "partner_name": char("Partner Name"),
        "account_number": char("Bank Account Number"),
        "transaction_type": char("Transaction Type"),
        "transaction_details": document("Transaction Details", readonly=True),
        "amount": money("Amount"),
        "foreign_currency_id": to_one("Foreign Currency", "res.currency"),
        "amount_currency": money("Amount in Currency"),
        "amount_residual": money("Residual Amount", readonly=True),
        "is_reconciled": boolean("Is Reconciled", readonly=True),
        "internal_index": char("Internal Reference", readonly=True, index=True),
        "name": char("Number", related="move_id.name"),
        "state": choice("Status", "draft posted cancel", related="move_id.state"),
        "date": day("Date", related="move_id.date"),
        "ref": char("Reference", related="move_id.ref"),
        "narration": text("Terms and Conditions", related="move_id.narration"),
        "line_ids": to_many("Journal Items", "account.move.line", "statement_line_id"),
    },
)

PARTIAL = Model(
    "account.partial.reconcile",
    "Partial Reconcile",
    "id",
    {
        "debit_move_id": to_one("Debit Move", "account.move.line", required=True, index=True),
        "credit_move_id": to_one("Credit Move", "account.move.line", required=True, index=True),
        "full_reconcile_id": to_one("Full Reconcile", "account.full.reconcile", index=True),
        "exchange_move_id": to_one("Exchange Move", "account.move", index=True),
        "amount": money("Amount"),
        "debit_amount_currency": money("Debit Amount Currency"),
        "credit_amount_currency": money("Credit Amount Currency"),
        "debit_currency_id": to_one("Currency of the debit journal item.", "res.currency"),
        "credit_currency_id": to_one("Currency of the credit journal item.", "res.currency"),
        "company_id": to_one("Company", "res.company"),
        "max_date": day("Max Date of Matched Lines"),
    },
)

FULL = Model(
    "account.full.reconcile",
    "Full Reconcile",
    "id",
    {
        "partial_reconcile_ids": to_many("Reconciliation Parts", "account.partial.reconcile", "full_reconcile_id"),
        "reconciled_line_ids": to_many("Matched Journal Items", "account.move.line", "full_reconcile_id"),
        "exchange_move_id": to_one("Exchange Move", "account.move", versions=(18,)),
    },
)

BOOKS = (ACCOUNT, JOURNAL, TAX_GROUP, TAX, REPARTITION, MOVE, LINE, STATEMENT, STATEMENT_LINE, PARTIAL, FULL)
