"""`concord odoo setup` on the live server: what it makes is there, what it finds is kept, and our user has no more rights."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cli.odoo_key import KeyRefused, make_api_key
from libs.odoo.connect import connect
from libs.odoo.errors import OdooDenied
from libs.odoo.plan import Plan, PlannedAccount, PlannedTax
from libs.odoo.port import Odoo
from libs.odoo.provision import CompanyDiffers, Provisioner
from tests.live.server import INTEGRATION_GROUPS, Server

pytestmark = pytest.mark.live


def test_a_second_run_finds_everything_and_changes_nothing(admin: Odoo, provisioned: Plan) -> None:
    steps = Provisioner(admin, provisioned, {}).run()
    assert {step.action for step in steps} == {"KEPT"}
    assert all(step.id for step in steps)
    assert len(steps) >= len(provisioned.accounts) + len(provisioned.journals) + len(provisioned.taxes)


def test_a_dry_run_says_what_it_would_make_and_makes_nothing(admin: Odoo, provisioned: Plan, run: str) -> None:
    code = run[-6:]
    new = dataclasses.replace(
        provisioned, accounts=(*provisioned.accounts, PlannedAccount("NEW", code, "Not to be made", "asset_current"))
    )
    steps = Provisioner(admin, new, {}).run(dry=True)
    assert [(step.key, step.action, step.id) for step in steps if step.action != "KEPT"] == [(code, "MADE", 0)]
    assert admin.execute("account.account", "search", [[["code", "=", code]]]) == []


def test_a_difference_is_named_and_nothing_is_made(admin: Odoo, provisioned: Plan, run: str) -> None:
    code = run[-6:]
    wrong = [
        dataclasses.replace(account, type="expense") if account.role == "AR" else account
        for account in provisioned.accounts
    ]
    plan = dataclasses.replace(
        provisioned, accounts=(PlannedAccount("NEW", code, "Not to be made", "asset_current"), *wrong)
    )
    with pytest.raises(CompanyDiffers, match="121000 is asset_receivable"):
        Provisioner(admin, plan, {}).run()
    assert admin.execute("account.account", "search", [[["code", "=", code]]]) == []


def test_a_tax_on_no_account_is_refused(admin: Odoo, provisioned: Plan, run: str) -> None:
    name = f"Bare {run}"
    bare = admin.execute("account.tax", "create", [{"name": name, "amount": 5.0, "type_tax_use": "sale"}])
    taxes = (PlannedTax(f"BARE_{run}", name, "5", "sale", "251000"),)
    try:
        with pytest.raises(CompanyDiffers, match="line is not on the account 251000"):
            Provisioner(admin, dataclasses.replace(provisioned, taxes=taxes), {}).run()
    finally:
        admin.execute("account.tax", "unlink", [[bare]])


def test_every_tax_line_has_its_account(ours: Odoo, provisioned: Plan) -> None:
    names = [tax.name for tax in provisioned.taxes]
    taxes = _found(ours, "account.tax", [["name", "in", names]], ["name"])
    assert {tax["name"] for tax in taxes} == set(names)
    domain = [["tax_id", "in", [tax["id"] for tax in taxes]], ["repartition_type", "=", "tax"]]
    lines = _found(ours, "account.tax.repartition.line", domain, ["account_id", "document_type"])
    assert sorted({line["document_type"] for line in lines}) == ["invoice", "refund"]
    assert all(line["account_id"] for line in lines)


def test_odoo_s_own_exchange_entries_hit_the_account_of_the_plan(ours: Odoo, provisioned: Plan) -> None:
    fields = ["income_currency_exchange_account_id", "expense_currency_exchange_account_id"]
    (company,) = _found(ours, "res.company", [["id", "=", 1]], fields)
    (account,) = _found(ours, "account.account", [["code", "=", provisioned.exchange]], ["code"])
    assert {company[name][0] for name in fields} == {account["id"]}


def test_the_second_currency_is_active_and_has_its_rate(ours: Odoo, provisioned: Plan) -> None:
    for rate in provisioned.rates:
        (currency,) = _found(ours, "res.currency", [["name", "=", rate.currency]], ["active"])
        domain = [["currency_id", "=", currency["id"]], ["name", "=", rate.date]]
        assert currency["active"]
        assert [
            row["inverse_company_rate"] for row in _found(ours, "res.currency.rate", domain, ["inverse_company_rate"])
        ]


def test_our_user_has_invoicing_and_basic_and_nothing_more(admin: Odoo, provisioned: Plan, server: Server) -> None:
    column = "group_ids" if "group_ids" in admin.execute("res.users", "fields_get", [["group_ids"]]) else "groups_id"
    (user,) = _found(admin, "res.users", [["login", "=", server.user]], [column, "share"])
    wanted = {_reference(admin, group) for group in INTEGRATION_GROUPS}
    allowed, waiting = set(wanted), list(wanted)
    while waiting:
        rows = admin.execute("res.groups", "read", [waiting, ["implied_ids"]])
        waiting = [group for row in rows for group in row["implied_ids"] if group not in allowed]
        allowed.update(waiting)
    assert wanted <= set(user[column]) <= allowed
    assert not user["share"]


FORBIDDEN: list[tuple[str, str, list[Any]]] = [
    ("res.partner", "create", [{"name": "not ours to make"}]),
    ("account.account", "create", [{"name": "x", "code": "999999", "account_type": "expense"}]),
    ("account.journal", "create", [{"name": "x", "code": "XXXXX", "type": "general"}]),
    ("account.tax", "create", [{"name": "x", "amount": 1.0}]),
    ("res.currency.rate", "create", [{"currency_id": 1, "name": "2001-01-01"}]),
    ("res.company", "write", [[1], {"fiscalyear_lock_date": "2001-12-31"}]),
    ("res.users", "write", [[2], {"name": "x"}]),
    ("ir.model.data", "search", [[["module", "=", "base"]]]),
]


@pytest.mark.parametrize(
    ("model", "method", "args"), FORBIDDEN, ids=[f"{model}.{verb}" for model, verb, _ in FORBIDDEN]
)
def test_our_user_is_refused_what_is_not_its_work(
    ours: Odoo, provisioned: Plan, model: str, method: str, args: list[Any]
) -> None:
    with pytest.raises(OdooDenied):
        ours.execute(model, method, args)


READABLE = [
    "account.account", "account.journal", "account.tax", "account.tax.repartition.line", "res.currency",
    "res.currency.rate", "res.company", "res.partner", "product.product", "account.move", "account.move.line",
    "account.partial.reconcile", "account.bank.statement.line",
]  # fmt: skip


@pytest.mark.parametrize("model", READABLE)
def test_our_user_may_read_what_it_checks_against(ours: Odoo, provisioned: Plan, model: str) -> None:
    assert isinstance(ours.execute(model, "search_read", [[], ["display_name"]], {"limit": 1}), list)


def test_an_api_key_made_for_our_user_signs_it_in(server: Server, provisioned: Plan, version: int, run: str) -> None:
    key = make_api_key(server.url, server.database, server.user, server.password, run, 1)
    by_key = connect(server.url, server.database, server.user, api_key=key)
    context = by_key.execute("res.users", "context_get", [])
    assert by_key.version == version
    assert context["uid"] == _reference_of_user(by_key, server.user)


def test_no_api_key_without_the_password(server: Server) -> None:
    with pytest.raises(KeyRefused):
        make_api_key(server.url, server.database, server.user, "not the password", "x", 1)


def _found(odoo: Odoo, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
    return list(odoo.execute(model, "search_read", [domain, fields]))


def _reference(odoo: Odoo, external_id: str) -> int:
    return int(odoo.execute("ir.model.data", "check_object_reference", external_id.split("."))[1])


def _reference_of_user(odoo: Odoo, login: str) -> int:
    return int(odoo.execute("res.users", "search", [[["login", "=", login]]])[0])
