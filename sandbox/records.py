"""Creating, writing and deleting records of any model, as far as no rule of the books says more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .env import Env
from .failures import constraint_error, missing_error, type_error, value_error
from .fields import Field, Model
from .identity import forget
from .store import Row
from .values import stored


def need(env: Env, model: Model, ids: Sequence[int]) -> list[Row]:
    """The rows in the order of the ids; a missing one is Odoo's MissingError."""
    found = env.store.get_all(model.table, list(dict.fromkeys(ids)))
    for record_id in ids:
        if record_id not in found:
            raise missing_error(model.name, record_id, env.uid)
    return [found[record_id] for record_id in ids]


def check_fields(env: Env, model: Model, values: Mapping[str, Any]) -> None:
    if not isinstance(values, Mapping):
        raise type_error(f"'{type(values).__name__}' object is not a mapping")
    for name in values:
        if name not in model.fields or name == "id":
            raise env.unknown_field(model.name, name)


def columns(env: Env, model: Model, values: Mapping[str, Any]) -> Row:
    """The stored columns among the values; what is derived is ignored, as Odoo ignores it."""
    return {
        name: stored(env, model, name, model.fields[name], value)
        for name, value in values.items()
        if model.fields[name].stored
    }


def insert(env: Env, model: Model, row: Row) -> int:
    """A new row with its stamps; the database's own rules answer in Odoo's words."""
    for name, field in model.fields.items():
        if field.required and field.stored and row.get(name) is None:
            raise missing_value(model, name, field)
    row |= {"create_date": env.stamp, "write_date": env.stamp}
    with _in_words_of(model):
        return env.store.insert(model.table, row)


def update(env: Env, model: Model, record_id: int, row: Row) -> None:
    with _in_words_of(model):
        env.store.update(model.table, record_id, {**row, "write_date": env.stamp})


def missing_value(model: Model, name: str, field: Field) -> Exception:
    text = f"Missing required value for the field '{field.label}' ({name}).\nModel: '{model.label}' ({model.name})"
    return constraint_error(text)


@contextmanager
def _in_words_of(model: Model) -> Iterator[None]:
    """Turns the database's refusal of a duplicate into the model's own words."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if model.unique and all(f"{model.table}.{name}" in str(error) for name in model.unique["columns"]):
            raise constraint_error(model.unique["refusal"]) from None
        raise


def create(env: Env, model: Model, values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> int:
    """One record with its links and children."""
    check_fields(env, model, values)
    row = {**model.defaults, **(defaults or {}), **columns(env, model, values)}
    record_id = insert(env, model, row)
    relate(env, model, record_id, values)
    return record_id


def write(env: Env, model: Model, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    """The same values onto every record."""
    check_fields(env, model, values)
    need(env, model, ids)
    row = columns(env, model, values)
    for record_id in ids:
        if row:
            update(env, model, record_id, row)
        relate(env, model, record_id, values)
    return True


def unlink(env: Env, model: Model, ids: Sequence[int]) -> bool:
    """Delete the records that exist, with their external ids; referenced ones stay."""
    for record_id in ids:
        _check_unused(env, model, record_id)
    env.store.delete(model.table, ids)
    forget(env, model.name, ids)
    return True


def _check_unused(env: Env, model: Model, record_id: int) -> None:
    for other in env.store.schema.values():
        for name, field in other.fields.items():
            if field.kind == "many2one" and field.relation == model.name and field.stored and field.required:
                statement = f"SELECT 1 FROM {other.table} WHERE {name} = ? LIMIT 1"  # noqa: S608
                if env.store.one(statement, (record_id,)):
                    raise constraint_error(
                        "another model requires the record being deleted. If possible, archive it instead.\n\n"
                        f"Model: {other.label} ({other.name})\nConstraint: {other.table}_{name}_fkey\n"
                    )


def relate(env: Env, model: Model, record_id: int, values: Mapping[str, Any]) -> None:
    """Apply the x2many commands among the values."""
    for name, value in values.items():
        field = model.fields[name]
        if field.computed or field.related:
            continue
        if field.kind == "many2many":
            link(env, field, record_id, value)
        elif field.kind == "one2many":
            _children(env, model, name, field, record_id, value)


def link(env: Env, field: Field, record_id: int, value: Any) -> None:
    """A many2many's commands: (6, 0, ids), (4, id), (3, id), (5,), or simply the ids."""
    ours, theirs = field.ends
    rows = env.store.rows(f"SELECT {theirs} FROM {field.table} WHERE {ours} = ?", (record_id,))  # noqa: S608
    linked = {row[0] for row in rows}
    for command in commands(value):
        code = command[0]
        if code in (4, 6):
            named = command[2] if code == 6 else [command[1]]
            need(env, env.model(field.relation), named)
            linked = (linked if code == 4 else set()) | set(named)
        elif code in (2, 3):
            linked.discard(command[1])
        elif code == 5:
            linked.clear()
        else:
            raise value_error(f"Unsupported many2many command: {command!r}")
    env.store.db.execute(f"DELETE FROM {field.table} WHERE {ours} = ?", (record_id,))  # noqa: S608
    env.store.db.executemany(
        f"INSERT INTO {field.table} ({ours}, {theirs}) VALUES (?, ?)",  # noqa: S608
        [(record_id, other) for other in sorted(linked)],
    )


def commands(value: Any) -> list[list[Any]]:
    """An x2many value as a list of commands; a plain list of ids replaces what is there."""
    if value is None or value is False or value == "":
        return [[5]]
    if not isinstance(value, list | tuple):
        raise type_error(f"'{type(value).__name__}' object is not iterable")
    if value and all(isinstance(item, int) for item in value):
        return [[6, 0, list(value)]]
    if any(not isinstance(item, list | tuple) or not item for item in value):
        raise value_error(f"Wrong value for an x2many field: {value!r}")
    return [list(item) for item in value]


def _children(env: Env, model: Model, name: str, field: Field, record_id: int, value: Any) -> None:
    target = env.model(field.relation)
    fixed: dict[str, Any] = {field.inverse: record_id}
    if name in ("invoice_repartition_line_ids", "refund_repartition_line_ids"):
        fixed["document_type"] = name.split("_", maxsplit=1)[0]
    for command in commands(value):
        code = command[0]
        if code == 0:
            create(env, target, {**command[2], **fixed})
        elif code == 1:
            write(env, target, [command[1]], command[2])
        elif code in (2, 3):
            unlink(env, target, [command[1]])
        elif code == 5:
            condition = " AND ".join(f"{key} = ?" for key in fixed)
            rows = env.store.rows(f"SELECT id FROM {target.table} WHERE {condition}", tuple(fixed.values()))  # noqa: S608
            unlink(env, target, [row[0] for row in rows])
        elif code != 4:
            raise value_error(f"Unsupported one2many command: {command!r}")
