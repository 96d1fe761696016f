from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from libs.errors.review import ApproverIsMaker, ContentChanged, TransitionForbidden
from libs.storage.audit import AuditLog
from libs.storage.requests import RequestIdReused
from libs.storage.verification import verify
from services.masterdata.domain.errors import (
    CompanyUnknown,
    MappingHasErrors,
    MappingInvalid,
    MappingSetUnknown,
)
from services.masterdata.domain.mapping_set import TRANSITIONS, MappingSet, MappingState, digest_of
from services.masterdata.domain.references import Failure, PartyQuestion
from services.masterdata.storage import PROOFS, TABLES
from services.masterdata.storage.tables import MAPPING_SET
from tests.masterdata.company import BEGIN, World, demo_mapping, new_world
from tests.storage.fixtures import EngineFor


def edited(*changes: tuple[str, str]) -> str:
    text = demo_mapping()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, row: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if row in line)


def stored(world: World, number: int) -> MappingSet:
    with world.new_uow(read_only=True) as uow:
        return uow.mapping_sets.get("acme", number)


def test_the_demonstration_mapping_has_no_findings(world: World) -> None:
    offered = world.propose()
    assert (offered.name, offered.state, offered.findings) == (
        "companies/acme/mappingSets/1",
        MappingState.PROPOSED,
        (),
    )
    active = world.approve(offered)
    assert (active.state, active.proposed_by, active.approved_by) == (MappingState.ACTIVE, "ann", "bob")
    assert active == stored(world, 1)


# A change of the file, whether it is an error, its reason, the row that it is about, and words of the message.
FINDINGS = [
    (("role: AR, code: 121000", "role: AR, code: 999999"), "error ACCOUNT_UNKNOWN", "role: AR", "no active account 999999"),
    (("role: TRN, code: 124200", "role: TRN, code: 621000"), "error ACCOUNT_NOT_RECONCILABLE", "role: TRN", "account 621000 must allow"),
    (("role: AR, code: 121000", "role: AR, code: 214100"), "error ACCOUNT_TYPE_WRONG", "role: AR", "is liability_current, not asset_receivable"),
    (("role: AP, code: 211000", "role: AP, code: 121000"), "error ACCOUNT_TYPE_WRONG", "role: AP", "not liability_payable"),
    (("role: REV, code: 400000", "role: REV, code: 211000"), "error ACCOUNT_TYPE_WRONG", "role: REV", "would need a partner"),
    (("currency: EUR, code: 124101", "currency: EUR, code: 124100"), "error ACCOUNT_CURRENCY_DIFFERS", "currency: EUR, code: 124100", "takes USD only"),
    (("role: FXD, code: 646000", "role: FXD, code: 124101"), "error ACCOUNT_CURRENCY_DIFFERS", "role: FXD", "must take USD"),
    (("currency: USD, code: 124100", "currency: USD, code: 124300"), "warning CLR_WITHOUT_CURRENCY", "currency: USD, code: 124300", "fixed to one currency"),
    (("role: RSV, code: 124300", "role: RSV, code: 124400"), "warning ACCOUNT_SHARED", "role: DSP", "serves DSP, and RSV in line"),
    (("  - { role: UNX, code: 124500 }\n", ""), "warning ROLE_UNMAPPED", "time_zone:", "no account has the role UNX"),
    (("  - { role: SAL, code: INV }\n", ""), "warning ROLE_UNMAPPED", "time_zone:", "no journal has the role SAL"),
    (("role: FXD, code: 646000", "role: FXD, code: 647000"), "error EXCHANGE_ACCOUNT_DIFFERS", "role: FXD", "exchange gain account is 646000"),
    (("role: SAL, code: INV", "role: SAL, code: NONE"), "error JOURNAL_UNKNOWN", "role: SAL", "no active journal NONE"),
    (("role: SAL, code: INV", "role: SAL, code: BILL"), "error JOURNAL_TYPE_WRONG", "role: SAL", "is purchase, not sale"),
    (("role: CLO, code: CLOSE", "role: CLO, code: BNK1"), "error JOURNAL_TYPE_WRONG", "role: CLO", "is bank, not general"),
    (("journal: BNK1", "journal: STRP"), "error JOURNAL_TYPE_WRONG", "journal: STRP", "is general, not bank"),
    (("journal: BNK1", "journal: BNK2"), "error JOURNAL_UNKNOWN", "journal: BNK2", "no active journal BNK2"),
    (("tax: Sales Tax 8%", "tax: VAT"), "error TAX_UNKNOWN", "tax: VAT", "no such active tax"),
    (("tax: Sales Tax 8%", "tax: Input Tax 8%"), "error TAX_UNKNOWN", "tax: Input", "no such active tax for sales"),
    (("tax: Sales Tax 8%", "tax_id: 2"), "error TAX_USE_WRONG", "tax_id: 2", "is for purchase"),
    (("rate: 0.08", "rate: 0.07"), "error TAX_RATE_DIFFERS", "rate: 0.07", "has the rate 0.08, the source's is 0.07"),
    (("role: TAX, code: 251000", "role: TAX, code: 214300"), "warning TAX_ACCOUNT_DIFFERS", "rate: 0.08", "goes to 251000"),
    (("  - { role: DFE, code: 622000 }\n", ""), "error ROLE_UNMAPPED", "role: DFE", "no account has the role DFE"),
    (("partner: Ada Archer", "partner: Nobody"), "error PARTY_UNKNOWN", "partner: Nobody", "no active partner"),
    (("partner: Ada Archer", "partner_id: 99999"), "error PARTY_UNKNOWN", "partner_id: 99999", "no active partner"),
    (("unidentified_for: [stripe/acct_demo, shopify/shop-1]", "unidentified_for: [stripe/acct_demo]"), "error UNIDENTIFIED_MISSING", "provider: shopify, account: shop-1 }", "shopify/shop-1 has no unidentified"),
    (("approval_above: 0 ", "approval_above: 0.001 "), "error AMOUNT_INVALID", "time_zone:", "more digits than USD"),
]  # fmt: skip


@pytest.mark.parametrize("change, finding, row, words", FINDINGS, ids=[f"{row[1]} {row[3]}" for row in FINDINGS])
def test_each_contradiction_is_found_and_errors_block_the_approval(
    world: World, change: tuple[str, str], finding: str, row: str, words: str
) -> None:
    text = edited(change)
    offered = world.propose(text)
    (found,) = [one for one in map(str, offered.findings) if one.startswith(finding) and words in one]
    assert f", line {line_of(text, row)}: " in found
    if finding.startswith("error"):
        with pytest.raises(MappingHasErrors) as caught:
            world.approve(offered)
        assert found in caught.value.findings
        assert stored(world, offered.number).state is MappingState.PROPOSED
    else:
        assert world.approve(offered).state is MappingState.ACTIVE


# What is wrong in Odoo, and how the untouched demonstration file is judged then.
ODOO_FINDINGS = [
    ("account.tax.repartition.line", [["tax_id.name", "=", "Sales Tax 8%"], ["repartition_type", "=", "tax"], ["document_type", "=", "invoice"]], {"account_id": False}, "error TAX_WITHOUT_ACCOUNT"),
    ("account.tax", [["name", "=", "Sales Tax 8%"]], {"price_include_override": "tax_included"}, "error TAX_PRICE_INCLUDED"),
    ("account.tax", [["name", "=", "Sales Tax 8%"]], {"amount_type": "fixed"}, "error TAX_NOT_PERCENTAGE"),
    ("account.account", [["code", "=", "124100"]], {"currency_id": False}, "warning CLR_WITHOUT_CURRENCY"),
    ("account.account", [["code", "=", "214100"]], {"reconcile": False}, "error ACCOUNT_NOT_RECONCILABLE"),
    ("account.journal", [["code", "=", "BNK1"]], {"suspense_account_id": False}, "error JOURNAL_INCOMPLETE"),
    ("account.journal", [["code", "=", "STRP"]], {"active": False}, "error JOURNAL_UNKNOWN"),
    ("res.company", [], {"income_currency_exchange_account_id": False}, "error EXCHANGE_ACCOUNT_DIFFERS"),
    ("res.company", [], {"tax_calculation_rounding_method": "round_globally"}, "warning TAX_ROUNDED_GLOBALLY"),
    ("res.partner", [["name", "=", "Carla Costa"]], {"active": False}, "error PARTY_UNKNOWN"),
]  # fmt: skip


@pytest.mark.parametrize("model, domain, values, finding", ODOO_FINDINGS, ids=[row[3] for row in ODOO_FINDINGS])
def test_what_is_wrong_in_odoo_is_found(
    world: World, model: str, domain: list[Any], values: dict[str, Any], finding: str
) -> None:
    world.change(model, domain, values)
    world.sync()
    assert {str(one).split(",")[0] for one in world.propose().findings} == {finding}


def test_two_partners_of_one_name_need_an_id(world: World) -> None:
    twin = world.create("res.partner", {"name": "Ada Archer"})
    world.sync()
    assert world.propose().findings[0].reason == "PARTY_AMBIGUOUS"
    assert world.propose(edited(("partner: Ada Archer", f"partner_id: {twin}"))).findings == ()


@pytest.mark.parametrize(
    "row, finding",
    [
        ("{ sku: A, product: MUG }", ""),
        ("{ sku: A, product: CUP }", "error PRODUCT_UNKNOWN"),
        ("{ sku: A, product_id: 999 }", "error PRODUCT_UNKNOWN"),
        ("{ sku: A, product: TWIN }", "error PRODUCT_AMBIGUOUS"),
    ],
)
def test_products_by_reference(world: World, row: str, finding: str) -> None:
    for code in ("MUG", "TWIN", "TWIN"):
        world.create("product.product", {"name": code, "default_code": code})
    world.sync()
    offered = world.propose(f"{demo_mapping()}products:\n  - {row}\n")
    assert {str(one).split(",")[0] for one in offered.findings} == ({finding} if finding else set())


def test_the_masters_are_looked_at_again_when_it_is_approved(world: World) -> None:
    offered = world.propose()
    world.change("account.journal", [["code", "=", "INV"]], {"active": False})
    world.sync()
    with pytest.raises(MappingHasErrors, match="JOURNAL_UNKNOWN"):
        world.approve(offered)
    world.sandbox.execute("admin", "account.journal", "write", [world.odoo_ids("account.journal", [["active", "=", False], ["code", "=", "INV"]]), {"active": True}])  # fmt: skip
    world.sync()
    assert world.approve(offered).state is MappingState.ACTIVE


@pytest.mark.parametrize("approver", ["ann", "Ann", " ann", "ａｎｎ"])
def test_whoever_proposed_it_cannot_approve_it(world: World, approver: str) -> None:
    offered = world.propose(actor="ann")
    with pytest.raises(ApproverIsMaker):
        world.approve(offered, actor=approver)
    assert stored(world, 1).state is MappingState.PROPOSED


def test_an_approval_of_another_content_is_refused(world: World) -> None:
    offered = world.propose()
    with pytest.raises(ContentChanged):
        world.approve(offered, digest=digest_of(demo_mapping() + "#"))


def test_a_text_that_was_tampered_with_cannot_be_approved(world: World) -> None:
    offered = world.propose()
    with world.new_uow() as uow:
        uow.connection.execute(
            update(MAPPING_SET).values(yaml=edited(("role: REV, code: 400000", "role: REV, code: 451000")))
        )
        uow.commit()
    with pytest.raises(ContentChanged):
        world.approve(offered)


def test_a_new_revision_retires_the_old_one_and_older_offers(world: World) -> None:
    first, overtaken = world.activate(), world.propose()
    text = edited(("shopify/shop-1: [7001]", "shopify/shop-1: [8001]"))
    second = world.activate(text)
    later = world.propose()
    states = [stored(world, number).state for number in range(1, 5)]
    assert states == [MappingState.RETIRED, MappingState.RETIRED, MappingState.ACTIVE, MappingState.PROPOSED]
    assert (first.number, overtaken.number, second.number, later.number) == (1, 2, 3, 4)
    with pytest.raises(TransitionForbidden):
        world.approve(overtaken)
    assert isinstance(world.answer(PartyQuestion("shopify/shop-1", "7001")), Failure)
    assert not isinstance(world.answer(PartyQuestion("shopify/shop-1", "8001")), Failure)


def test_each_activation_is_a_new_revision(world: World) -> None:
    before = world.resolver.revision("acme")
    offered = world.propose()
    assert world.resolver.revision("acme") == before
    active = world.approve(offered)
    assert world.resolver.revision("acme") == before + 1
    assert (offered.active_revision, active.active_revision) == (0, before + 1)


def test_an_active_set_cannot_be_approved_again(world: World) -> None:
    active = world.activate()
    with pytest.raises(TransitionForbidden):
        world.approve(active)


def test_a_repeated_request_gets_the_first_answer(world: World) -> None:
    propose, approve = world.request_id(), world.request_id()
    offered = world.propose(request_id=propose)
    active = world.approve(offered, request_id=approve)
    assert world.propose(request_id=propose) == offered
    assert world.approve(offered, request_id=approve) == active
    with world.new_uow(read_only=True) as uow:
        assert len(uow.mapping_sets.page("acme", 10, None).items) == 1
    with pytest.raises(RequestIdReused):
        world.propose(demo_mapping() + "# more\n", request_id=propose)
    with pytest.raises(RequestIdReused):
        world.approve(offered, actor="carl", request_id=approve)


def test_each_step_stands_in_the_audit_log(world: World) -> None:
    first = world.activate()
    world.activate(demo_mapping() + "# more\n")
    with world.new_uow(read_only=True) as uow:
        log = AuditLog(uow.connection, TABLES)
        entries = log.of_subject(first.name)
        assert verify(uow.connection, PROOFS).faults == ()
    assert [(one.entry.action, one.entry.actor) for one in entries] == [
        ("MAPPING_SET_PROPOSED", "ann"),
        ("MAPPING_SET_APPROVED", "bob"),
        ("MAPPING_SET_ACTIVE", "bob"),
        ("MAPPING_SET_RETIRED", "bob"),
    ]
    assert {one.entry.content_digest for one in entries} == {first.content_digest}


def test_a_file_that_breaks_its_schema_is_not_even_kept(world: World) -> None:
    with pytest.raises(MappingInvalid):
        world.propose("roles: []\n")
    with pytest.raises(MappingSetUnknown):
        stored(world, 1)


def test_a_company_must_be_synced_before_it_has_a_mapping(engine_for: EngineFor) -> None:
    with pytest.raises(CompanyUnknown):
        new_world(engine_for, synced=False).propose()


def test_no_transition_leads_out_of_the_table() -> None:
    assert set(TRANSITIONS) == set(MappingState)
    for state in MappingState:
        for other in set(MappingState) - TRANSITIONS[state]:
            one = MappingSet("acme", 1, state, "", "", "ann", BEGIN)
            with pytest.raises(TransitionForbidden):
                one.to(other)
