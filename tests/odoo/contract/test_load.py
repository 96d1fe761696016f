"""`load` with external ids: what makes posting safe to repeat, and its traps."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooError, OdooMalformed, OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import (
    ENTRY_FIELDS,
    MODULE,
    entry_rows,
    key,
    lines_of,
    load,
    post,
    read,
)
from tests.odoo.contract.target import Target


def _reference(target: Target, name: str) -> Any:
    return target.call("ir.model.data", "check_object_reference", MODULE, name)


def _is_absent(target: Target, name: str) -> bool:
    """No look-up gives an id. After a refused batch Odoo's cache may also say `[model, false]`: it does not know."""
    try:
        return _reference(target, name)[1] is False
    except OdooMalformed:
        return True


def _without_line_ids(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    at = ENTRY_FIELDS.index("line_ids/id")
    return ENTRY_FIELDS[:at] + ENTRY_FIELDS[at + 1 :], [row[:at] + row[at + 1 :] for row in rows]


def test_a_loaded_entry_is_found_by_its_external_id_without_the_right_to_read_external_ids(target: Target) -> None:
    name = key(target)
    answer = load(target, entry_rows(target, name))
    assert answer == {"ids": answer["ids"], "messages": [], "nextrow": 0}
    move = answer["ids"][0]
    assert _reference(target, name) == ["account.move", move]
    assert target.call("account.move", "get_external_id", [move]) == {str(move): f"{MODULE}.{name}"}
    assert read(target, move, "state", "ref") == {"state": "draft", "ref": name}


def test_an_unknown_external_id_is_a_value_error(target: Target) -> None:
    with pytest.raises(OdooMalformed) as unknown:
        _reference(target, key(target, "nope"))
    assert unknown.value.name == "builtins.ValueError"
    assert unknown.value.message.startswith("External ID not found in the system: ")


def test_loading_a_draft_again_updates_it_in_place_when_its_lines_have_ids(target: Target) -> None:
    name = key(target)
    first = load(target, entry_rows(target, name))["ids"]
    before = [row["id"] for row in lines_of(target, first[0], "id")]
    assert load(target, entry_rows(target, name, "12.0"))["ids"] == first
    after = lines_of(target, first[0], "balance")
    assert [row["id"] for row in after] == before
    assert [row["balance"] for row in after] == [12.0, -12.0]


def test_loading_a_draft_again_without_line_ids_doubles_its_lines(target: Target) -> None:
    fields, rows = _without_line_ids(entry_rows(target, key(target)))
    first = load(target, rows, fields)["ids"]
    assert load(target, rows, fields)["ids"] == first
    assert [row["balance"] for row in lines_of(target, first[0], "balance")] == [10.0, -10.0, 10.0, -10.0]


def test_loading_a_posted_entry_again_is_refused_in_words_alone_and_changes_nothing(target: Target) -> None:
    name = key(target)
    move = load(target, entry_rows(target, name))["ids"][0]
    post(target, move)
    answer = load(target, entry_rows(target, name, "12.0"))
    assert answer["ids"] is False
    (message,) = answer["messages"]
    assert (message["type"], message["record"], message["rows"]) == ("error", 0, {"from": 0, "to": 1})
    assert message["message"].startswith("You cannot modify the following readonly fields on a posted move: date")
    assert [row["balance"] for row in lines_of(target, move, "balance")] == [10.0, -10.0]


def test_an_unbalanced_entry_is_refused_in_words_alone(target: Target) -> None:
    name = key(target)
    answer = load(target, entry_rows(target, name, "10.0", credit="9.0"))
    assert answer["ids"] is False
    assert "not balanced" in answer["messages"][0]["message"]
    assert _is_absent(target, name)


def test_a_batch_with_one_bad_entry_loads_none(target: Target) -> None:
    good, bad = key(target, "good"), key(target, "bad")
    answer = load(target, entry_rows(target, good) + entry_rows(target, bad, "10.0", credit="9.0"))
    assert answer["ids"] is False
    assert 1 in {message["record"] for message in answer["messages"]}
    assert _is_absent(target, good)


def test_a_batch_with_one_posted_entry_loads_none_and_says_which(target: Target) -> None:
    done, new = key(target, "done"), key(target, "new")
    post(target, load(target, entry_rows(target, done))["ids"][0])
    answer = load(target, entry_rows(target, done) + entry_rows(target, new))
    assert answer["ids"] is False
    assert [message["record"] for message in answer["messages"]] == [0]
    assert _is_absent(target, new)


def test_several_entries_are_loaded_and_posted_in_their_order(target: Target) -> None:
    names = [key(target) for _ in range(5)]
    answer = load(target, [row for name in names for row in entry_rows(target, name)])
    assert [read(target, move, "ref") for move in answer["ids"]] == names
    assert post(target, *answer["ids"]) is False
    assert {read(target, move, "state") for move in answer["ids"]} == {"posted"}


def test_an_unknown_column_is_our_mistake(target: Target) -> None:
    rows = [[*row, "1"] for row in entry_rows(target, key(target))]
    with pytest.raises(OdooMalformed) as unknown:
        load(target, rows, [*ENTRY_FIELDS, "nosuch"])
    assert unknown.value.name == "builtins.ValueError"


def test_an_entry_cannot_be_loaded_as_posted(target: Target) -> None:
    fields = [*ENTRY_FIELDS[:5], "state", *ENTRY_FIELDS[5:]]
    rows = entry_rows(target, key(target))
    rows = [[*rows[0][:5], "posted", *rows[0][5:]], [*rows[1][:5], "", *rows[1][5:]]]
    answer = load(target, rows, fields)
    assert answer["ids"] is False
    assert "already in the posted state" in answer["messages"][0]["message"]


@pytest.mark.parametrize("cell, word", [("99999999", "No matching record"), ("abc", "")])
def test_a_cell_that_names_nothing_is_refused_in_words_alone(target: Target, cell: str, word: str) -> None:
    rows = entry_rows(target, key(target))
    rows[0][ENTRY_FIELDS.index("line_ids/account_id/.id")] = cell
    answer = load(target, rows)
    assert answer["ids"] is False
    assert word in answer["messages"][0]["message"]


def test_accounts_may_be_named_by_code(target: Target, books: Books) -> None:
    fields = [name.replace("line_ids/account_id/.id", "line_ids/account_id") for name in ENTRY_FIELDS]
    rows = entry_rows(target, key(target))
    at = fields.index("line_ids/account_id")
    rows[0][at], rows[1][at] = "621000", "124100"
    move = load(target, rows, fields)["ids"][0]
    accounts = [row["account_id"][0] for row in lines_of(target, move, "account_id")]
    assert accounts == [books.account("FEE"), books.account("CLR")]


INVOICE_FIELDS = [
    "id",
    "move_type",
    "journal_id/.id",
    "partner_id/.id",
    "currency_id/.id",
    "invoice_date",
    "date",
    "ref",
    "invoice_line_ids/id",
    "invoice_line_ids/account_id/.id",
    "invoice_line_ids/name",
    "invoice_line_ids/quantity",
    "invoice_line_ids/price_unit",
    "invoice_line_ids/tax_ids/.id",
]


def _invoice_rows(target: Target, name: str, tax: Any, prices: tuple[str, ...] = ("100", "50")) -> list[list[Any]]:
    books = target.books
    partner, currency = books.partners["Ada Archer"], books.currencies["USD"]
    head = [f"{MODULE}.{name}", "out_invoice", books.journal("SAL"), partner, currency, books.day, books.day, name]
    rows = []
    for number, price in enumerate(prices, start=1):
        start = [str(cell) for cell in head] if number == 1 else [""] * len(head)
        cells = [f"{MODULE}.{name}_l{number}", str(books.account("REV")), "thing", "1", price, tax]
        rows.append([*start, *cells])
    return rows


def test_an_invoice_is_loaded_with_its_taxes_and_again_in_place(target: Target, books: Books) -> None:
    name, tax = key(target), str(books.taxes["SALES_TAX"])
    move = load(target, _invoice_rows(target, name, tax), INVOICE_FIELDS)["ids"][0]
    assert read(target, move, "amount_untaxed", "amount_tax") == {"amount_untaxed": 150.0, "amount_tax": 12.0}
    before = [row["id"] for row in lines_of(target, move, "id")]
    assert load(target, _invoice_rows(target, name, tax), INVOICE_FIELDS)["ids"] == [move]
    assert [row["id"] for row in lines_of(target, move, "id")] == before


def test_an_empty_tax_cell_means_no_tax(target: Target) -> None:
    move = load(target, _invoice_rows(target, key(target), ""), INVOICE_FIELDS)["ids"][0]
    assert read(target, move, "amount_tax") == 0.0


def test_cells_must_be_text(target: Target, books: Books) -> None:
    rows = _invoice_rows(target, key(target), books.taxes["SALES_TAX"])
    with pytest.raises(OdooMalformed) as malformed:
        load(target, rows, INVOICE_FIELDS)
    assert malformed.value.name == "builtins.AttributeError"


LINE_FIELDS = ["id", "journal_id/.id", "date", "payment_ref", "amount", "partner_id/.id"]


def test_a_statement_line_is_loaded_once_and_updated_until_it_is_reconciled(target: Target, books: Books) -> None:
    name = key(target)
    row = [f"{MODULE}.{name}", str(books.journal("BNK")), books.day, name, "100", str(books.partners["Ada Archer"])]
    first = load(target, [row], LINE_FIELDS, "account.bank.statement.line")["ids"]
    row[4] = "101"
    assert load(target, [row], LINE_FIELDS, "account.bank.statement.line")["ids"] == first
    assert read(target, first[0], "amount", model="account.bank.statement.line") == 101.0


def test_an_external_id_is_unique_in_the_database(target: Target) -> None:
    name = key(target)
    move = load(target, entry_rows(target, name))["ids"][0]
    values = {"module": MODULE, "name": name, "model": "account.move", "res_id": move}
    with pytest.raises(OdooRefused) as refused:
        target.as_admin("ir.model.data", "create", values)
    assert "ir_model_data_module_name_uniq_index" in refused.value.message


def test_a_deleted_draft_frees_its_external_id(target: Target) -> None:
    name = key(target)
    first = load(target, entry_rows(target, name))["ids"][0]
    target.call("account.move", "unlink", [first])
    with pytest.raises(OdooError):
        _reference(target, name)
    assert load(target, entry_rows(target, name))["ids"][0] > first


def test_every_delivery_of_a_key_ends_as_one_posted_entry(target: Target) -> None:
    """The pattern of exactly once: look up, load, read, post; whoever comes second finds it done."""
    name = key(target)

    def deliver() -> int:
        try:
            move = int(_reference(target, name)[1])
        except OdooMalformed:
            move = int(load(target, entry_rows(target, name))["ids"][0])
        if read(target, move, "state") == "draft":
            post(target, move)
        return move

    assert len({deliver() for _ in range(3)}) == 1
    found = target.call("account.move", "search_read", [["ref", "=", name]], ["state", "line_ids"])
    assert [(move["state"], len(move["line_ids"])) for move in found] == [("posted", 2)]
