"""Records on their way out: stored rows to the JSON that `read` gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .computed import compute
from .env import Env
from .failures import ServerFailure
from .fields import MICRO, Field, Model
from .naming import display_names, names_of
from .query import order_by
from .store import Row


def read(env: Env, model: Model, ids: Sequence[int], fields: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The records in the order of the ids; those that do not exist are left out, without an error."""
    names = list(dict.fromkeys(fields or [name for name in model.fields if name != "id"]))
    for name in names:
        if name not in model.fields:
            raise env.unknown_field(model.name, name, reading=True)
    found = env.store.get_all(model.table, list(dict.fromkeys(ids)))
    rows = [found[record_id] for record_id in ids if record_id in found]
    records: list[dict[str, Any]] = [{"id": row["id"]} for row in rows]
    for name in names:
        if name == "id":
            continue
        values = column(env, model, name, rows)
        for record in records:
            record[name] = values[record["id"]]
    return records


def column(env: Env, model: Model, name: str, rows: list[Row]) -> dict[int, Any]:
    """One field of many rows, by id, as JSON."""
    field = model.fields[name]
    if name == "display_name":
        return dict(names_of(env, model.name, rows))
    if field.related:
        return _related(env, model, field, rows)
    if field.computed:
        return compute(env, model.name, name, rows)
    if field.kind == "many2one":
        labels = display_names(env, field.relation, [row[name] for row in rows if row[name]])
        return {row["id"]: _pair(labels, row[name]) for row in rows}
    if field.kind == "one2many":
        return _children(env, field, rows)
    if field.kind == "many2many":
        return _links(env, field, rows)
    if name == "password":
        return {row["id"]: "" for row in rows}
    give = _GIVE.get(field.kind, _text)
    return {row["id"]: give(row[name]) for row in rows}


def _pair(labels: dict[int, str], record_id: int | None) -> Any:
    return [record_id, labels[record_id]] if record_id in labels and record_id else False


def _related(env: Env, model: Model, field: Field, rows: list[Row]) -> dict[int, Any]:
    first, _, last = field.related.partition(".")
    target = env.model(model.fields[first].relation)
    found = env.store.get_all(target.table, sorted({row[first] for row in rows if row[first]}))
    values = column(env, target, last, list(found.values()))
    nothing = 0.0 if field.kind == "monetary" else False
    return {row["id"]: values.get(row[first], nothing) for row in rows}


def _children(env: Env, field: Field, rows: list[Row]) -> dict[int, list[int]]:
    target = env.model(field.relation)
    values: dict[int, list[int]] = {row["id"]: [] for row in rows}
    order = order_by(env, target, None)
    ids = list(values)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        marks = ", ".join("?" * len(part))
        statement = (
            f"SELECT id, {field.inverse} AS owner FROM {target.table}"  # noqa: S608
            f" WHERE {field.inverse} IN ({marks}) AND {field.only or 1} ORDER BY {order}"
        )
        for child in env.store.rows(statement, part):
            values[child["owner"]].append(child["id"])
    return values


def _links(env: Env, field: Field, rows: Iterable[Row]) -> dict[int, list[int]]:
    ours, theirs = field.ends
    values: dict[int, list[int]] = {}
    for row in rows:
        statement = f"SELECT {theirs} FROM {field.table} WHERE {ours} = ? ORDER BY {theirs}"  # noqa: S608
        values[row["id"]] = [found[0] for found in env.store.rows(statement, (row["id"],))]
    return values


def _text(value: Any) -> Any:
    return False if value is None else value


_GIVE: dict[str, Callable[[Any], Any]] = {
    "monetary": lambda value: (value or 0) / MICRO,
    "float": lambda value: float(value or 0.0),
    "integer": lambda value: int(value or 0),
    "boolean": lambda value: bool(value),
    "json": lambda value: json.loads(value) if value else False,
}


def fields_get(
    env: Env, model: str, allfields: Sequence[str] | None = None, attributes: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The model's fields with the attributes that an integration asks for."""
    described = {}
    for name, field in env.model(model).fields.items():
        if allfields and name not in allfields:
            continue
        facts: dict[str, Any] = {
            "type": field.kind,
            "string": field.label,
            "readonly": field.readonly,
            "required": field.required,
            "store": field.stored or field.kind in ("one2many", "many2many"),
        }
        if field.relation:
            facts["relation"] = field.relation
        if field.inverse:
            facts["relation_field"] = field.inverse
        if field.selection:
            facts["selection"] = [[value, value.replace("_", " ").capitalize()] for value in field.selection]
        described[name] = {key: value for key, value in facts.items() if not attributes or key in attributes}
    return described


def need_ids(value: Any) -> list[int]:
    """The ids of a call's first argument: one id or a list of them."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int):
        return [value]
    if isinstance(value, list | tuple) and all(isinstance(item, int) for item in value):
        return list(value)
    raise ServerFailure("builtins.TypeError", f"unhashable or wrong ids: {type(value).__name__}")
