"""Who may do what: the two users that Concord needs, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooDenied, OdooError
from libs.odoo.port import Odoo
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import MODULE, entry, entry_rows, key, line, post, read
from tests.odoo.contract.target import Target

_PASSWORD = "contract-of-concord"


def _user(target: Target, login: str, *groups: str) -> Odoo:
    """A user in these groups alone, kept between runs."""
    field = "groups_id" if target.books.version < 19 else "group_ids"
    ids = [target.as_admin("ir.model.data", "check_object_reference", *group.split("."))[1] for group in groups]
    found = target.as_admin("res.users", "search", [["login", "=", login]])
    values: dict[str, Any] = {"password": _PASSWORD, field: [[6, 0, ids]]}
    if found:
        target.as_admin("res.users", "write", found, values)
    else:
        values |= {"name": login, "login": login}
        target.as_admin("res.users", "create", values, context={"no_reset_password": True})
    return target.log_in(login, _PASSWORD)


@pytest.fixture(scope="module")
def clerk(target: Target) -> Odoo:
    """Invoicing without the basic group."""
    return _user(target, "contract_clerk", "account.group_account_invoice")


@pytest.fixture(scope="module")
def reader(target: Target) -> Odoo:
    return _user(target, "contract_reader", "account.group_account_readonly")


@pytest.fixture(scope="module")
def stranger(target: Target) -> Odoo:
    return _user(target, "contract_stranger", "base.group_user")


def test_an_invoicing_user_may_load_post_and_reconcile(target: Target, clerk: Odoo) -> None:
    from tests.odoo.contract.documents import ENTRY_FIELDS

    move = clerk.execute("account.move", "load", [ENTRY_FIELDS, entry_rows(target, key(target))])["ids"][0]
    assert clerk.execute("account.move", "action_post", [[move]]) is False
    lines = clerk.execute(
        "account.move.line", "search", [[["move_id", "=", move], ["account_id.reconcile", "=", True]]]
    )
    assert clerk.execute("account.move.line", "reconcile", [lines]) is None


def test_a_statement_line_needs_the_basic_group(target: Target, books: Books, clerk: Odoo) -> None:
    values = {"journal_id": books.journal("BNK"), "date": books.day, "payment_ref": key(target), "amount": 1.0}
    with pytest.raises(OdooDenied):
        clerk.execute("account.bank.statement.line", "create", [values])
    assert clerk.execute("account.bank.statement.line", "search_read", [[], ["amount"]], {"limit": 1}) is not None
    assert target.call("account.bank.statement.line", "create", values)


DENIED_TO_US: list[tuple[str, str, list[Any]]] = [
    ("ir.model.data", "create", [{"module": MODULE, "name": "x", "model": "account.move", "res_id": 1}]),
    ("ir.model.data", "search_read", [[["module", "=", MODULE]], ["res_id"]]),
    ("res.company", "write", [[1], {"fiscalyear_lock_date": False}]),
    ("res.partner", "create", [{"name": "x"}]),
    ("account.account", "create", [{"name": "x", "code": "X1", "account_type": "expense"}]),
]


@pytest.mark.parametrize("model, method, args", DENIED_TO_US, ids=[f"{row[0]}.{row[1]}" for row in DENIED_TO_US])
def test_an_invoicing_user_may_not(clerk: Odoo, model: str, method: str, args: list[Any]) -> None:
    with pytest.raises(OdooDenied) as denied:
        clerk.execute(model, method, args)
    assert denied.value.name == "odoo.exceptions.AccessError"


def test_a_reader_reads_and_posts_nothing(target: Target, reader: Odoo) -> None:
    move = entry(target)
    assert reader.execute("account.move", "read", [[move], ["state"]])[0]["state"] == "draft"
    with pytest.raises(OdooDenied):
        reader.execute("account.move", "action_post", [[move]])
    with pytest.raises(OdooDenied):
        reader.execute("account.move", "create", [{"move_type": "entry", "line_ids": [line(target, "FEE", 0.0)]}])
    post(target, move)
    assert read(target, move, "state") == "posted"


def test_a_user_without_accounting_sees_no_entry(stranger: Odoo) -> None:
    for model in ("account.move", "account.move.line"):
        with pytest.raises(OdooDenied):
            stranger.execute(model, "search_read", [[], ["name"]], {"limit": 1})


def test_a_wrong_password_is_denied(target: Target) -> None:
    if target.name in ("sandbox18", "sandbox19"):
        pytest.skip("no password is asked for in process")
    with pytest.raises(OdooError) as denied:
        target.log_in("contract_nobody", "wrong").execute("res.partner", "search_count", [[]])
    assert isinstance(denied.value, OdooDenied)
