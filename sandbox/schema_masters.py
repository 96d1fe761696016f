"""The masters that the sandbox knows: company, users, currencies, partners, products, external ids."""

from __future__ import annotations

from .fields import Model, boolean, char, choice, day, instant, integer, links, real, text, to_many, to_one

_LOCKS = {
    "fiscalyear_lock_date": day("Global Lock Date"),
    "tax_lock_date": day("Tax Return Lock Date"),
    "sale_lock_date": day("Sales Lock Date"),
    "purchase_lock_date": day("Purchase Lock date"),
}

COMPANY = Model(
    "res.company",
    "Companies",
    "sequence, name",
    {
        "name": char("Company Name", required=True),
        "sequence": integer("Sequence"),
        "partner_id": to_one("Partner", "res.partner"),
        "currency_id": to_one("Currency", "res.currency", required=True),
        "country_id": to_one("Country", "res.country"),
        "chart_template": char("Chart Template"),
        **_LOCKS,
        "hard_lock_date": day("Hard Lock Date"),
        **{f"user_{name}": day(spec.label, computed=True, readonly=True) for name, spec in _LOCKS.items()},
        "user_hard_lock_date": day("User Hard Lock Date", computed=True, readonly=True),
        "currency_exchange_journal_id": to_one("Exchange Gain or Loss Journal", "account.journal"),
        "income_currency_exchange_account_id": to_one("Gain Exchange Rate Account", "account.account"),
        "expense_currency_exchange_account_id": to_one("Loss Exchange Rate Account", "account.account"),
        "account_journal_suspense_account_id": to_one("Journal Suspense Account", "account.account"),
        "transfer_account_id": to_one("Inter-Banks Transfer Account", "account.account"),
        "account_sale_tax_id": to_one("Default Sale Tax", "account.tax"),
        "account_purchase_tax_id": to_one("Default Purchase Tax", "account.tax"),
        "tax_calculation_rounding_method": choice("Tax Calculation Rounding Method", "round_per_line round_globally"),
        "bank_account_code_prefix": char("Prefix of the bank accounts"),
    },
)

LOCK_EXCEPTION = Model(
    "account.lock_exception",
    "Account Lock Exception",
    "id",
    {
        "active": boolean("Active"),
        "company_id": to_one("Company", "res.company", required=True),
        "user_id": to_one("User", "res.users"),
        "reason": char("Reason"),
        "end_datetime": instant("End Date"),
        **_LOCKS,
        "state": choice("State", "active revoked expired", computed=True, readonly=True),
    },
    defaults={"active": 1, "company_id": 1},
)

USERS = Model(
    "res.users",
    "User",
    "name, login",
    {
        "name": char("Name", required=True),
        "login": char("Login", required=True),
        "password": char("Password"),
        "active": boolean("Active"),
        "partner_id": to_one("Related Partner", "res.partner"),
        "company_id": to_one("Company", "res.company"),
        "company_ids": links("Companies", "res.company", "res_company_users_rel", swapped=True),
        "lang": char("Language"),
        "tz": char("Timezone"),
        "groups_id": links("Groups", "res.groups", "res_groups_users_rel", versions=(18,)),
        "group_ids": links("Groups", "res.groups", "res_groups_users_rel", versions=(19,)),
    },
    unique=((("login",), "You can not have two users with the same login!"),),
    defaults={"active": 1, "company_id": 1},
)

GROUPS = Model(
    "res.groups",
    "Access Groups",
    "name",
    {
        "name": char("Name", required=True),
        "full_name": char("Group Name", computed=True, readonly=True),
    },
)

COUNTRY = Model(
    "res.country",
    "Country",
    "name",
    {"name": char("Country Name", required=True), "code": char("Country Code", size=2)},
)

CURRENCY = Model(
    "res.currency",
    "Currency",
    "active desc, name",
    {
        "name": char("Currency", required=True, size=3),
        "full_name": char("Name"),
        "symbol": char("Symbol", required=True),
        "position": choice("Symbol Position", "after before"),
        "active": boolean("Active"),
        "rounding": real("Rounding Factor"),
        "decimal_places": integer("Decimal Places", readonly=True),
        "rate": real("Current Rate", computed=True, readonly=True),
        "rate_ids": to_many("Rates", "res.currency.rate", "currency_id"),
    },
    unique=((("name",), "The currency code must be unique!"),),
)

RATE = Model(
    "res.currency.rate",
    "Currency Rate",
    "name desc, id",
    {
        "name": day("Date", required=True),
        "rate": real("Technical Rate"),
        "inverse_company_rate": real("Inverse Company Rate", computed=True),
        "company_rate": real("Company Rate", computed=True),
        "currency_id": to_one("Currency", "res.currency", required=True, index=True),
        "company_id": to_one("Company", "res.company"),
    },
    unique=((("currency_id", "name"), "Only one currency rate per day allowed!"),),
    defaults={"company_id": 1, "rate": 1.0},
)

PARTNER = Model(
    "res.partner",
    "Contact",
    "complete_name, id desc",
    {
        "name": char("Name"),
        "complete_name": char("Complete Name", readonly=True),
        "is_company": boolean("Is a Company"),
        "parent_id": to_one("Related Company", "res.partner", index=True),
        "child_ids": to_many("Contact", "res.partner", "parent_id"),
        "commercial_partner_id": to_one("Commercial Entity", "res.partner", readonly=True),
        "company_id": to_one("Company", "res.company"),
        "ref": char("Reference"),
        "vat": char("Tax ID"),
        "email": char("Email"),
        "phone": char("Phone"),
        "mobile": char("Mobile", versions=(18,)),
        "website": char("Website Link"),
        "street": char("Street"),
        "street2": char("Street2"),
        "city": char("City"),
        "zip": char("Zip"),
        "country_id": to_one("Country", "res.country"),
        "lang": char("Language"),
        "comment": text("Notes"),
        "customer_rank": integer("Customer Rank"),
        "supplier_rank": integer("Supplier Rank"),
        "property_account_receivable_id": to_one("Account Receivable", "account.account"),
        "property_account_payable_id": to_one("Account Payable", "account.account"),
        "active": boolean("Active"),
    },
    defaults={"active": 1, "is_company": 0, "customer_rank": 0, "supplier_rank": 0},
)

PRODUCT = Model(
    "product.product",
    "Product Variant",
    "default_code, name, id",
    {
        "name": char("Name", required=True),
        "default_code": char("Internal Reference"),
        "barcode": char("Barcode"),
        "type": choice("Product Type", "consu service combo"),
        "list_price": real("Sales Price"),
        "standard_price": real("Cost"),
        "sale_ok": boolean("Sales"),
        "purchase_ok": boolean("Purchase"),
        "active": boolean("Active"),
        "company_id": to_one("Company", "res.company"),
        "taxes_id": links("Sales Taxes", "account.tax", "product_taxes_rel"),
        "supplier_taxes_id": links("Purchase Taxes", "account.tax", "product_supplier_taxes_rel"),
        "property_account_income_id": to_one("Income Account", "account.account"),
        "property_account_expense_id": to_one("Expense Account", "account.account"),
    },
    defaults={
        "active": 1,
        "type": "consu",
        "list_price": 1.0,
        "standard_price": 0.0,
        "sale_ok": 1,
        "purchase_ok": 1,
    },
)

MODEL_DATA = Model(
    "ir.model.data",
    "Model Data",
    "module, model, name",
    {
        "module": char("Module", required=True),
        "name": char("External Identifier", required=True),
        "model": char("Model Name", required=True),
        "res_id": integer("Record ID"),
        "noupdate": boolean("Non Updatable"),
        "complete_name": char("Complete ID", computed=True, readonly=True),
    },
)

REVERSAL = Model(
    "account.move.reversal",
    "Account Move Reversal",
    "id",
    {
        "move_ids": links("Journal Entries to reverse", "account.move", "account_move_reversal_move"),
        "new_move_ids": links("New Journal Entries", "account.move", "account_move_reversal_new_move"),
        "date": day("Reversal date"),
        "reason": char("Reason displayed on Credit Note"),
        "journal_id": to_one("Journal", "account.journal"),
        "company_id": to_one("Company", "res.company"),
    },
)

MASTERS = (COMPANY, LOCK_EXCEPTION, USERS, GROUPS, COUNTRY, CURRENCY, RATE, PARTNER, PRODUCT, MODEL_DATA, REVERSAL)
