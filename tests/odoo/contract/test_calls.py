"""Reading, searching and calling wrongly: the API's own rules, apart from the books."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooDenied, OdooError, OdooMalformed, OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import entry, key, line, line_on, post, posted, read
from tests.odoo.contract.target import Target


def test_an_unknown_model_is_refused(target: Target) -> None:
    """JSON-RPC calls it a UserError, JSON-2 a page that is not found."""
    with pytest.raises((OdooRefused, OdooMalformed)):
        target.call("no.such.model", "search_count", [])


def test_an_unknown_method_is_our_mistake(target: Target) -> None:
    with pytest.raises(OdooMalformed):
        target.call("res.partner", "no_such_method")


def test_a_private_method_is_denied(target: Target) -> None:
    if target.by_json2:
        pytest.skip("JSON-2 needs the names of its arguments")
    with pytest.raises(OdooDenied):
        target.call("res.partner", "_compute_display_name", [1])


WRONG: list[tuple[str, list[Any]]] = [
    ("read", [[1], ["nope"]]),
    ("search", [[["nope", "=", 1]]]),
    ("search_read", [[], ["nope"]]),
    ("write", [[1]]),
]


@pytest.mark.parametrize("method, args", WRONG, ids=[row[0] for row in WRONG])
def test_a_field_or_argument_that_is_not_there_is_our_mistake(target: Target, method: str, args: list[Any]) -> None:
    with pytest.raises(OdooMalformed):
        target.call("account.move", method, *args)


@pytest.fixture(scope="module")
def moves(target: Target) -> tuple[str, list[int]]:
    """Three posted entries and a draft under one prefix of references."""
    prefix = key(target, "query")
    made = [
        entry(target, line(target, "FEE", amount), line(target, "CLR", -amount), ref=f"{prefix}_{number}")
        for number, amount in enumerate((10.0, 20.0, 30.0, 40.0))
    ]
    post(target, *made[:3])
    return prefix, made


DOMAINS: list[tuple[str, list[Any], list[int]]] = [
    ("equal", [["ref", "=", "{}_1"]], [1]),
    ("not equal", [["state", "!=", "posted"]], [3]),
    ("in", [["ref", "in", ["{}_0", "{}_2"]]], [0, 2]),
    ("not in", [["ref", "not in", ["{}_0", "{}_2"]]], [1, 3]),
    ("or", ["|", ["ref", "=", "{}_0"], ["ref", "=", "{}_3"]], [0, 3]),
    ("and within or", ["|", "&", ["ref", "=", "{}_0"], ["state", "=", "draft"], ["ref", "=", "{}_3"]], [3]),
    ("not", ["!", ["ref", "=", "{}_0"]], [1, 2, 3]),
    ("above", [["amount_total", ">", 20.0]], [2, 3]),
    ("between", [["amount_total", ">=", 20.0], ["amount_total", "<=", 30.0]], [1, 2]),
    ("ilike", [["ref", "ilike", "QUERY"]], [0, 1, 2, 3]),
    ("through a reference", [["journal_id.code", "=", "STRP"]], [0, 1, 2, 3]),
    ("through lines", [["line_ids.balance", "=", 20.0]], [1]),
    ("nothing", [["invoice_date", "=", False]], [0, 1, 2, 3]),
    ("something", [["name", "!=", False]], [0, 1, 2]),
]


@pytest.mark.parametrize("domain, expected", [row[1:] for row in DOMAINS], ids=[row[0] for row in DOMAINS])
def test_domains_find(target: Target, moves: tuple[str, list[int]], domain: list[Any], expected: list[int]) -> None:
    prefix, made = moves

    def filled(term: Any) -> Any:
        if isinstance(term, list):
            return [filled(part) for part in term]
        return term.format(prefix) if isinstance(term, str) else term

    within = ["&", ["ref", "=like", f"{prefix}%"], *filled(domain)] if len(domain) == 1 else None
    wanted = within or [
        "&",
        ["ref", "=like", f"{prefix}%"],
        *(["&"] if domain[0] not in ("|", "!") else []),
        *filled(domain),
    ]
    assert target.call("account.move", "search", wanted, order="id") == [made[number] for number in expected]


def test_pages_and_orders(target: Target, moves: tuple[str, list[int]]) -> None:
    prefix, made = moves
    domain = [["ref", "=like", f"{prefix}%"]]
    found = target.call("account.move", "search", domain, order="amount_total desc", limit=2, offset=1)
    assert found == [made[2], made[1]]
    assert target.call("account.move", "search_count", domain) == 4


def test_references_are_read_as_id_and_name_and_nothing_as_false(target: Target, books: Books) -> None:
    found = read(target, posted(target), "journal_id", "partner_id", "invoice_date", "line_ids")
    assert found["journal_id"][0] == books.journal("PSP")
    assert isinstance(found["journal_id"][1], str)
    assert (found["partner_id"], found["invoice_date"]) == (False, False)
    assert len(found["line_ids"]) == 2


def test_references_are_read_as_bare_ids_where_no_name_is_wanted(target: Target, books: Books) -> None:
    """A name costs the server more than all else that is read of a line."""
    move = posted(target)
    fields = ["move_id", "account_id", "partner_id", "balance"]
    domain = [["move_id", "=", move]]
    found = target.call("account.move.line", "search_read", domain, fields, order="id", load=None)
    plain = {"move_id": move, "partner_id": False}
    fee = plain | {"account_id": books.account("FEE"), "balance": 10.0}
    clearing = plain | {"account_id": books.account("CLR"), "balance": -10.0}
    assert [{name: row[name] for name in fields} for row in found] == [fee, clearing]
    ids = [row["id"] for row in found]
    assert target.call("account.move.line", "read", ids, fields, load=None) == found


def test_the_trial_balance_is_summed_by_the_server(target: Target, books: Books, moves: tuple[str, list[int]]) -> None:
    prefix, _ = moves
    domain = [["ref", "=like", f"{prefix}%"], ["parent_state", "=", "posted"]]
    if books.version < 19:
        rows = target.call("account.move.line", "read_group", domain, ["balance"], ["account_id"])
        sums = {row["account_id"][0]: row["balance"] for row in rows}
    else:
        rows = target.call("account.move.line", "formatted_read_group", domain, ["account_id"], ["balance:sum"])
        sums = {row["account_id"][0]: row["balance:sum"] for row in rows}
    assert sums == {books.account("FEE"): 60.0, books.account("CLR"): -60.0}


def test_the_fields_that_we_rely_on_are_described(target: Target) -> None:
    names = ["state", "amount_residual", "journal_id", "line_ids"]
    found = target.call("account.move", "fields_get", names, ["type", "relation"])
    assert {name: found[name]["type"] for name in names} == {
        "state": "selection",
        "amount_residual": "monetary",
        "journal_id": "many2one",
        "line_ids": "one2many",
    }


def test_a_call_is_one_transaction(target: Target) -> None:
    move = posted(target)
    credit = line_on(target, move, "CLR")
    with pytest.raises(OdooError):
        target.call("account.move", "write", [move], {"ref": key(target, "never"), "date": "2026-13-45"})
    assert not read(target, move, "ref").startswith("never")
    assert target.call("account.move.line", "read", [credit], ["balance"])[0]["balance"] == -10.0
