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
class Source:
    """One record as the rows give it: the document's cells and its children's."""

    first: int
    last: int
    cells: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)  # fields as their columns come


@dataclass(slots=True)
class Wanted:
    """A record ready to be made or changed: its values and who is called what."""

    external_id: str
    values: dict[str, Any]
    new_children: dict[str, list[str]]


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
    sources = _extract(model, paths, data)
    messages: list[dict[str, Any]] = []
    wanted: list[tuple[int, Source, Wanted]] = []
    for index, source in enumerate(sources):
        try:
            wanted.append((index, source, _convert(env, model, source)))
        except BadCell as bad:
            messages.append(_message(index, source, bad.text) | {"field": bad.name})
    if messages:
        return {"ids": False, "messages": messages, "nextrow": 0}
    ids, messages = _store(env, model, wanted)
    return {"ids": ids if not messages else False, "messages": messages, "nextrow": 0}


def _check_path(env: Env, model: Model, path: list[str]) -> None:
    name = path[0]
    if name in ("id", ".id"):
        return
    if name not in model.fields:
        raise value_error(f"Invalid field name '{'/'.join(path)}'")
    if len(path) > 1 and model.fields[name].relation:
        _check_path(env, env.model(model.fields[name].relation), path[1:])


def _extract(model: Model, paths: list[list[str]], data: Sequence[Sequence[Any]]) -> list[Source]:
    """Rows to records: a row whose only values are children's continues the record before it."""
    child_columns = [n for n, path in enumerate(paths) if _is_child(model, path)]
    own_columns = [n for n, path in enumerate(paths) if not _is_child(model, path)]
    sources: list[Source] = []
    for number, row in enumerate(data):
        continues = sources and any(row[n] for n in child_columns) and not any(row[n] for n in own_columns)
        if not continues:
            source = Source(number, number, order=list(dict.fromkeys(path[0] for path in paths)))
            source.cells = {"/".join(paths[n]): row[n] for n in own_columns}
            sources.append(source)
        source = sources[-1]
        source.last = number
        children: dict[str, dict[str, Any]] = {}
        for n in child_columns:
            children.setdefault(paths[n][0], {})["/".join(paths[n][1:])] = row[n]
        for name, cells in children.items():
            if any(cells.values()):
                source.children.setdefault(name, []).append(cells)
    return sources


def _is_child(model: Model, path: list[str]) -> bool:
    return path[0] in model.fields and model.fields[path[0]].kind == "one2many"


def _convert(env: Env, model: Model, source: Source) -> Wanted:
    values: dict[str, Any] = {}
    new_children: dict[str, list[str]] = {}
    scalars = _scalars(env, model, source.cells)
    for name in source.order:
        if name in scalars:
            values[name] = scalars[name]
        elif name in source.children:
            values[name], new_children[name] = _child_commands(env, model.fields[name], source.children[name])
    return Wanted(str(source.cells.get("id") or ""), values, new_children)


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


def _store(env: Env, model: Model, wanted: list[tuple[int, Source, Wanted]]) -> tuple[list[int], list[dict[str, Any]]]:
    """All records or none; when the batch fails each is tried alone, to say which are wrong."""
    saved: list[Wanted] = []
    try:
        with env.store.savepoint():
            ids = []
            for _, _, record in wanted:
                ids.append(_save(env, model, record))
                saved.append(record)
            return ids, []
    except ServerFailure as failure:
        _remember(env, model, saved)
        if len(wanted) == 1 or "not balanced" in failure.message:
            # An unbalanced record spoils the others' checks too: each gets its text.
            return [], [_message(index, source, failure.swallowed_by_load) for index, source, _ in wanted]
    messages = []
    ids = []
    try:
        with env.store.savepoint():
            for index, source, record in wanted:
                try:
                    with env.store.savepoint():
                        ids.append(_save(env, model, record))
                except ServerFailure as failure:
                    messages.append(_message(index, source, failure.swallowed_by_load))
            if messages:
                raise _Undone
    except _Undone:
        return [], messages
    return ids, []


def _remember(env: Env, model: Model, saved: list[Wanted]) -> None:
    """What the batch made before it failed is gone, but Odoo's cache still knows its external ids."""
    for record in saved:
        if record.external_id:
            module, name = identity.split(record.external_id)
            if identity.find(env, module, name) is None:
                env.store.ghosts[module, name] = model.name


class _Undone(Exception):
    """Takes the good records back when one of the batch is bad."""


def _save(env: Env, model: Model, record: Wanted) -> int:
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
    made = "display_type IN ('product', 'line_section', 'line_note')" if name == "invoice_line_ids" else "1"
    statement = f"SELECT id FROM {target.table} WHERE {field_.inverse} = ? AND {made} ORDER BY id"  # noqa: S608
    return [row[0] for row in env.store.rows(statement, (record_id,))]


def _message(index: int, source: Source, text: str) -> dict[str, Any]:
    return {"rows": {"from": source.first, "to": source.last}, "record": index, "type": "error", "message": text}
