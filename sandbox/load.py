"""`load`: rows of text into records with external ids, in one transaction.

It swallows every error into a message, so a refusal and a lost race look alike but for
the text. Its trap: lines without external ids are added again to a draft that is loaded
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import crud, identity
from .env import Env
from .failures import ServerFailure, attribute_error, value_error
from .fields import Field, Model
from .values import to_day


@dataclass(slots=True)
class ImportedRecord:
    """One record as the rows give it, and what becomes of it: its values, and how its new children are called."""

    index: int
    first: int  # its rows
    last: int
    order: list[str]  # fields as their columns come
    cells: dict[str, Any]
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    new_children: dict[str, list[str]] = field(default_factory=dict)

    @property
    def external_id(self) -> str:
        return str(self.cells.get("id") or "")

    def message(self, text: str) -> dict[str, Any]:
        """What `load` answers of a record that it refuses."""
        return {"rows": {"from": self.first, "to": self.last}, "record": self.index, "type": "error", "message": text}


class BadCell(Exception):
    """A cell that cannot be understood; the record's message names its field."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.text = text


def load(env: Env, model_name: str, fields: Sequence[str], data: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """`{ids, messages, nextrow}`: the ids in the order of the records, or false and why."""
    model = env.model(model_name)
    paths = [name.split("/") for name in fields]
    for path in paths:
        _check_path(env, model, path)
    found = _extract(model, paths, data)
    messages: list[dict[str, Any]] = []
    for record in found:
        try:
            _convert(env, model, record)
        except BadCell as bad:
            messages.append(record.message(bad.text) | {"field": bad.name})
    ids: list[int] = []
    if not messages:
        ids, messages = _save_all(env, model, found)
    return {"ids": ids if not messages else False, "messages": messages, "nextrow": 0}


def _check_path(env: Env, model: Model, path: list[str]) -> None:
    name = path[0]
    if name in ("id", ".id"):
        return
    if name not in model.fields:
        raise value_error(f"Invalid field name '{'/'.join(path)}'")
    if len(path) > 1 and model.fields[name].relation:
        _check_path(env, env.model(model.fields[name].relation), path[1:])


def _extract(model: Model, paths: list[list[str]], data: Sequence[Sequence[Any]]) -> list[ImportedRecord]:
    """Rows to records: a row whose only values are children's continues the record before it."""
    child_columns = [n for n, path in enumerate(paths) if _is_child(model, path)]
    own_columns = [n for n, path in enumerate(paths) if not _is_child(model, path)]
    order = list(dict.fromkeys(path[0] for path in paths))
    found: list[ImportedRecord] = []
    for number, row in enumerate(data):
        if not found or any(row[n] for n in own_columns) or not any(row[n] for n in child_columns):
            cells = {"/".join(paths[n]): row[n] for n in own_columns}
            found.append(ImportedRecord(len(found), number, number, order, cells))
        record = found[-1]
        record.last = number
        children: dict[str, dict[str, Any]] = {}
        for n in child_columns:
            children.setdefault(paths[n][0], {})["/".join(paths[n][1:])] = row[n]
        for name, child in children.items():
            if any(child.values()):
                record.children.setdefault(name, []).append(child)
    return found


def _is_child(model: Model, path: list[str]) -> bool:
    return path[0] in model.fields and model.fields[path[0]].kind == "one2many"


def _convert(env: Env, model: Model, record: ImportedRecord) -> None:
    scalars = _scalars(env, model, record.cells)
    for name in record.order:
        if name in scalars:
            record.values[name] = scalars[name]
        elif name in record.children:
            children = _child_commands(env, model.fields[name], record.children[name])
            record.values[name], record.new_children[name] = children


def _child_commands(env: Env, field_: Field, rows: list[dict[str, Any]]) -> tuple[list[Any], list[str]]:
    """A command for each child, and the external ids of those that are new."""
    target = env.model(field_.relation)
    commands, new = [], []
    for cells in rows:
        values = _scalars(env, target, cells)
        external_id = str(cells.get("id") or "")
        found = identity.find(env, *identity.split(external_id)) if external_id else None
        if found and env.store.get(target.table, found[1]):
            commands.append([1, found[1], values])
        else:
            commands.append([0, 0, values])
            new.append(external_id)
    return commands, new


def _scalars(env: Env, model: Model, cells: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for path, cell in cells.items():
        name, _, rest = path.partition("/")
        if name not in ("id", ".id"):
            values[name] = _value(env, name, model.fields[name], rest, cell)
    return values


def _value(env: Env, name: str, field_: Field, rest: str, cell: Any) -> Any:
    if field_.kind == "many2many":
        if isinstance(cell, int) and cell:
            raise attribute_error("'int' object has no attribute 'split'")
        parts = [part.strip() for part in str(cell or "").split(",") if part.strip()]
        return [[6, 0, [_find(env, name, field_, rest, part) for part in parts]]]
    if cell in ("", None, False):
        return False
    if field_.kind == "many2one":
        return _find(env, name, field_, rest, str(cell))
    shown = str(cell)
    try:
        if field_.kind in ("monetary", "float"):
            return float(shown)
        if field_.kind == "integer":
            return int(shown)
    except ValueError:
        raise BadCell(name, f"'{shown}' does not seem to be a number for field '{field_.label}'") from None
    if field_.kind == "date":
        try:
            return to_day(shown)
        except ServerFailure:
            raise BadCell(name, f"'{shown}' does not seem to be a valid date for field '{field_.label}'") from None
    if field_.kind == "boolean":
        return shown.lower() in ("1", "true", "yes")
    if field_.kind == "selection" and shown not in field_.selection:
        raise BadCell(name, f"Value '{shown}' not found in selection field '{field_.label}'")
    return shown


def _find(env: Env, name: str, field_: Field, rest: str, value: str) -> int:
    """A reference by database id (`/.id`), external id (`/id`) or name."""
    target = env.model(field_.relation)
    found: int | None = None
    if rest == ".id":
        kind = "database id"
        found = int(value) if value.isdigit() and env.store.get(target.table, int(value)) else None
    elif rest == "id":
        kind = "external id"
        named = identity.find(env, *identity.split(value))
        found = named[1] if named and named[0] == target.name else None
    else:
        kind = "name"
        found = _by_name(env, target, value)
    if found is None:
        raise BadCell(name, f"No matching record found for {kind} '{value}' in field '{field_.label}'")
    return found


def _by_name(env: Env, target: Model, value: str) -> int | None:
    """By what people call it: an account or journal by its code too."""
    for name in ("code", "default_code", "name", "complete_name"):
        if name in target.fields:
            statement = f"SELECT id FROM {target.table} WHERE {name} = ? ORDER BY id LIMIT 1"  # noqa: S608
            found = env.store.one(statement, (value,))
            if found is not None:
                return int(found)
    if target.name == "account.account" and " " in value:
        return _by_name(env, target, value.split(" ", maxsplit=1)[0])
    return None


def _save_all(env: Env, model: Model, found: list[ImportedRecord]) -> tuple[list[int], list[dict[str, Any]]]:
    """All records or none; when the batch fails each is tried alone, to say which are wrong."""
    ids: list[int] = []
    try:
        with env.store.savepoint():
            for record in found:
                ids.append(_save(env, model, record))
            return ids, []
    except ServerFailure as failure:
        _remember(env, model, found[: len(ids)])
        if len(found) == 1 or "not balanced" in failure.message:
            # An unbalanced record spoils the others' checks too: each gets its text.
            return [], [record.message(failure.swallowed_by_load) for record in found]
    ids, messages = [], []
    try:
        with env.store.savepoint():
            for record in found:
                try:
                    with env.store.savepoint():
                        ids.append(_save(env, model, record))
                except ServerFailure as failure:
                    messages.append(record.message(failure.swallowed_by_load))
            if messages:
                raise _Undone
    except _Undone:
        return [], messages
    return ids, []


def _remember(env: Env, model: Model, saved: list[ImportedRecord]) -> None:
    """What the batch made before it failed is gone, but Odoo's cache still knows its external ids."""
    for record in saved:
        if record.external_id:
            module, name = identity.split(record.external_id)
            if identity.find(env, module, name) is None:
                env.store.ghosts[module, name] = model.name


class _Undone(Exception):
    """Takes the good records back when one of the batch is bad."""


def _save(env: Env, model: Model, record: ImportedRecord) -> int:
    module, name = identity.split(record.external_id) if record.external_id else ("", "")
    found = identity.find(env, module, name) if name else None
    record_id = found[1] if found and found[0] == model.name else None
    before: dict[str, set[int]] = {}
    if record_id is not None and env.store.get(model.table, record_id) is not None:
        before = {child: set(_children(env, model, child, record_id)) for child in record.new_children}
        crud.write(env, model.name, [record_id], record.values)
    else:
        record_id = crud.create(env, model.name, [record.values])[0]
        if name:
            identity.register(env, module, name, model.name, record_id)
    for child, external_ids in record.new_children.items():
        made = [line for line in _children(env, model, child, record_id) if line not in before.get(child, set())]
        target = model.fields[child].relation
        for line_id, external_id in zip(made, external_ids, strict=False):
            if external_id:
                identity.register(env, *identity.split(external_id), target, line_id)
    return record_id


def _children(env: Env, model: Model, name: str, record_id: int) -> list[int]:
    """The children as they were made; those that follow from others (tax, receivable) are left out."""
    field_ = model.fields[name]
    target = env.model(field_.relation)
    statement = f"SELECT id FROM {target.table} WHERE {field_.inverse} = ? AND {field_.only or 1} ORDER BY id"  # noqa: S608
    return [row[0] for row in env.store.rows(statement, (record_id,))]
