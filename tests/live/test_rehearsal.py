"""The set-up on the sandbox: needs no server, so it runs with every `make test`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from cli.odoo_setup import app, as_text, password_variable, passwords_of
from libs.odoo.plan import Plan, PlannedAccount, PlannedPartner, PlannedTax, PlannedUser, PlanUnreadable, read_plan
from libs.odoo.provision import CompanyDiffers, Provisioner, ProvisionStep
from sandbox.chart import PLAN
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.transport import InProcess

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(params=[18, 19])
def admin(request: pytest.FixtureRequest) -> Iterator[InProcess]:
    sandbox = Sandbox(":memory:", lambda: NOW, request.param)
    bootstrap(sandbox)
    yield InProcess(sandbox, "admin")
    sandbox.close()


def changes(steps: list[ProvisionStep]) -> list[tuple[str, str, str]]:
    return [(step.kind, step.key, step.action) for step in steps if step.action != "KEPT"]


def test_the_sandbox_s_company_already_is_what_the_default_plan_asks_for(admin: InProcess) -> None:
    assert changes(Provisioner(admin, PLAN, {}).run()) == []


def test_what_is_missing_is_made_once(admin: InProcess) -> None:
    plan = PLAN
    wider = dataclasses.replace(
        plan,
        accounts=(*plan.accounts, PlannedAccount("CLR", "124102", "Adyen Clearing EUR", "asset_current", True, "EUR")),
        taxes=(*plan.taxes, PlannedTax("REDUCED", "Reduced Tax 4.5%", "4.5", "sale", "251000")),
        partners=(*plan.partners, PlannedPartner("adyen", "Adyen")),
        users=(*plan.users, PlannedUser("second", "Second", ("account.group_account_readonly",))),
        currencies=(*plan.currencies, "SEK"),
    )
    made = changes(Provisioner(admin, wider, {"second": "a-password-of-its-own"}).run())
    assert made == [
        ("currency", "SEK", "CHANGED"),
        ("account", "124102", "MADE"),
        ("tax", "REDUCED", "MADE"),
        ("partner", "adyen", "MADE"),
        ("user", "second", "MADE"),
    ]
    assert changes(Provisioner(admin, wider, {}).run()) == []


def test_a_user_who_has_more_rights_than_planned_loses_them(admin: InProcess) -> None:
    plan = PLAN
    less = tuple(
        dataclasses.replace(user, groups=("account.group_account_readonly",)) if user.login == "masterdata" else user
        for user in plan.users
    )
    assert changes(Provisioner(admin, dataclasses.replace(plan, users=less), {}).run()) == [
        ("user", "masterdata", "CHANGED")
    ]


DIFFERENCES = [
    ({"currency": "SEK"}, "the company keeps its books in USD, not SEK"),
    ({"accounts": (PlannedAccount("AR", "121000", "x", "expense"),)}, "account 121000 is asset_receivable, the plan says expense"),
    ({"users": (PlannedUser("new", "New", ("account.group_account_readonly",)),)}, "give a password to make it with"),
    ({"users": (PlannedUser("concord", "C", ("account.no_such_group",)),)}, "Odoo does not know the group"),
    ({"accounts": (PlannedAccount("NEW", "999999", "x", "asset_current", True, "XXX"),)}, "account 999999: Odoo does not know"),
    ({"currencies": ("XXX",)}, "Odoo does not know the currency XXX"),
]  # fmt: skip


@pytest.mark.parametrize(("other", "difference"), DIFFERENCES, ids=[difference for _, difference in DIFFERENCES])
def test_a_difference_is_refused_before_anything_is_made(
    admin: InProcess, other: dict[str, object], difference: str
) -> None:
    plan = PLAN
    bare = Plan(currency="USD", accounts=(), journals=(), partners=(PlannedPartner("first", "Not to be made"),))
    with pytest.raises(CompanyDiffers, match=difference):
        Provisioner(admin, dataclasses.replace(bare, **other), {}).run()  # type: ignore[arg-type]
    assert admin.execute("res.partner", "search", [[["name", "=", "Not to be made"]]]) == []
    assert changes(Provisioner(admin, plan, {}).run()) == []


BAD_PLANS = [
    ("[1, 2]", "a plan is a mapping"),
    ("currency: USD\naccounts: {}\njournals: []", "accounts is a list"),
    ("currency: USD\naccounts: []\njournals: []\nnonsense: 1", "nonsense"),
    ("currency: USD\naccounts: [{role: AR}]\njournals: []", "accounts:"),
    ("currency: USD\naccounts: [1]\njournals: []", "each of accounts is a mapping"),
    ("accounts: []\njournals: []", "currency"),
    ("currency: USD\naccounts: []\njournals: []\nexchange: 646000", "exchange names the account 646000"),
    (
        "currency: USD\naccounts:\n- {role: T, code: 1, name: T, type: expense}\njournals: []\n"
        "taxes: [{code: A, name: A, percent: eight, use: sale, account: 1}]",
        "A: not a decimal number",
    ),
    (
        "currency: USD\naccounts:\n- {role: T, code: 1, name: T, type: expense}\n"
        "- {role: U, code: 1, name: U, type: expense}\njournals: []",
        "names the account code 1 more than once",
    ),
    ("a: [", "not YAML"),
]


@pytest.mark.parametrize(("text", "why"), BAD_PLANS, ids=[why for _, why in BAD_PLANS])
def test_a_plan_of_another_form_is_refused_saying_why(text: str, why: str) -> None:
    with pytest.raises(PlanUnreadable, match=why):
        read_plan(text)


def test_a_code_that_yaml_takes_for_a_number_stays_a_code() -> None:
    plan = read_plan("currency: USD\naccounts:\n- {role: T, code: 1010, name: T, type: expense}\njournals: []")
    assert plan.accounts[0].code == "1010"


def test_passwords_come_from_one_variable_a_login() -> None:
    environment = {"CONCORD_ODOO_PASSWORD_MASTERDATA": "secret", "CONCORD_ODOO_PASSWORD_CLOSE": ""}
    assert passwords_of(PLAN, environment) == {"masterdata": "secret"}
    assert password_variable("books@example.com") == "CONCORD_ODOO_PASSWORD_BOOKS_EXAMPLE_COM"


def test_the_summary_names_what_changed_and_counts_the_rest() -> None:
    steps = [ProvisionStep("account", "124100", "MADE", 7, "CLR"), ProvisionStep("journal", "INV", "KEPT", 1, "SAL")]
    assert as_text(steps, dry_run=False).splitlines() == [
        "made    account   124100  CLR",
        "1 made, 0 changed, 1 as they were",
    ]
    assert as_text(steps, dry_run=True).endswith("would be: 1 made, 0 changed, 1 as they were")


def test_an_address_that_is_none_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["setup", "--url", "books", "--db", "x", "--admin-password", "x"])
    assert result.exit_code == 2


def test_the_plan_command_prints_a_plan() -> None:
    result = CliRunner().invoke(app, ["plan"])
    assert result.exit_code == 0
    assert read_plan(result.output) == PLAN
