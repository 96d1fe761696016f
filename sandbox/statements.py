"""Bank statement lines: each posts bank against suspense at once; what follows moves the suspense side.

Odoo keeps no uniqueness here, knows no reconcile method for them in Community, and calls
a line reconciled as soon as no suspense line is left on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import changes, identity, lines, locks, moves, partials, records, undo
from .currency import to_company
from .env import COMPANY, Env
from .failures import beyond_the_sandbox, user_error
from .fields import MICRO
from .posting import post
from .store import Row
from .values import is_empty, stored, to_day

MODEL = "account.bank.statement.line"
_OF_MOVE = ("date", "ref", "narration")
_SYNCED = ("payment_ref", "amount", "amount_currency", "foreign_currency_id", "currency_id", "partner_id")
_LARGEST = 2_147_483_647


def create(env: Env, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    return [_create(env, dict(values)) for values in vals_list]


def _create(env: Env, values: dict[str, Any]) -> int:
    model = env.model(MODEL)
    counterpart = values.pop("counterpart_account_id", None)
    records.check_fields(env, model, values)
    journal = _journal(env, values)
    company_currency = env.company["currency_id"]
    row = records.columns(env, model, values)
    row |= {
        "journal_id": journal["id"],
        "company_id": COMPANY,
        "currency_id": journal["currency_id"] or company_currency,
        "sequence": row.get("sequence") or 1,
        "amount": row.get("amount") or 0,
        "amount_currency": row.get("amount_currency") or 0,
        "payment_ref": row.get("payment_ref"),
        "partner_id": row.get("partner_id"),
        "foreign_currency_id": row.get("foreign_currency_id"),
    }
    day = to_day(values.get("date")) or env.today
    line_id = records.insert(env, model, row)
    line = row | {"id": line_id}
    final = values.get("line_ids")
    commands = list(final) if final else _two_lines(env, journal, line, day, counterpart)
    move_id = _make_move(env, journal, line, values, day, commands)
    env.store.update(model.table, line_id, {"move_id": move_id})
    refresh(env, line_id)
    return line_id


def _journal(env: Env, values: Mapping[str, Any]) -> Row:
    """The named journal, else the first bank journal, silently."""
    if not is_empty(values.get("journal_id")):
        journal = records.need(env, env.model("account.journal"), [int(values["journal_id"])])[0]
    else:
        banks = env.store.where("account_journal", "sequence, id", type="bank", active=1)
        if not banks:
            raise user_error("Please define a bank journal.")
        journal = banks[0]
    if not journal["suspense_account_id"]:
        raise user_error(
            f"You can't create a new statement line without a suspense account set on the {journal['name']} journal."
        )
    return journal


def _two_lines(env: Env, journal: Row, line: Row, day: str, counterpart: Any) -> list[Any]:
    """Bank on one side, suspense (or the account given) on the other."""
    currency = line["currency_id"]
    foreign = line["foreign_currency_id"] or currency
    balance = to_company(env, line["amount"], currency, day)
    other = line["amount_currency"] if line["foreign_currency_id"] else line["amount"]
    common = {"name": line["payment_ref"], "partner_id": line["partner_id"]}
    bank = {
        "account_id": journal["default_account_id"],
        "currency_id": currency,
        "amount_currency": line["amount"] / MICRO,
        "balance": balance / MICRO,
    }
    against = {
        "account_id": counterpart or journal["suspense_account_id"],
        "currency_id": foreign,
        "amount_currency": -other / MICRO,
        "balance": -balance / MICRO,
    }
    return [[0, 0, common | bank], [0, 0, common | against]]


def _make_move(env: Env, journal: Row, line: Row, values: Mapping[str, Any], day: str, commands: list[Any]) -> int:
    violated = locks.violated(env, day, False, journal["type"])
    if violated:  # made today, without a word
        day = locks.accounting_date(env, journal, "entry", day, violated)
    draft = {
        "move_type": "entry",
        "journal_id": journal["id"],
        "date": day,
        "statement_line_id": line["id"],
        "ref": values.get("ref") or False,
        "narration": values.get("narration") or False,
        "currency_id": line["currency_id"],
        "partner_id": line["partner_id"],
        "line_ids": commands,
    }
    move_id = moves.create(env, [draft])[0]
    post(env, env.store.need("account_move", move_id))
    _check_shape(env, move_id, journal)
    return move_id


def _check_shape(env: Env, move_id: int, journal: Row) -> None:
    found = [row for row in lines.of_move(env, move_id) if row["account_id"] == journal["default_account_id"]]
    if len(found) != 1:
        move = env.store.need("account_move", move_id)
        raise user_error(
            f"The journal entry {move['name']} reached an invalid state regarding its related statement line.\n"
            "To be consistent, the journal entry must always have exactly one journal item involving the "
            "bank/cash account."
        )


def refresh(env: Env, line_id: int) -> None:
    """Whether it counts as reconciled: no suspense line is left, which does not mean that anything is paid."""
    line = env.store.need("account_bank_statement_line", line_id)
    journal = env.store.need("account_journal", line["journal_id"])
    move = env.store.need("account_move", line["move_id"])
    account = env.store.need("account_account", journal["suspense_account_id"])
    residual = 0
    for row in lines.of_move(env, move["id"]):
        if row["account_id"] == account["id"]:
            residual += row["amount_residual_currency"] if account["reconcile"] else row["amount_currency"]
    index = f"{move['date'].replace('-', '')}{_LARGEST - line['sequence']:010d}{line_id:010d}"
    values = {"amount_residual": residual, "is_reconciled": int(not residual), "internal_index": index}
    env.store.update("account_bank_statement_line", line_id, values)


def refresh_of_moves(env: Env, move_ids: Sequence[int]) -> None:
    """After lines changed: the statement lines of those entries."""
    for move_id in dict.fromkeys(move_ids):
        line_id = env.store.one("SELECT statement_line_id FROM account_move WHERE id = ?", (move_id,))
        if line_id:
            refresh(env, line_id)


def refresh_of_lines(env: Env, line_ids: Sequence[int]) -> None:
    """The same by those entries' lines."""
    found = env.store.get_all("account_move_line", line_ids).values()
    refresh_of_moves(env, [line["move_id"] for line in found])


def write(env: Env, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    """What the bank said is written through to the entry; a reconciled line refuses, but not its date."""
    model = env.model(MODEL)
    records.check_fields(env, model, values)
    for line in records.need(env, model, ids):
        move = env.store.need("account_move", line["move_id"])
        if not is_empty(values.get("line_ids")):
            _write_lines(env, move, values["line_ids"])
        changed = [
            name
            for name in _SYNCED
            if name in values and stored(env, model, name, model.fields[name], values[name]) != line[name]
        ]
        if changed:
            _check_changeable(env, move, line)
        columns = records.columns(env, model, values)
        records.update(env, model, line["id"], columns)
        of_move = {name: values[name] for name in _OF_MOVE if name in values}
        if of_move:
            _redate(env, move, of_move)
        if changed:
            _rebuild(env, line | columns, move)
        refresh(env, line["id"])
    return True


def _write_lines(env: Env, move: Row, commands: Any) -> None:
    relaxed = env.with_context(skip_readonly_check=True)
    changes.write(relaxed, [move["id"]], {"line_ids": commands})


def _redate(env: Env, move: Row, values: Mapping[str, Any]) -> None:
    if "date" in values:
        journal = env.store.need("account_journal", move["journal_id"])
        locks.check_open(env, to_day(values["date"]) or env.today, False, journal["type"])
    changes.write(env.with_context(skip_readonly_check=True), [move["id"]], values)


def _others(env: Env, move: Row, line: Row) -> list[Row]:
    """The entry's lines that are neither bank nor suspense."""
    journal = env.store.need("account_journal", line["journal_id"])
    own = (journal["default_account_id"], journal["suspense_account_id"])
    return [row for row in lines.of_move(env, move["id"]) if row["account_id"] not in own]


def _check_changeable(env: Env, move: Row, line: Row) -> None:
    others = _others(env, move, line)
    if env.version >= 19 and others:
        raise user_error(changes.CANNOT_DELETE)
    if partials.is_matched(env, [row["id"] for row in others]):
        raise partials.still_matched(move)


def _rebuild(env: Env, line: Row, move: Row) -> None:
    """Bring the entry in step with the line: bank and suspense again, in place where they are."""
    journal = env.store.need("account_journal", line["journal_id"])
    wanted = [command[2] for command in _two_lines(env, journal, line, move["date"], None)]
    found = lines.of_move(env, move["id"])
    for account_id, values in zip((journal["default_account_id"], journal["suspense_account_id"]), wanted, strict=True):
        same = [row for row in found if row["account_id"] == account_id]
        if same:
            lines.change(env, move, same[0], values)
        else:
            lines.add(env, move, values)
    lines.remove(env, [row["id"] for row in _others(env, move, line)])
    commercial = moves.commercial_partner(env, line["partner_id"])
    of_move = {"partner_id": line["partner_id"], "commercial_partner_id": commercial}
    env.store.update("account_move", move["id"], of_move)
    moves.follow(env, move)


def unlink(env: Env, ids: Sequence[int]) -> bool:
    """18 refuses while something is matched; 19 deletes and silently reopens what was matched."""
    for line in records.need(env, env.model(MODEL), ids):
        move = env.store.need("account_move", line["move_id"])
        rows = lines.of_move(env, move["id"])
        if env.version < 19 and partials.is_matched(env, [row["id"] for row in rows]):
            raise partials.still_matched(move)
        undo.remove(env, [row["id"] for row in rows])
        env.store.delete("account_bank_statement_line", [line["id"]])
        identity.forget(env, MODEL, [line["id"]])
        changes.unlink(env, [move["id"]], force=True)
    return True


def action_undo_reconciliation(env: Env, ids: Sequence[int]) -> None:
    """Back to bank and suspense: matches are undone and the lines are made anew."""
    for line in records.need(env, env.model(MODEL), ids):
        move = env.store.need("account_move", line["move_id"])
        rows = lines.of_move(env, move["id"])
        undo.remove(env, [row["id"] for row in rows])
        lines.remove(env, [row["id"] for row in rows])
        journal = env.store.need("account_journal", line["journal_id"])
        for command in _two_lines(env, journal, line, move["date"], None):
            lines.add(env, move, command[2])
        refresh(env, line["id"])


def create_statements(env: Env, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """A statement takes its journal from its lines; balances that do not meet are kept, not refused."""
    model = env.model("account.bank.statement")
    made = []
    for values in vals_list:
        records.check_fields(env, model, values)
        statement_id = records.create(env, model, {name: value for name, value in values.items() if name != "line_ids"})
        for command in records.commands(values.get("line_ids")):
            if command[0] == 0:
                create(env, [command[2] | {"statement_id": statement_id}])
            elif command[0] != 5:
                raise beyond_the_sandbox("statements made of lines that were there before")
        _describe(env, statement_id)
        made.append(statement_id)
    return made


def _describe(env: Env, statement_id: int) -> None:
    found = env.store.where("account_bank_statement_line", "internal_index DESC", statement_id=statement_id)
    if found:
        day = env.store.one("SELECT date FROM account_move WHERE id = ?", (found[0]["move_id"],))
        statement = env.store.need("account_bank_statement", statement_id)
        values = {name: found[0][name] for name in ("journal_id", "currency_id")}
        env.store.update("account_bank_statement", statement_id, values | {"date": statement["date"] or day})
