"""Stored events of a shop's orders and refunds, as they were written before the commercial document: both ways."""

from __future__ import annotations

from typing import Any

_PARTY = {"external_id": "", "issuer": "", "display_name": "", "country": ""}  # all of it, with what was not stated


def as_document(record: dict[str, Any]) -> dict[str, Any]:
    """The record of an order or of its refund as that of a document with the same content."""
    body = record["body"]
    refund = record["is"] == "order_refund"
    document: dict[str, Any] = {
        "kind": "credit_note" if refund else "invoice",
        "direction": "sale",
        "number": body["order_number" if refund else "number"],
        "lines": body["lines"],
        "totals": {"gross": body["total"], "tax": body["tax_total"]},
        "buyer": body["customer"],
    }
    if refund:
        document["references"] = [
            {"kind": "corrected", "object_id": body["order_id"], "number": body["order_number"]},
        ]
    return record | {"is": "document", "kind": "document", "body": document}


def as_order(record: dict[str, Any]) -> dict[str, Any]:
    """The record of a sale's document as the release before wrote it; only what that one could state is kept."""
    body = record["body"]
    refund = body["kind"] == "credit_note"
    totals = body["totals"]
    order: dict[str, Any] = {
        "customer": _PARTY | {key: value for key, value in body["buyer"].items() if key in _PARTY},
        "lines": [_order_line(line) for line in body["lines"]],
        "total": totals["gross"],
        "tax_total": totals["tax"],
    }
    if refund:
        (corrected,) = body["references"]
        order |= {"order_id": corrected.get("object_id", ""), "order_number": corrected.get("number", "")}
    else:
        order["number"] = body["number"]
    kind, tag = ("order_refunded", "order_refund") if refund else ("order_paid", "order")
    whole = {"transaction_id": "", "references": []} | record
    return whole | {"is": tag, "kind": kind, "body": order}


def _order_line(line: dict[str, Any]) -> dict[str, Any]:
    taxes = [{name: tax[name] for name in ("title", "rate", "amount")} for tax in line.get("taxes", ())]
    kind = line["kind"] if line["kind"] in ("shipping", "gift_card") else "product"
    return {
        "kind": kind,
        "description": line["description"],
        "sku": line.get("sku", ""),
        "quantity": line.get("quantity", "1"),
        "net": line["net"],
        "taxes": taxes,
    }
