"""Plays recorded calls against a sandbox and says where its answers differ from Odoo's.

The recordings name records by the ids of the recorded servers. A record that a call made
is followed by its new id; calls on records whose making was not recorded are left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.engine import Sandbox
from sandbox.failures import ServerFailure
from sandbox.seed import bootstrap

RECORDED = Path(__file__).parent / "recorded"
_ON_IDS = {"read", "write", "unlink", "action_post", "button_draft", "button_cancel", "refund_moves", "modify_moves"}
# Ids of the recorded servers: account code, name and type by id.
_ACCOUNTS = {
    18: {
        1: ("101000", "Current Assets", "asset_current"),
        7: ("121000", "Account Receivable", "asset_receivable"),
        12: ("131000", "Tax Paid", "asset_current"),
        16: ("211000", "Account Payable", "liability_payable"),
        22: ("251000", "Tax Received", "liability_current"),
        27: ("400000", "Product Sales", "income"),
        30: ("443000", "Cash Discount Loss", "expense"),
        34: ("600000", "Expenses", "expense"),
    },
    19: {
        1: ("101000", "Current Assets", "asset_current"),
        5: ("121000", "Account Receivable", "asset_receivable"),
        12: ("131000", "Tax Paid", "asset_current"),
        15: ("211000", "Account Payable", "liability_payable"),
        21: ("251000", "Tax Received", "liability_current"),
        26: ("400000", "Product Sales", "income"),
        29: ("443000", "Cash Discount Loss", "expense"),
        34: ("600000", "Expenses", "expense"),
    },
}
_JOURNALS = {18: ("Customer Invoices", "Vendor Bills"), 19: ("Sales", "Purchases")}
_PARTNER_BEFORE = {18: 6, 19: 5}
# Ids say nothing; texts may name them.
_IDENTITIES = {"id", "line_ids", "reversal_move_ids", "reversed_entry_id", "move_id", "res_id", "duplicated_ref_ids"}


def recorded_company(version: int) -> Sandbox:
    """The company of the recorded servers: a generic chart in USD, EUR not yet active."""
    sandbox = Sandbox(":memory:", lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), version)
    bootstrap(sandbox)
    store = sandbox.store
    for table in ("account_tax_repartition_line", "account_tax", "account_journal", "account_account", "res_partner"):
        store.db.execute(f"DELETE FROM {table}")
    store.db.execute("DELETE FROM res_currency_rate")
    store.db.execute("UPDATE res_currency SET active = 0 WHERE name = 'EUR'")

    def make(model: str, wanted: int | None = None, **values: Any) -> int:
        if wanted is not None:
            table = model.replace(".", "_")
            store.db.execute("INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0 WHERE NOT EXISTS"
                             " (SELECT 1 FROM sqlite_sequence WHERE name = ?)", (table, table))  # fmt: skip
            store.db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (wanted - 1, table))
        return int(sandbox.execute(1, model, "create", [values]))

    by_code = {}
    for account_id, (code, name, kind) in _ACCOUNTS[version].items():
        by_code[code] = account_id
        make("account.account", account_id, code=code, name=name, account_type=kind, reconcile=kind.endswith("able"))
    sales, purchases = _JOURNALS[version]
    make("account.journal", 1, code="INV", name=sales, type="sale", default_account_id=by_code["400000"])
    make("account.journal", 2, code="BILL", name=purchases, type="purchase", default_account_id=by_code["600000"])
    make("account.journal", 3, code="MISC", name="Miscellaneous Operations", type="general")
    for number, (use, code) in enumerate((("sale", "251000"), ("purchase", "131000")), start=1):
        parts = [[0, 0, {"repartition_type": "base"}], [0, 0, {"repartition_type": "tax", "account_id": by_code[code]}]]
        lines = {f"{kind}_repartition_line_ids": parts for kind in ("invoice", "refund")}
        make("account.tax", number, name="15%", amount=15.0, type_tax_use=use, **lines)
    make("res.partner", _PARTNER_BEFORE[version] + 1, name="ACME Customer")
    make("res.partner", None, name="Vendor Ltd")
    make("product.product", 7, name="Widget", default_code="SKU1", list_price=100.0)
    return sandbox


@dataclass(slots=True)
class Replay:
    """One sandbox through the recordings, in their order."""

    sandbox: Sandbox
    ids: dict[tuple[str, int], int] = field(default_factory=dict)
    played: int = 0
    left_out: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def play(self, name: str) -> None:
        calls = json.loads((RECORDED / str(self.sandbox.version) / f"{name}.json").read_text("utf-8"))
        for call in calls:
            self._play(name, call)

    def _play(self, name: str, call: dict[str, Any]) -> None:
        model, method = call["model"], call["method"]
        args, kwargs = json.loads(json.dumps(call["args"])), dict(call.get("kwargs", {}))
        if method in _ON_IDS and model in ("account.move", "account.move.reversal"):
            known = [self.ids.get((model, number)) for number in args[0]]
            if None in known and "does not exist" not in str(call.get("error")):
                self.left_out.append(call["note"])
                return
            args[0] = [mine or number for mine, number in zip(known, args[0], strict=True)]
        if method == "search_read" and args[0] and args[0][0][0] == "move_id":
            args[0][0][2] = self.ids.get(("account.move", args[0][0][2]), 0)
        context = kwargs.get("context", {})
        if "active_ids" in context:
            mine = [self.ids.get(("account.move", number), 0) for number in context["active_ids"]]
            kwargs["context"] = context | {"active_ids": mine}
        try:
            answer, error = self.sandbox.execute("admin", model, method, args, kwargs), None
        except ServerFailure as failure:
            answer, error = None, {"name": failure.name, "message": failure.message}
        self.played += 1
        self._learn(model, method, call.get("response"), answer)
        if not self._same(method, call, answer, error):
            expected = call.get("error") or call.get("response")
            self.differences.append(f"{name}: {call['note']}: Odoo {expected!r}, sandbox {error or answer!r}")

    def _learn(self, model: str, method: str, theirs: Any, ours: Any) -> None:
        if method in ("refund_moves", "modify_moves") and isinstance(theirs, dict) and isinstance(ours, dict):
            model, theirs, ours = "account.move", theirs.get("res_id"), ours.get("res_id")
        elif method != "create":
            return
        if isinstance(theirs, int) and isinstance(ours, int):
            self.ids[model, theirs] = ours
        elif isinstance(theirs, list) and isinstance(ours, list):
            self.ids |= {(model, their): our for their, our in zip(theirs, ours, strict=True)}

    def _same(self, method: str, call: dict[str, Any], answer: Any, error: dict[str, str] | None) -> bool:
        if error or call.get("error"):
            return bool(_without_numbers(error) == _without_numbers(call.get("error")))
        if method == "create":
            return True
        return bool(_comparable(call["response"]) == _comparable(answer))


def _without_numbers(error: dict[str, str] | None) -> Any:
    """Refusals name ids and, where calls were left out, numbers that differ."""
    return error and {name: re.sub(r"\d+", "#", text) for name, text in error.items()}


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if name not in _IDENTITIES}
        return {name: _comparable(part) for name, part in kept.items() if name != "sequence_number"}
    if isinstance(value, list):
        return [_comparable(part) for part in value]
    return re.sub(r"/\d+\b(?! \()", "/#", value) if isinstance(value, str) else value
