from __future__ import annotations

from typing import Any

import pytest

from sandbox import chart
from services.masterdata.domain.company_masters import JournalAnswer
from services.masterdata.domain.mapping import MappingScope
from services.masterdata.domain.records import Account, ExchangeRate, Product, TaxCode
from services.masterdata.domain.references import (
    AccountQuestion,
    BankQuestion,
    CompanyAnswer,
    CompanyQuestion,
    Failure,
    FeeAnswer,
    FeeQuestion,
    JournalQuestion,
    NoQuestion,
    PartyAnswer,
    PartyQuestion,
    ProductQuestion,
    Question,
    RateQuestion,
    TaxQuestion,
)
from tests.masterdata.company import World, demo_mapping

STRIPE = MappingScope("stripe", "acct_demo", "USD")
SHOP = MappingScope("shopify", "shop-1", "USD")


def seen(answer: Any) -> str:
    """What matters of an answer, as text."""
    if isinstance(answer, Failure):
        return answer.reason
    if isinstance(answer, Account):
        return answer.code
    if isinstance(answer, JournalAnswer):
        return " ".join(filter(None, (answer.journal.code, answer.default_account, answer.suspense_account)))
    if isinstance(answer, TaxCode):
        return f"{answer.name} {answer.rate}"
    if isinstance(answer, PartyAnswer):
        return answer.party.name
    if isinstance(answer, FeeAnswer):
        return answer.role
    if isinstance(answer, Product):
        return answer.name
    assert isinstance(answer, ExchangeRate)
    return f"{answer.day} {answer.rate}"


QUESTIONS: list[tuple[Question, str]] = [
    (AccountQuestion("CLR", STRIPE), "124100"),
    (AccountQuestion("CLR", MappingScope("stripe", "acct_demo", "EUR")), "124101"),
    (AccountQuestion("CLR", MappingScope("stripe", "acct_demo", "GBP")), "MAPPING_MISSING"),
    (AccountQuestion("CLR", MappingScope("stripe", "acct_other", "USD")), "MAPPING_MISSING"),
    (AccountQuestion("AR", STRIPE), "121000"),
    (AccountQuestion("AR", MappingScope("stripe", "acct_demo", "EUR")), "121000"),
    (AccountQuestion("AR", MappingScope()), "121000"),
    (AccountQuestion("XXX", STRIPE), "MAPPING_MISSING"),
    (JournalQuestion("SAL", SHOP), "INV 400000"),
    (JournalQuestion("PSP", STRIPE), "STRP"),
    (JournalQuestion("PSP", MappingScope("adyen", "x", "USD")), "MAPPING_MISSING"),
    (BankQuestion("US64SVBKUS6S3300958879"), "BNK1 101401 101402"),
    (BankQuestion("us64 svbk us6s 3300 9588 79"), "BNK1 101401 101402"),
    (BankQuestion("DE00"), "MAPPING_MISSING"),
    (TaxQuestion("shopify", "shop-1", "State Tax", "0.08"), "Sales Tax 8% 0.08"),
    (TaxQuestion("shopify", "shop-1", "", "0.0800"), "Sales Tax 8% 0.08"),
    (TaxQuestion("shopify", "shop-1", "State Tax", "0.07"), "MAPPING_MISSING"),
    (TaxQuestion("stripe", "acct_demo", "", "0.08"), "MAPPING_MISSING"),
    (TaxQuestion("shopify", "shop-1", "", "eight"), "REFERENCE_INVALID"),
    (PartyQuestion("shopify/shop-1", "7001"), "Ada Archer"),
    (PartyQuestion("stripe/acct_demo", "cus_bertil"), "Bertil Berg"),
    (PartyQuestion("stripe/acct_demo", ""), "Unidentified customer"),
    (PartyQuestion("shopify/shop-1", ""), "Unidentified customer"),
    (PartyQuestion("stripe/acct_demo", "7001"), "PARTY_UNKNOWN"),
    (PartyQuestion("adyen/x", ""), "PARTY_UNKNOWN"),
    (FeeQuestion("stripe", "acct_demo", "processing"), "FEE"),
    (FeeQuestion("stripe", "acct_demo", "dispute"), "DFE"),
    (FeeQuestion("stripe", "acct_demo", "gift"), "MAPPING_MISSING"),
    (RateQuestion("EUR", "2026-03-14"), "2026-01-01 0.9090909090909091"),
    (RateQuestion("EUR", "2026-01-01"), "2026-01-01 0.9090909090909091"),
    (RateQuestion("EUR", "2025-12-31"), "RATE_MISSING"),
    (RateQuestion("GBP", "2026-03-14"), "RATE_MISSING"),
    (RateQuestion("USD", "2026-03-14"), "2026-03-14 1"),
    (RateQuestion("EUR", "yesterday"), "REFERENCE_INVALID"),
    (ProductQuestion("MUG"), "Mug"),
    (ProductQuestion("CUP"), "PRODUCT_UNKNOWN"),
    (NoQuestion(), "REFERENCE_INVALID"),
]


def test_each_question_gets_its_answer_in_its_place(world: World) -> None:
    world.create("product.product", {"name": "Mug", "default_code": "MUG"})
    world.sync()
    active = world.activate()
    answers = world.ask(*(question for question, _ in QUESTIONS))
    assert [(q, seen(a)) for (q, _), a in zip(QUESTIONS, answers.answers, strict=True)] == QUESTIONS
    assert answers.mapping_set == active.name == "companies/acme/mappingSets/1"
    assert answers.revision == world.resolver.revision("acme")


def test_the_company_answers_with_its_policies(world: World) -> None:
    world.activate(demo_mapping().replace("approval_above: 0", "approval_above: 1000.5"))
    answer = world.answer(CompanyQuestion())
    assert isinstance(answer, CompanyAnswer)
    assert (answer.entity.currency, answer.entity.time_zone) == ("USD", "America/New_York")
    assert answer.approval_above_minor_units == 100050
    assert (answer.late_event_policy, answer.predecessor_deadline_seconds) == ("next_open_day", 72 * 3600)


def test_nothing_is_known_of_a_company_that_was_never_synced(world: World) -> None:
    answers = world.resolver.resolve("beta", [CompanyQuestion(), RateQuestion("EUR", "2026-03-14")])
    assert [seen(one) for one in answers.answers] == ["COMPANY_UNKNOWN", "COMPANY_UNKNOWN"]
    assert (answers.revision, answers.mapping_set) == (0, "")


def test_a_proposal_has_no_effect(world: World) -> None:
    world.propose()
    assert seen(world.answer(AccountQuestion("AR", STRIPE))) == "MAPPING_NOT_ACTIVE"
    assert seen(world.answer(CompanyQuestion())) == "MAPPING_NOT_ACTIVE"
    assert seen(world.answer(RateQuestion("EUR", "2026-03-14"))).startswith("2026-01-01")


@pytest.mark.parametrize(
    "rows, scope, code",
    [
        (["", "stripe", "stripe/acct_demo", "stripe/USD", "stripe/acct_demo/USD"], STRIPE, "FEE5"),
        (["", "stripe", "stripe/acct_demo", "stripe/USD"], STRIPE, "FEE3"),
        (["", "stripe", "stripe/USD"], STRIPE, "FEE3"),
        (["", "stripe"], STRIPE, "FEE2"),
        (["", "USD"], STRIPE, "FEE2"),
        (["", "USD"], MappingScope("stripe", "acct_demo", "EUR"), "FEE1"),
        (["", "stripe/USD"], MappingScope("stripe", "acct_demo", "EUR"), "FEE1"),
        (["stripe"], SHOP, "MAPPING_MISSING"),
    ],
)
def test_the_most_specific_row_wins(world: World, rows: list[str], scope: MappingScope, code: str) -> None:
    lines = []
    for number, row in enumerate(rows, start=1):
        world.create("account.account", {"code": f"FEE{number}", "name": "Fees", "account_type": "expense"})
        provider = "stripe" if row.startswith("stripe") else ""
        account = "acct_demo" if "acct_demo" in row else ""
        currency = "USD" if row.endswith("USD") else ""
        given = {"role": "FEE", "provider": provider, "account": account, "currency": currency, "code": f"FEE{number}"}
        lines.append("  - {" + ", ".join(f"{key}: {value}" for key, value in given.items() if value) + "}")
    world.sync()
    world.activate(demo_mapping().replace("  - { role: FEE, code: 621000 }", "\n".join(lines)))
    assert seen(world.answer(AccountQuestion("FEE", scope))) == code


@pytest.mark.parametrize(
    "asked, answer",
    [
        (TaxQuestion("shopify", "shop-1", "City", "0.08"), "City here 0.08"),
        (TaxQuestion("shopify", "shop-1", "Other", "0.08"), "Here 0.08"),
        (TaxQuestion("shopify", "shop-2", "City", "0.08"), "City 0.08"),
        (TaxQuestion("shopify", "shop-2", "Other", "0.08"), "Sales Tax 8% 0.08"),
    ],
)
def test_the_most_specific_tax_wins(world: World, asked: TaxQuestion, answer: str) -> None:
    account = world.odoo_ids("account.account", [["code", "=", "251000"]])[0]
    for name in ("City", "Here", "City here"):
        _tax(world, name, account)
    rows = (
        "  - { provider: shopify, rate: 0.08, tax: Sales Tax 8% }\n"
        "  - { provider: shopify, title: City, rate: 0.08, tax: City }\n"
        "  - { provider: shopify, account: shop-1, rate: 0.080, tax: Here }\n"
        "  - { provider: shopify, account: shop-1, title: City, rate: 0.08, tax: City here }\n"
    )
    world.sync()
    text = demo_mapping().replace("  - { provider: shopify, rate: 0.08, tax: Sales Tax 8% }\n", rows)
    world.activate(
        text.replace("shop-1 }\n", "shop-1 }\n  - { provider: shopify, account: shop-2, issuer: shopify/shop-1 }\n", 1)
    )
    assert seen(world.answer(asked)) == answer


def test_a_tax_is_for_sales_or_for_purchases(world: World) -> None:
    input_tax = "  - { provider: shopify, rate: 0.08, tax: Input Tax 8%, use: purchase }\n"
    world.activate(demo_mapping().replace("taxes:\n", f"taxes:\n{input_tax}"))
    sold, bought = (TaxQuestion("shopify", "shop-1", "", "0.08", use) for use in ("sale", "purchase"))
    assert [seen(answer) for answer in world.ask(sold, bought).answers] == ["Sales Tax 8% 0.08", "Input Tax 8% 0.08"]
    assert seen(world.answer(TaxQuestion("shopify", "shop-1", "", "0.07", "purchase"))) == "MAPPING_MISSING"


def _tax(world: World, name: str, account: int) -> None:
    parts = [
        [0, 0, {"repartition_type": "base", "factor_percent": 100.0}],
        [0, 0, {"repartition_type": "tax", "factor_percent": 100.0, "account_id": account}],
    ]
    world.create(
        "account.tax",
        {
            "name": name,
            "amount": 8.0,
            "type_tax_use": "sale",
            "invoice_repartition_line_ids": parts,
            "refund_repartition_line_ids": parts,
        },
    )


def test_shops_may_share_their_customers(world: World) -> None:
    text = demo_mapping().replace(
        "shop-1 }\n", "shop-1 }\n  - { provider: shopify, account: shop-2, issuer: shopify/shop-1 }\n", 1
    )
    world.activate(text)
    assert seen(world.answer(PartyQuestion("shopify/shop-2", "7002"))) == "Bertil Berg"


def test_an_account_of_one_currency_takes_no_other(world: World) -> None:
    text = demo_mapping().replace(
        "  - { role: CLR, provider: stripe, account: acct_demo, currency: EUR, code: 124101 }\n", ""
    )
    world.activate(text.replace("account: acct_demo, currency: USD, code: 124100", "account: acct_demo, code: 124100"))
    assert seen(world.answer(AccountQuestion("CLR", STRIPE))) == "124100"
    assert (
        seen(world.answer(AccountQuestion("CLR", MappingScope("stripe", "acct_demo", "EUR"))))
        == "ACCOUNT_CURRENCY_DIFFERS"
    )


@pytest.mark.parametrize(
    "model, domain, values, question, reason",
    [
        ("account.account", [["code", "=", "121000"]], {"deprecated": True}, AccountQuestion("AR", STRIPE), "ACCOUNT_UNKNOWN"),
        ("account.account", [["code", "=", "124100"]], {"reconcile": False}, AccountQuestion("CLR", STRIPE), "ACCOUNT_NOT_RECONCILABLE"),
        ("account.account", [["code", "=", "121000"]], {"account_type": "asset_current"}, AccountQuestion("AR", STRIPE), "ACCOUNT_TYPE_WRONG"),
        ("account.journal", [["code", "=", "INV"]], {"active": False}, JournalQuestion("SAL", SHOP), "JOURNAL_UNKNOWN"),
        ("account.journal", [["code", "=", "INV"]], {"type": "general"}, JournalQuestion("SAL", SHOP), "JOURNAL_TYPE_WRONG"),
        ("account.journal", [["code", "=", "BNK1"]], {"type": "cash"}, BankQuestion("US64SVBKUS6S3300958879"), "JOURNAL_TYPE_WRONG"),
        ("account.journal", [["code", "=", "BNK1"]], {"suspense_account_id": False}, BankQuestion("US64SVBKUS6S3300958879"), "JOURNAL_INCOMPLETE"),
        ("account.journal", [["code", "=", "BNK1"]], {"active": False}, BankQuestion("US64SVBKUS6S3300958879"), "JOURNAL_UNKNOWN"),
        ("account.tax", [["name", "=", "Sales Tax 8%"]], {"active": False}, TaxQuestion("shopify", "shop-1", "", "0.08"), "TAX_UNKNOWN"),
        ("account.tax", [["name", "=", "Sales Tax 8%"]], {"amount": 9.0}, TaxQuestion("shopify", "shop-1", "", "0.08"), "TAX_RATE_DIFFERS"),
        (
            "account.tax.repartition.line",
            [["tax_id.name", "=", "Sales Tax 8%"], ["document_type", "=", "refund"], ["repartition_type", "=", "tax"]],
            {"account_id": False},
            TaxQuestion("shopify", "shop-1", "", "0.08"),
            "TAX_WITHOUT_ACCOUNT",
        ),
        ("res.partner", [["name", "=", "Ada Archer"]], {"active": False}, PartyQuestion("shopify/shop-1", "7001"), "PARTY_UNKNOWN"),
    ],
)  # fmt: skip
def test_what_odoo_takes_away_after_the_approval_is_no_longer_given(
    world: World, model: str, domain: list[Any], values: dict[str, Any], question: Question, reason: str
) -> None:
    world.activate()
    assert not isinstance(world.answer(question), Failure)
    before = world.resolver.revision("acme")
    world.change(model, domain, values)
    assert world.sync().changed > 0
    assert seen(world.answer(question)) == reason
    assert world.resolver.revision("acme") > before


@pytest.mark.parametrize(
    "model, word, question, reason",
    [
        ("account.account", ("code", "400000"), AccountQuestion("REV", SHOP), "ACCOUNT_REPLACED"),
        ("account.journal", ("code", "INV"), JournalQuestion("SAL", SHOP), "JOURNAL_REPLACED"),
        ("account.tax", ("name", "Sales Tax 8%"), TaxQuestion("shopify", "shop-1", "", "0.08"), "TAX_REPLACED"),
    ],
)
def test_a_code_that_is_given_to_another_record_is_not_answered_until_it_is_approved_anew(
    world: World, model: str, word: tuple[str, str], question: Question, reason: str
) -> None:
    world.activate()
    column, text = word
    world.change(model, [[column, "=", text]], {column: "OLD"})
    world.sync()
    assert seen(world.answer(question)) == reason.replace("REPLACED", "UNKNOWN")
    if model == "account.account":
        world.create(model, {"code": text, "name": "Another", "account_type": "income"})
    elif model == "account.journal":
        world.create(model, {"code": text, "name": "Another", "type": "sale"})
    else:
        _tax(world, text, world.odoo_ids("account.account", [["code", "=", "251000"]])[0])
    world.sync()
    assert seen(world.answer(question)) == reason
    world.activate()
    assert not isinstance(world.answer(question), Failure)


def test_a_tax_named_by_its_id_that_is_for_sales_no_longer_is_not_given(world: World) -> None:
    (tax,) = world.odoo_ids("account.tax", [["name", "=", "Sales Tax 8%"]])
    world.activate(demo_mapping().replace("tax: Sales Tax 8%", f"tax_id: {tax}"))
    question = TaxQuestion("shopify", "shop-1", "", "0.08")
    assert seen(world.answer(question)) == "Sales Tax 8% 0.08"
    world.change("account.tax", [["id", "=", tax]], {"type_tax_use": "purchase"})
    world.sync()
    assert seen(world.answer(question)) == "TAX_USE_WRONG"


def test_a_partner_keeps_its_references_when_it_is_renamed(world: World) -> None:
    world.activate()
    world.change("res.partner", [["name", "=", "Ada Archer"]], {"name": "Ada Brown"})
    world.sync()
    assert seen(world.answer(PartyQuestion("shopify/shop-1", "7001"))) == "Ada Brown"


def test_a_contact_bears_its_company_as_commercial_partner(world: World) -> None:
    company = world.create("res.partner", {"name": "Acme Customers", "is_company": True})
    world.create("res.partner", {"name": "Dora Dahl", "parent_id": company})
    world.sync()
    text = demo_mapping() + "  - partner: Acme Customers, Dora Dahl\n    external_ids: { shopify/shop-1: [7009] }\n"
    world.activate(text)
    answer = world.answer(PartyQuestion("shopify/shop-1", "7009"))
    assert isinstance(answer, PartyAnswer)
    assert answer.party.commercial_odoo_id == company != answer.party.odoo_id


def test_every_role_of_the_chart_is_mapped(world: World) -> None:
    world.activate()
    for spec in chart.PLAN.accounts:
        if spec.role not in ("BANK", "SUS"):
            scope = MappingScope("stripe", "acct_demo", spec.currency or "USD")
            assert seen(world.answer(AccountQuestion(spec.role, scope))) == spec.code
