"""Matching journal items: partials, full reconciliation, and the exchange entries that Odoo makes of its own.

Two lines in one foreign currency are matched in that currency, each at the rate it is
carried at; what then remains in the company's currency goes to the exchange accounts.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import documents, exchange, lines, records
from .currency import digits_of, rate_at
from .env import COMPANY, Env
from .failures import user_error
from .naming import display_names
from .store import Row
from .values import round_micro, units

ALREADY = "You are trying to reconcile some entries that are already reconciled."
RECONCILED = (
    "You cannot do this modification on a reconciled journal entry. "
    "You can just change some non legal fields or you must unreconcile first."
)


def reconcile(env: Env, ids: Sequence[int]) -> None:
    """`account.move.line.reconcile`: match what is open among the lines of one account."""
    found = records.need(env, env.model(lines.MODEL), ids)
    _check(env, found)
    match(env, found)


def _check(env: Env, found: list[Row]) -> None:
    if any(line["reconciled"] for line in found):
        raise user_error(ALREADY)
    if env.version < 19 and any(line["parent_state"] != "posted" for line in found):  # 19 matches drafts, too
        raise user_error("You can only reconcile posted entries.")
    account_ids = list(dict.fromkeys(line["account_id"] for line in found))
    names = display_names(env, "account.account", account_ids)
    if len(account_ids) > 1:
        listed = ", ".join(names[account_id] for account_id in account_ids)
        raise user_error(f"Entries are not from the same account: {listed}")
    for account_id in account_ids:
        account = env.store.need("account_account", account_id)
        if not account["reconcile"] and account["account_type"] not in lines.CASH_ACCOUNTS:
            raise user_error(
                f"Account {names[account_id]} does not allow reconciliation. "
                "First change the configuration of this account to allow it."
            )


def match(env: Env, found: list[Row]) -> None:
    """Match within each currency first, oldest due first, then what is left across currencies."""
    ordered = sorted(
        found, key=lambda line: (line["date_maturity"] or line["date"], line["currency_id"], line["amount_currency"])
    )
    by_currency: dict[int, list[Row]] = defaultdict(list)
    for line in ordered:
        by_currency[line["currency_id"]].append(line)
    partials: list[int] = []
    for group in by_currency.values():
        partials += _match_all(env, group)
    if len(by_currency) > 1:
        partials += _match_all(env, ordered)
    if partials:
        conclude(env, partials)


@dataclass(slots=True)
class Pairing:
    """How much two lines settle of each other; `gap`s are what remains in the company's currency alone."""

    amount: int
    debit_currency_amount: int
    credit_currency_amount: int
    debit_gap: int = 0
    credit_gap: int = 0


def _match_all(env: Env, group: list[Row]) -> list[int]:
    debits = deque(line for line in group if _open_side(line) > 0)
    credits_ = deque(line for line in group if _open_side(line) < 0)
    partials = []
    while debits and credits_:
        debit, credit = debits[0], credits_[0]
        pairing = _pair(env, debit, credit)
        if pairing is None:
            break
        partials.append(_apply(env, debit, credit, pairing))
        if not _open_side(debit):
            debits.popleft()
        if not _open_side(credit):
            credits_.popleft()
        if not (pairing.amount or pairing.debit_currency_amount or pairing.credit_currency_amount):
            break
    return partials


def _open_side(line: Row) -> int:
    """Above zero for a debit that is open, below for a credit; currency first, as it decides."""
    return int(line["amount_residual_currency"] or line["amount_residual"])


def _pair(env: Env, debit: Row, credit: Row) -> Pairing | None:
    company = env.company["currency_id"]
    if debit["currency_id"] == credit["currency_id"]:
        currency = debit["currency_id"]
        if currency == company or not (debit["amount_residual_currency"] and credit["amount_residual_currency"]):
            amount = min(debit["amount_residual"], -credit["amount_residual"])
            return Pairing(amount, amount, amount) if currency == company else Pairing(amount, 0, 0)
        return _pair_foreign(env, debit, credit, debit["amount_residual_currency"], -credit["amount_residual_currency"])
    return _pair_mixed(env, debit, credit, company)


def _pair_foreign(env: Env, debit: Row, credit: Row, debit_open: int, credit_open: int) -> Pairing:
    """Both in one foreign currency: the smaller open amount is settled, at each line's carrying rate."""
    settled = min(debit_open, credit_open)
    debit_share = _share(env, debit["amount_residual"], debit_open, settled)
    credit_share = _share(env, -credit["amount_residual"], credit_open, settled)
    amount = min(debit_share, credit_share)
    return Pairing(amount, settled, settled, debit_share - amount, -(credit_share - amount))


def _share(env: Env, carried: int, open_amount: int, settled: int) -> int:
    """The part of a carried balance that a settled part of its currency amount stands for."""
    if settled == open_amount:
        return carried
    exact = units(carried) * units(settled) / units(open_amount)
    return min(carried, round_micro(exact, digits_of(env, env.company["currency_id"])))


def _pair_mixed(env: Env, debit: Row, credit: Row, company: int) -> Pairing | None:
    """Different currencies: the company-currency side is converted at the rate of its own day."""
    foreign = debit if debit["currency_id"] != company else credit
    plain = credit if foreign is debit else debit
    if plain["currency_id"] != company:  # two foreign currencies: the balances decide
        amount = min(debit["amount_residual"], -credit["amount_residual"])
        return Pairing(
            amount,
            _share(env, debit["amount_residual_currency"], debit["amount_residual"], amount),
            _share(env, -credit["amount_residual_currency"], -credit["amount_residual"], amount),
        )
    rate = rate_at(env, foreign["currency_id"], plain["date"])
    digits = digits_of(env, foreign["currency_id"])
    plain_open = round_micro(units(abs(plain["amount_residual"])) * rate, digits)
    foreign_open = abs(foreign["amount_residual_currency"])
    settled = min(plain_open, foreign_open)
    if not settled:
        return None
    foreign_share = _share(env, abs(foreign["amount_residual"]), foreign_open, settled)
    plain_share = _share(env, abs(plain["amount_residual"]), plain_open, settled)
    amount = min(foreign_share, plain_share)
    if foreign is debit:
        return Pairing(amount, settled, amount, foreign_share - amount, -(plain_share - amount))
    return Pairing(amount, amount, settled, plain_share - amount, -(foreign_share - amount))


def _apply(env: Env, debit: Row, credit: Row, pairing: Pairing) -> int:
    """Record the partial and lower what is open on both lines; gaps become an exchange entry."""
    partial_id = insert_partial(env, debit, credit, pairing)
    gaps = [(line, gap) for line, gap in ((debit, pairing.debit_gap), (credit, pairing.credit_gap)) if gap]
    if gaps:
        exchange_id = exchange.book(env, gaps, max(debit["date"], credit["date"]))
        if exchange_id is not None:
            env.store.update("account_partial_reconcile", partial_id, {"exchange_move_id": exchange_id})
    return partial_id


def insert_partial(env: Env, debit: Row, credit: Row, pairing: Pairing) -> int:
    partial_id = env.store.insert(
        "account_partial_reconcile",
        {
            "debit_move_id": debit["id"],
            "credit_move_id": credit["id"],
            "amount": pairing.amount,
            "debit_amount_currency": pairing.debit_currency_amount,
            "credit_amount_currency": pairing.credit_currency_amount,
            "debit_currency_id": debit["currency_id"],
            "credit_currency_id": credit["currency_id"],
            "company_id": COMPANY,
            "max_date": max(debit["date"], credit["date"]),
            "create_date": env.stamp,
            "write_date": env.stamp,
        },
    )
    _lower(env, debit, pairing.amount, pairing.debit_currency_amount)
    _lower(env, credit, -pairing.amount, -pairing.credit_currency_amount)
    return partial_id


def _lower(env: Env, line: Row, amount: int, amount_currency: int) -> None:
    line["amount_residual"] -= amount
    line["amount_residual_currency"] -= amount_currency
    line["reconciled"] = int(not line["amount_residual"] and not line["amount_residual_currency"])
    names = ("amount_residual", "amount_residual_currency", "reconciled")
    env.store.update("account_move_line", line["id"], {name: line[name] for name in names})


def conclude(env: Env, partial_ids: Iterable[int]) -> None:
    """Number what is matched, close what is matched in full, and refresh the documents."""
    seen: set[int] = set()
    moves: set[int] = set()
    for partial_id in partial_ids:
        partial = env.store.need("account_partial_reconcile", partial_id)
        if partial["debit_move_id"] in seen:
            continue
        group, links = _component(env, partial["debit_move_id"])
        seen |= group
        rows = env.store.get_all("account_move_line", sorted(group))
        moves |= {row["move_id"] for row in rows.values()}
        if all(row["reconciled"] for row in rows.values()):
            _close(env, rows.values(), links)
        else:
            for line_id in group:
                env.store.update("account_move_line", line_id, {"matching_number": f"P{min(links)}"})
    for move_id in sorted(moves):
        documents.refresh(env, move_id)


def _component(env: Env, line_id: int) -> tuple[set[int], set[int]]:
    """All lines that partials join with this one, and those partials."""
    group, links, waiting = {line_id}, set(), [line_id]
    while waiting:
        current = waiting.pop()
        rows = env.store.rows(
            "SELECT id, credit_move_id AS other FROM account_partial_reconcile WHERE debit_move_id = ?"
            " UNION ALL SELECT id, debit_move_id FROM account_partial_reconcile WHERE credit_move_id = ?",
            (current, current),
        )
        for row in rows:
            links.add(row["id"])
            if row["other"] not in group:
                group.add(row["other"])
                waiting.append(row["other"])
    return group, links


def _close(env: Env, rows: Iterable[Row], links: Iterable[int]) -> None:
    full_id = env.store.insert("account_full_reconcile", {"create_date": env.stamp, "write_date": env.stamp})
    for row in rows:
        values = {"full_reconcile_id": full_id, "matching_number": str(full_id)}
        env.store.update("account_move_line", row["id"], values)
    for partial_id in links:
        env.store.update("account_partial_reconcile", partial_id, {"full_reconcile_id": full_id})


def is_matched(env: Env, line_ids: Iterable[int]) -> bool:
    """Whether any of the lines has a partial."""
    return any(
        env.store.one(
            "SELECT 1 FROM account_partial_reconcile WHERE debit_move_id = ? UNION ALL"
            " SELECT 1 FROM account_partial_reconcile WHERE credit_move_id = ? LIMIT 1",
            (line_id, line_id),
        )
        for line_id in line_ids
    )


def reconcile_reversal(env: Env, origin_id: int, reverse_id: int) -> None:
    """A credit note is netted with its document at posting, as far as that is still open."""
    groups: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for line in lines.of_move(env, origin_id) + lines.of_move(env, reverse_id):
        if not line["reconciled"]:
            groups[line["account_id"], line["currency_id"]].append(line)
    for (account_id, _), group in groups.items():
        account = env.store.need("account_account", account_id)
        if account["reconcile"] or account["account_type"] in lines.CASH_ACCOUNTS:
            match(env, group)


def remove(env: Env, line_ids: Sequence[int]) -> None:
    """`remove_move_reconcile`: undo every match of the lines; exchange entries are reversed."""
    partials: dict[int, Row] = {}
    for line_id in line_ids:
        found = env.store.where("account_partial_reconcile", debit_move_id=line_id)
        found += env.store.where("account_partial_reconcile", credit_move_id=line_id)
        partials |= {row["id"]: row for row in found}
    touched: set[int] = set()
    exchanges: list[int] = []
    for partial in partials.values():
        if env.store.get("account_partial_reconcile", partial["id"]) is None:
            continue
        touched |= _reopen(env, partial)
        if partial["exchange_move_id"]:
            exchanges.append(partial["exchange_move_id"])
    for move_id in exchanges:
        exchange.reverse(env, move_id)
    moves = {row["move_id"] for row in env.store.get_all("account_move_line", sorted(touched)).values()}
    for move_id in sorted(moves):
        documents.refresh(env, move_id)


def _reopen(env: Env, partial: Row) -> set[int]:
    """Delete a partial; its full reconciliation falls, the lines are open again."""
    debit = env.store.need("account_move_line", partial["debit_move_id"])
    credit = env.store.need("account_move_line", partial["credit_move_id"])
    group, _ = _component(env, debit["id"])
    env.store.delete("account_partial_reconcile", [partial["id"]])
    if partial["full_reconcile_id"]:
        for table in ("account_move_line", "account_partial_reconcile"):
            full = {"full_reconcile_id": None}
            env.store.update_where(table, "full_reconcile_id", partial["full_reconcile_id"], full)
        env.store.delete("account_full_reconcile", [partial["full_reconcile_id"]])
    _lower(env, debit, -partial["amount"], -partial["debit_amount_currency"])
    _lower(env, credit, partial["amount"], partial["credit_amount_currency"])
    for line_id in group:
        _, links = _component(env, line_id)
        number = f"P{min(links)}" if links else None
        env.store.update("account_move_line", line_id, {"matching_number": number})
    return group
