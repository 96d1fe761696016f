"""Matching journal items: which lines settle each other by how much, and what becomes an exchange entry.

Two lines in one foreign currency are matched in that currency, each at the rate it is
carried at; what then remains in the company's currency goes to the exchange accounts.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from . import exchange, lines, partials, records
from .currency import digits_of, rate_at
from .env import Env
from .failures import user_error
from .naming import display_names
from .partials import Pairing
from .store import Row
from .values import round_micro, units


def reconcile(env: Env, ids: Sequence[int]) -> None:
    """`account.move.line.reconcile`: match what is open among the lines of one account."""
    found = records.need(env, env.model(lines.MODEL), ids)
    _check(env, found)
    match(env, found)


def _check(env: Env, found: list[Row]) -> None:
    if any(line["reconciled"] for line in found):
        raise user_error("You are trying to reconcile some entries that are already reconciled.")
    if env.version < 19 and any(line["parent_state"] != "posted" for line in found):  # 19 matches drafts, too
        raise user_error("You can only reconcile posted entries.")
    account_ids = list(dict.fromkeys(line["account_id"] for line in found))
    names = display_names(env, "account.account", account_ids)
    if len(account_ids) > 1:
        listed = ", ".join(names[account_id] for account_id in account_ids)
        raise user_error(f"Entries are not from the same account: {listed}")
    for account_id in account_ids:
        if not lines.is_tracked(env.store.need("account_account", account_id)):
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
    made = [partial_id for group in by_currency.values() for partial_id in _match_all(env, group)]
    if len(by_currency) > 1:
        made += _match_all(env, ordered)
    partials.conclude(env, made)


def _match_all(env: Env, group: list[Row]) -> list[int]:
    debits = deque(line for line in group if _open_side(line) > 0)
    credits_ = deque(line for line in group if _open_side(line) < 0)
    made = []
    while debits and credits_:
        debit, credit = debits[0], credits_[0]
        pairing = _pair(env, debit, credit)
        if pairing is None:
            break
        made.append(_apply(env, debit, credit, pairing))
        if not _open_side(debit):
            debits.popleft()
        if not _open_side(credit):
            credits_.popleft()
        if not (pairing.amount or pairing.debit_currency_amount or pairing.credit_currency_amount):
            break
    return made


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
    """Both in one foreign currency: the smaller open amount is closed, at each line's carrying rate."""
    closed = min(debit_open, credit_open)
    debit_share = _share(env, debit["amount_residual"], debit_open, closed)
    credit_share = _share(env, -credit["amount_residual"], credit_open, closed)
    amount = min(debit_share, credit_share)
    return Pairing(amount, closed, closed, debit_share - amount, -(credit_share - amount))


def _share(env: Env, carried: int, open_amount: int, closed: int) -> int:
    """The part of a carried balance that a closed part of its currency amount stands for."""
    if closed == open_amount:
        return carried
    exact = units(carried) * units(closed) / units(open_amount)
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
    closed = min(plain_open, foreign_open)
    if not closed:
        return None
    foreign_share = _share(env, abs(foreign["amount_residual"]), foreign_open, closed)
    plain_share = _share(env, abs(plain["amount_residual"]), plain_open, closed)
    amount = min(foreign_share, plain_share)
    if foreign is debit:
        return Pairing(amount, closed, amount, foreign_share - amount, -(plain_share - amount))
    return Pairing(amount, amount, closed, plain_share - amount, -(foreign_share - amount))


def _apply(env: Env, debit: Row, credit: Row, pairing: Pairing) -> int:
    """Record the partial; gaps become an exchange entry."""
    partial_id = partials.insert(env, debit, credit, pairing)
    gaps = [(line, gap) for line, gap in ((debit, pairing.debit_gap), (credit, pairing.credit_gap)) if gap]
    if gaps:
        exchange_id = exchange.book(env, gaps, max(debit["date"], credit["date"]))
        env.store.update("account_partial_reconcile", partial_id, {"exchange_move_id": exchange_id})
    return partial_id


def reconcile_reversal(env: Env, origin_id: int, reverse_id: int) -> None:
    """A credit note is netted with its document at posting, as far as that is still open."""
    groups: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for line in lines.of_move(env, origin_id) + lines.of_move(env, reverse_id):
        if not line["reconciled"]:
            groups[line["account_id"], line["currency_id"]].append(line)
    for (account_id, _), group in groups.items():
        if lines.is_tracked(env.store.need("account_account", account_id)):
            match(env, group)
