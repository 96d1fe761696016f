"""Documents to Odoo and back: `load` with ids on the move and on every line, read back, post, reconcile.

Facts behind each call: ODOO_REALITY §2 (moves), §4 (statement lines), §6 (idempotency). Every method is one or
few calls for a whole batch. What Odoo raises passes through (`libs.odoo.errors`), except a `load` that
answers with messages instead of raising: `LoadRefused` or `OdooConflict`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, ParamSpec, TypeVar

from libs.money import Money, exponent_of
from libs.odoo.errors import (
    OdooConflict,
    OdooMalformed,
    OdooMissing,
    OdooOutcomeUnknown,
    OdooRefused,
    conflict_in_load,
)
from libs.odoo.port import Json, Odoo
from libs.rpc.failures import safe_stack

from ..domain.document import Document
from ..domain.document_type import DocumentType
from ..domain.rules.purchase import number_parts, supplier_number
from ..domain.view import DocumentView, LineView, Locks
from ..handlers.ports import Record
from . import odoo_rows

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

_MOVE_FIELDS = ["name", "state", "date", "journal_id"]
_LINE_FIELDS = [
    "move_id", "account_id", "partner_id", "currency_id", "amount_currency", "balance", "reconciled", "amount_residual",
]  # fmt: skip
# References as bare ids: of all that is read of a line, their names cost Odoo the most.
_PLAIN: dict[str, Json] = {"load": None}
_LOCK_FIELDS = {
    "fiscal_year": "fiscalyear_lock_date",
    "tax": "tax_lock_date",
    "sale": "sale_lock_date",
    "purchase": "purchase_lock_date",
    "hard": "hard_lock_date",
}


class LoadRefused(OdooRefused):
    """`load` made nothing; `record` is the first document it complained of."""

    reason = "ODOO_LOAD_REFUSED"

    def __init__(self, record: int, message: str) -> None:
        super().__init__("load", message)
        self.record = record


class SupplierNumberTaken(LoadRefused):
    """The supplier has another bill of this number: it is the same bill twice, or a person says otherwise in Odoo."""

    reason = "SUPPLIER_NUMBER_TAKEN"

    def __init__(self, record: int) -> None:
        super().__init__(record, "the supplier has another bill of this number in Odoo")


class AnswerUnreadable(OdooOutcomeUnknown):
    """What came back, from Odoo or from something before it, is no answer to what was asked."""

    reason = "ODOO_ANSWER_UNREADABLE"


def _understood(call: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Whatever an unreadable answer breaks in us: nobody knows what was done, so the next attempt looks first."""

    @functools.wraps(call)
    def careful(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        try:
            return call(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # It may as well be a mistake of ours, and the posting keeps the reason alone: the log says where.
            logger.error("what Odoo answered can't be read: %s", safe_stack(error))
            raise AnswerUnreadable(type(error).__name__) from error

    return careful


class OdooJournal:
    """The books of one company in one Odoo database, seen as documents."""

    def __init__(self, odoo: Odoo, installation: str, company_currency: str) -> None:
        self._odoo = odoo
        self._module = f"concord_{installation}"  # no add-on bears it, so nothing cleans it
        self._home = company_currency
        self._currency_ids: dict[str, int] = {}

    @_understood
    def find(self, documents: Sequence[Document], known_ids: Sequence[int] = ()) -> dict[str, int]:
        """Record ids, by effect, of the documents that Odoo already has; all of one type.

        Asked twice, because neither answer is whole. `known_ids`, and the transaction id in its field, give candidates,
        whose external ids are then read from the database; but people may write it. `check_object_reference`
        looks the key up through a cache: after a batch that `load` refused it answers `false` for keys of that
        batch, even once they exist. That means "not known" (only its error means absent), and then `load` may be
        tried: it finds its own record. An invoicing user may not search `ir.model.data` itself.
        """
        model = documents[0].type.traits.odoo_model
        wanted = {f"{self._module}.{document.effect}": document.effect for document in documents}
        found = {}
        field = "invoice_origin" if documents[0].type.traits.bears_supplier_number else "ref"
        domain = [
            "|",
            [field, "in", sorted({document.transaction_id for document in documents})],
            ["id", "in", list(known_ids)],
        ]
        candidates = self._odoo.execute(model, "search", [domain])
        if candidates:
            names = self._odoo.execute(model, "get_external_id", [candidates])
            found = {wanted[name]: int(record) for record, name in names.items() if name in wanted}
        for effect in wanted.values():
            if effect in found:
                continue
            try:
                answer = self._odoo.execute("ir.model.data", "check_object_reference", [self._module, effect])
            except (OdooMalformed, OdooMissing):  # ValueError: "External ID not found in the system"
                continue
            if answer[1]:
                found[effect] = int(answer[1])
        return found

    @_understood
    def load(self, documents: Sequence[Document], reversed_ids: Mapping[str, int]) -> list[int]:
        """Make drafts (statement lines: posted moves) of one type, all or none, each under its effect as external id.

        Loading a draft again changes nothing, since every line bears its own id. Raises `LoadRefused`, of a bill whose
        number its supplier has used already `SupplierNumberTaken`: Odoo itself takes it without a word.
        """
        if documents[0].type.traits.bears_supplier_number:
            self._refuse_taken_number(documents)
        currency_ids = self._ids_of(documents)
        columns, rows = odoo_rows.rows_of(self._module, documents, currency_ids, reversed_ids)
        answer = self._odoo.execute(documents[0].type.traits.odoo_model, "load", [columns, rows])
        if answer["ids"]:
            ids = [int(number) for number in answer["ids"]]
            if len(ids) != len(documents):
                raise AnswerUnreadable("load")
            if documents[0].type.traits.bears_supplier_number:
                self._refuse_taken_number(documents, ids)
            return ids
        messages: list[Mapping[str, Any]] = answer["messages"]
        if conflict_in_load(messages):
            raise OdooConflict("load")
        first = messages[0] if messages else {}
        raise LoadRefused(int(first.get("record", 0)), str(first.get("message", "")))

    @_understood
    def read(self, kind: DocumentType, ids: Sequence[int]) -> dict[int, DocumentView]:
        """What Odoo holds of these records; a missing one is absent from the answer."""
        return {record: view for (_, record), view in self.read_all((kind, number) for number in ids).items()}

    @_understood
    def read_all(self, records: Iterable[Record]) -> dict[Record, DocumentView]:
        """The same of records of any types together."""
        move_of = {}
        others: dict[DocumentType, list[int]] = {}
        for kind, record in records:
            if kind.traits.is_move:
                move_of[kind, record] = record
            else:
                others.setdefault(kind, []).append(record)
        for kind, ids in others.items():
            found = self._odoo.execute(kind.traits.odoo_model, "read", [ids, ["move_id"]], _PLAIN)
            move_of |= {(kind, int(line["id"])): int(line["move_id"]) for line in found}
        held = self._moves(list(dict.fromkeys(move_of.values())))
        return {record: replace(held[move], odoo_id=record[1]) for record, move in move_of.items() if move in held}

    @_understood
    def post(self, ids: Sequence[int]) -> None:
        """Post drafts, all or none. Raises `OdooRefused` without saying which one."""
        self._odoo.execute("account.move", "action_post", [list(ids)])

    @_understood
    def discard(self, kind: DocumentType, ids: Sequence[int]) -> None:
        """Remove drafts that Odoo refused to post."""
        self._odoo.execute(kind.traits.odoo_model, "unlink", [list(ids)])

    @_understood
    def locks(self, company_id: int) -> Locks:
        (company,) = self._odoo.execute("res.company", "read", [[company_id], list(_LOCK_FIELDS.values())])
        dates = {name: _date_or_none(company[field]) for name, field in _LOCK_FIELDS.items()}
        return Locks(**dates)

    @_understood
    def lines(self, line_ids: Sequence[int]) -> list[LineView]:
        """Journal items as they are now, in the order of their ids."""
        found = self._lines([["id", "in", list(line_ids)]])
        return sorted((line for lines in found.values() for line in lines), key=lambda line: line.odoo_id)

    @_understood
    def reconcile(self, line_ids: Sequence[int]) -> None:
        """Reconcile journal items of one account. Raises `OdooRefused` if any is reconciled already."""
        self._odoo.execute("account.move.line", "reconcile", [list(line_ids)])

    @_understood
    def move_to_account(self, line_id: int, account_id: int, partner_id: int | None) -> None:
        """Give a statement line's suspense item its real account and partner. Repeating it changes nothing."""
        values = {"account_id": account_id, "partner_id": partner_id or False}
        self._odoo.execute("account.move.line", "write", [[line_id], values])

    @_understood
    def exchange_moves(self, line_ids: Sequence[int]) -> dict[int, list[DocumentView]]:
        """Odoo's own exchange entries made when these items were reconciled, by the item; empty for most."""
        domain = ["|", ["debit_move_id", "in", list(line_ids)], ["credit_move_id", "in", list(line_ids)]]
        fields = ["debit_move_id", "credit_move_id", "exchange_move_id"]
        partials = self._odoo.execute("account.partial.reconcile", "search_read", [domain, fields], _PLAIN)
        moves_of: dict[int, set[int]] = {}
        for partial in partials:
            if partial["exchange_move_id"]:
                for line in (int(partial["debit_move_id"]), int(partial["credit_move_id"])):
                    moves_of.setdefault(line, set()).add(int(partial["exchange_move_id"]))
        if not moves_of:
            return {}
        held = self._moves(sorted(set().union(*moves_of.values())))
        return {
            line: [held[move] for move in sorted(moves_of[line]) if move in held]
            for line in line_ids
            if line in moves_of
        }

    def _refuse_taken_number(self, documents: Sequence[Document], loaded: Sequence[int] = ()) -> None:
        """Compares with every bill of the suppliers that is not cancelled, drafts and those made by hand too.

        Asked again once they are `loaded`: of two that were entered at once the first one stays.
        """
        kind = documents[0].type.traits.move_type
        asked = [
            ["&", ["commercial_partner_id", "=", supplier], ["ref", "=ilike", f"%{'%'.join(parts)}%"]]
            for supplier, parts in map(supplier_number, documents)
        ]
        domain = ["&", "&", ["move_type", "=", kind], ["state", "!=", "cancel"], *["|"] * (len(asked) - 1)]
        fields = ["ref", "commercial_partner_id"]
        found = self._odoo.execute("account.move", "search_read", [[*domain, *chain(*asked)], fields], _PLAIN)
        names = self._odoo.execute("account.move", "get_external_id", [[move["id"] for move in found]]) if found else {}
        ours = {f"{self._module}.{document.effect}" for document in documents}
        taken = {
            (int(move["commercial_partner_id"]), number_parts(move["ref"]))
            for move in found
            if names[str(move["id"])] not in ours and (not loaded or int(move["id"]) < min(loaded))
        }
        for place, number in enumerate(map(supplier_number, documents)):
            if number in taken:
                if loaded:
                    self.discard(documents[0].type, loaded)
                raise SupplierNumberTaken(place)
            taken.add(number)

    def _lines(self, domain: list[Any]) -> dict[int, tuple[LineView, ...]]:
        accounts_only = [*domain, ["account_id", "!=", False]]  # notes and sections bear no account
        found = self._odoo.execute("account.move.line", "search_read", [accounts_only, _LINE_FIELDS], _PLAIN)
        codes = self._codes_of({int(item["currency_id"]) for item in found if item["currency_id"]})
        by_move: dict[int, list[LineView]] = {}
        for item in found:
            by_move.setdefault(int(item["move_id"]), []).append(self._line(item, codes))
        return {move: tuple(sorted(lines, key=lambda line: line.odoo_id)) for move, lines in by_move.items()}

    def _line(self, item: Mapping[str, Any], codes: Mapping[int, str]) -> LineView:
        currency = codes[int(item["currency_id"])] if item["currency_id"] else self._home
        return LineView(
            odoo_id=int(item["id"]),
            account_id=int(item["account_id"]),
            partner_id=int(item["partner_id"]) if item["partner_id"] else None,
            amount=_money(currency, item["amount_currency"]),
            balance=_money(self._home, item["balance"]),
            reconciled=bool(item["reconciled"]),
            residual=_money(self._home, item["amount_residual"]),
        )

    def _moves(self, ids: Sequence[int]) -> dict[int, DocumentView]:
        if not ids:
            return {}
        moves = self._odoo.execute("account.move", "read", [ids, _MOVE_FIELDS], _PLAIN)
        lines = self._lines([["move_id", "in", [int(move["id"]) for move in moves]]])
        views = [self._view(move, lines.get(int(move["id"]), ())) for move in moves]
        return {view.move_id: view for view in views}

    def _view(self, move: Mapping[str, Any], lines: Sequence[LineView]) -> DocumentView:
        return DocumentView(
            odoo_id=int(move["id"]),
            move_id=int(move["id"]),
            state=str(move["state"]),
            number=str(move["name"] or ""),
            day=date.fromisoformat(move["date"]),
            journal_id=int(move["journal_id"]),
            lines=tuple(lines),
        )

    def _ids_of(self, documents: Sequence[Document]) -> Mapping[str, int]:
        codes = {line.amount.currency for document in documents for line in document.entry.lines} | {self._home}
        unknown = codes - self._currency_ids.keys()
        if unknown:
            domain = [["name", "in", sorted(unknown)]]
            found = self._odoo.execute(
                "res.currency", "search_read", [domain, ["name"]], {"context": {"active_test": False}}
            )
            self._currency_ids |= {str(currency["name"]): int(currency["id"]) for currency in found}
            if codes - self._currency_ids.keys():
                raise OdooRefused("res.currency", "Odoo does not have the document's currency")
        return self._currency_ids

    def _codes_of(self, ids: set[int]) -> Mapping[int, str]:
        """The codes of currencies that lines bear: mostly those that we loaded them with."""
        unknown = ids - set(self._currency_ids.values())
        if unknown:
            found = self._odoo.execute("res.currency", "read", [sorted(unknown), ["name"]])
            self._currency_ids |= {str(currency["name"]): int(currency["id"]) for currency in found}
        return {record: code for code, record in self._currency_ids.items()}


def _money(currency: str, number: float | int) -> Money:
    """Odoo's JSON number, exact to the currency's digits: its shortest text is what was stored."""
    digits = exponent_of(currency)
    return Money(currency, int((Decimal(repr(number)) * 10**digits).to_integral_value()))


def _date_or_none(text: str | bool) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) and text else None
