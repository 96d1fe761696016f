"""Journal entries: made, refused, posted, numbered, undone."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooMalformed, OdooMissing, OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import entry, key, line, lines_of, post, posted, read
from tests.odoo.contract.target import Target

NOBODY = 99_999_999


def test_posting_answers_false_and_numbers_the_entry_by_journal_and_month(target: Target, books: Books) -> None:
    move = entry(target)
    assert read(target, move, "name", "state") == {"name": False, "state": "draft"}
    assert post(target, move) is False
    name = read(target, move, "name")
    assert name.startswith(f"STRP/{books.day[:4]}/{books.day[5:7]}/")
    assert read(target, move, "state", "date", "payment_state", "amount_total") == {
        "state": "posted",
        "date": books.day,
        "payment_state": "not_paid",
        "amount_total": 10.0,
    }


def test_posting_again_is_refused_so_a_retry_is_safe(target: Target) -> None:
    move = posted(target)
    with pytest.raises(OdooRefused) as refused:
        post(target, move)
    assert refused.value.name == "odoo.exceptions.UserError"
    assert "must be in draft" in refused.value.message


def test_numbers_have_no_gap_and_follow_date_then_reference(target: Target) -> None:
    first, second, third = (entry(target, ref=key(target, word)) for word in ("b", "a", "c"))
    post(target, first, second, third)
    numbers = [read(target, move, "sequence_number") for move in (second, first, third)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


REFUSED: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("no such field", {"nosuch": 1}, OdooMalformed),
    ("a day that does not exist", {"date": "2026-13-45"}, OdooMalformed),
    ("an unknown kind", {"move_type": "bogus"}, OdooMalformed),
    ("a journal that does not exist", {"journal_id": NOBODY}, OdooMissing),
    ("a currency that does not exist", {"currency_id": NOBODY}, OdooRefused),
    ("already posted", {"state": "posted"}, OdooRefused),
]


@pytest.mark.parametrize("values, error", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_wrong_document_is_refused_when_it_is_made(
    target: Target, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        entry(target, **values)


WRONG_LINES: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("unbalanced", {"debit": 9.0}, OdooRefused),
    ("debit and credit at once", {"debit": 10.0, "credit": 10.0}, OdooRefused),
    ("no such field", {"nosuch": 1}, OdooMalformed),
    ("not a number", {"debit": "abc"}, OdooMalformed),
    ("no account", {"account_id": False}, OdooRefused),
    ("an account that does not exist", {"account_id": NOBODY}, OdooRefused),
]


@pytest.mark.parametrize("values, error", [row[1:] for row in WRONG_LINES], ids=[row[0] for row in WRONG_LINES])
def test_a_wrong_line_is_refused_when_it_is_made(
    target: Target, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        entry(target, line(target, "FEE", 10.0, **values), line(target, "CLR", -10.0))


def test_a_batch_with_one_bad_entry_makes_none(target: Target, books: Books) -> None:
    ref = key(target, "batch")
    good = {
        "move_type": "entry",
        "journal_id": books.journal("PSP"),
        "date": books.day,
        "ref": ref,
        "line_ids": [line(target, "FEE", 10.0), line(target, "CLR", -10.0)],
    }
    bad = good | {"line_ids": [line(target, "FEE", 10.0), line(target, "CLR", -9.0)]}
    with pytest.raises(OdooRefused):
        target.call("account.move", "create", [good, good, bad])
    assert target.call("account.move", "search_count", [["ref", "=", ref]]) == 0
    assert len(target.call("account.move", "create", [good, good])) == 2


def test_a_batch_with_one_bad_entry_posts_none(target: Target, books: Books) -> None:
    good, empty = entry(target), entry(target, line_ids=[])
    with pytest.raises(OdooRefused):
        post(target, good, empty)
    assert [read(target, move, "state") for move in (good, empty)] == ["draft", "draft"]


def test_a_third_decimal_is_rounded_half_up_without_a_word(target: Target) -> None:
    move = entry(target, line(target, "FEE", 10.005), line(target, "CLR", -10.005))
    assert [row["balance"] for row in lines_of(target, move, "balance")] == [10.01, -10.01]


def test_an_entry_of_zero_posts(target: Target) -> None:
    move = posted(target, line(target, "FEE", 0.0), line(target, "CLR", 0.0))
    assert read(target, move, "state") == "posted"


def test_an_entry_dated_in_the_future_posts_at_once(target: Target, books: Books) -> None:
    later = f"{books.today.year + 1}-03-01"
    move = posted(target, date=later)
    assert read(target, move, "state", "date") == {"state": "posted", "date": later}


def test_posting_what_does_not_exist_is_missing_and_reading_it_is_empty(target: Target) -> None:
    with pytest.raises(OdooMissing):
        post(target, NOBODY)
    assert target.call("account.move", "read", [NOBODY], ["name"]) == []


def test_an_inactive_currency_is_noticed_when_posting(target: Target, books: Books) -> None:
    move = entry(target, currency_id=books.inactive_currency)
    with pytest.raises(OdooRefused, match="UserError") as refused:
        post(target, move)
    assert "inactive currency" in refused.value.message


def test_lines_in_an_inactive_currency_without_an_amount_in_it_post_without_a_word(
    target: Target, books: Books
) -> None:
    other: dict[str, Any] = {"currency_id": books.inactive_currency}
    move = posted(target, line(target, "FEE", 10.0, **other), line(target, "DSP", -10.0, **other))
    found = lines_of(target, move, "balance", "amount_currency")
    assert [(row["balance"], row["amount_currency"]) for row in found] == [(10.0, 0.0), (-10.0, 0.0)]


def test_only_an_amount_in_currency_is_converted_at_the_rate_of_odoo(target: Target, books: Books) -> None:
    euro = books.currencies["EUR"]
    fee = [0, 0, {"account_id": books.account("FEE"), "currency_id": euro, "amount_currency": 50.0}]
    clearing = [0, 0, {"account_id": books.account("CLR", "EUR"), "currency_id": euro, "amount_currency": -50.0}]
    move = entry(target, fee, clearing)
    assert [row["balance"] for row in lines_of(target, move, "balance")] == [55.0, -55.0]


def test_our_own_balance_is_kept_beside_an_amount_in_currency(target: Target, books: Books) -> None:
    euro: dict[str, Any] = {"currency_id": books.currencies["EUR"]}
    move = entry(
        target,
        line(target, "FEE", 54.45, amount_currency=50.0, **euro),
        line(target, "DSP", -54.45, amount_currency=-50.0, **euro),
    )
    found = lines_of(target, move, "balance", "amount_currency")
    assert [(row["balance"], row["amount_currency"]) for row in found] == [(54.45, 50.0), (-54.45, -50.0)]


def test_an_amount_in_currency_of_the_wrong_sign_is_refused(target: Target, books: Books) -> None:
    euro = books.currencies["EUR"]
    with pytest.raises(OdooRefused) as refused:
        entry(target, line(target, "FEE", 10.0, currency_id=euro, amount_currency=-20.0), line(target, "CLR", -10.0))
    assert refused.value.name == "odoo.exceptions.ValidationError"


@pytest.mark.parametrize("change", [{"date": "2026-09-01"}, {"line_ids": [[5]]}, {"partner_id": False}])
def test_a_posted_entry_is_not_changed(target: Target, change: dict[str, Any]) -> None:
    move = posted(target)
    with pytest.raises(OdooRefused) as refused:
        target.call("account.move", "write", [move], change)
    assert f"readonly fields on a posted move: {next(iter(change))}" in refused.value.message


def test_the_reference_of_a_posted_entry_may_be_changed(target: Target) -> None:
    move = posted(target)
    later = key(target, "late")
    assert target.call("account.move", "write", [move], {"ref": later}) is True
    assert read(target, move, "ref") == later


def test_a_posted_entry_is_not_deleted_and_a_draft_is(target: Target) -> None:
    done, draft = posted(target), entry(target)
    with pytest.raises(OdooRefused):
        target.call("account.move", "unlink", [done])
    assert target.call("account.move", "unlink", [draft]) is True
    assert target.call("account.move", "search_count", [["id", "in", [done, draft]]]) == 1


def test_draft_and_cancel_keep_the_number_and_a_cancelled_entry_is_not_posted(target: Target) -> None:
    move = posted(target)
    name = read(target, move, "name")
    assert target.call("account.move", "button_draft", [move]) is None
    assert target.call("account.move", "button_cancel", [move]) is None
    assert read(target, move, "name", "state") == {"name": name, "state": "cancel"}
    with pytest.raises(OdooRefused):
        post(target, move)
    assert target.call("account.move", "unlink", [move]) is True


def test_an_entry_reset_to_draft_is_posted_under_its_old_number(target: Target) -> None:
    move = posted(target)
    name = read(target, move, "name")
    target.call("account.move", "button_draft", [move])
    post(target, move)
    assert read(target, move, "name") == name


def test_nothing_makes_a_reference_unique(target: Target) -> None:
    ref = key(target, "same")
    post(target, entry(target, ref=ref), entry(target, ref=ref))
    assert target.call("account.move", "search_count", [["ref", "=", ref], ["state", "=", "posted"]]) == 2


def test_a_name_of_our_own_is_unique_among_posted_and_hijacks_the_numbers(target: Target, books: Books) -> None:
    code = f"C{books.run[-4:]}"
    found = target.as_admin("account.journal", "search", [["code", "=", code]])
    values = {"name": f"Contract {books.run}", "code": code, "type": "general"}
    journal = found[0] if found else target.as_admin("account.journal", "create", values)
    own = f"{key(target, 'EXT')}/{books.day[:4]}/0001".replace("_", "X")
    assert read(target, posted(target, journal_id=journal, name=own), "name") == own
    second = entry(target, journal_id=journal, name=own)
    with pytest.raises(OdooRefused) as refused:
        post(target, second)
    assert refused.value.name == "odoo.exceptions.ValidationError"
    following = read(target, posted(target, journal_id=journal), "name")
    assert following == own[:-1] + "2"
    target.call("account.move", "button_cancel", [second])


def test_an_account_with_a_currency_of_its_own_takes_no_other(target: Target, books: Books) -> None:
    euro_clearing = books.account("CLR", "EUR")
    with pytest.raises(OdooRefused):
        entry(target, line(target, "FEE", 10.0), line(target, "CLR", -10.0, account_id=euro_clearing))


def test_an_entry_is_accepted_in_a_sale_journal(target: Target, books: Books) -> None:
    """So the journal's type is ours to check."""
    assert read(target, posted(target, journal_id=books.journal("SAL")), "state") == "posted"
