"""Domains and orders as SQL: Odoo's prefix notation, paths through references included."""

from __future__ import annotations

from typing import Any

from .env import Env
from .failures import value_error
from .fields import Field, Model
from .values import is_empty, to_day, to_micro

_COMPARE = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_LIKE = {"like", "ilike", "not like", "not ilike", "=like", "=ilike"}
_NAMED_BY = {"account.move.line": "name", "account.account": "name", "res.partner": "complete_name"}


def where(env: Env, model: Model, domain: list[Any]) -> tuple[str, list[Any]]:
    """The condition and its parameters; an empty domain is true."""
    parts: list[tuple[str, list[Any]]] = []
    for term in reversed(domain):
        if term == "!":
            sql, values = parts.pop()
            parts.append((f"NOT ({sql})", values))
        elif term in ("&", "|"):
            (left, left_values), (right, right_values) = parts.pop(), parts.pop()
            word = "AND" if term == "&" else "OR"
            parts.append((f"({left} {word} {right})", left_values + right_values))
        elif isinstance(term, list | tuple) and len(term) == 3:
            parts.append(_leaf(env, model, str(term[0]), str(term[1]), term[2], term))
        else:
            raise value_error(f"Domain() invalid item in domain: {term!r}")
    if not parts:
        return "1", []
    parts.reverse()  # what is left over is joined by "and", in the order written
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


def order_by(env: Env, model: Model, order: str | None) -> str:
    """The ORDER BY list, with PostgreSQL's place for nothing: last ascending, first descending."""
    terms = []
    for term in (order or model.order).split(","):
        name, _, direction = term.strip().partition(" ")
        field = model.fields.get(name)
        if field is None or (not field.stored and not field.related):
            raise value_error(f"Invalid field {name!r} on model {model.name!r}")
        descending = direction.strip().lower().startswith("desc")
        column = _column(env, model, name, field)
        terms.append(f"{column} {'DESC NULLS FIRST' if descending else 'ASC NULLS LAST'}")
    return ", ".join(terms)


def search(
    env: Env, model: Model, domain: list[Any], offset: int = 0, limit: int | None = None, order: str | None = None
) -> list[int]:
    """The ids that the domain finds. Archived records are left out unless asked for."""
    condition, values = where(env, model, _with_active(env, model, domain))
    statement = f"SELECT id FROM {model.table} WHERE {condition} ORDER BY {order_by(env, model, order)}"  # noqa: S608
    if limit or offset:
        statement += f" LIMIT {int(limit or -1)} OFFSET {int(offset or 0)}"
    return [row[0] for row in env.store.rows(statement, values)]


def count(env: Env, model: Model, domain: list[Any]) -> int:
    condition, values = where(env, model, _with_active(env, model, domain))
    return int(env.store.one(f"SELECT COUNT(*) FROM {model.table} WHERE {condition}", values))  # noqa: S608


def _with_active(env: Env, model: Model, domain: list[Any]) -> list[Any]:
    if "active" not in model.fields or not env.context.get("active_test", True):
        return domain
    if any(isinstance(term, list | tuple) and term and term[0] == "active" for term in domain):
        return domain
    if not domain:
        return [["active", "=", True]]
    return ["&", ["active", "=", True], *_joined(domain)]


def _joined(domain: list[Any]) -> list[Any]:
    """The domain with its silent "and"s written out, so that it is one term."""
    missing = 1
    for term in domain:
        if term in ("&", "|"):
            missing += 1
        elif term != "!":
            missing -= 1
    return ["&"] * -missing + list(domain)


def _column(env: Env, model: Model, name: str, field: Field) -> str:
    """The column, or a sub-select where the field follows a reference."""
    if not field.related:
        return f"{model.table}.{name}"
    first, _, last = field.related.partition(".")
    target = env.model(model.fields[first].relation)
    inner = _column(env, target, last, target.fields[last])
    return f"(SELECT {inner} FROM {target.table} WHERE {target.table}.id = {model.table}.{first})"  # noqa: S608


def _leaf(env: Env, model: Model, path: str, operator: str, value: Any, term: Any) -> tuple[str, list[Any]]:
    if isinstance(term[0], int):  # the constants (1, "=", 1) and (0, "=", 1)
        return ("1" if term[0] == value else "0"), []
    name, _, rest = path.partition(".")
    field = model.fields.get(name)
    if field is None or (field.computed and name != "id"):
        shown = tuple(term)
        word = env.texts("leaf", "condition")
        raise value_error(f"Invalid field {model.name}.{path} in {word} {shown!r}")
    if field.related:
        return _leaf(env, model, f"{field.related}.{rest}" if rest else field.related, operator, value, term)
    if field.kind in ("one2many", "many2many"):
        return _many(env, model, field, rest, operator, value)
    if rest:
        target = env.model(field.relation)
        sql, values = _leaf(env, target, rest, operator, value, [rest, operator, value])
        return f"{model.table}.{name} IN (SELECT id FROM {target.table} WHERE {sql})", values  # noqa: S608
    return _plain(env, f"{model.table}.{name}", field, operator.lower(), value)


def _many(env: Env, model: Model, field: Field, rest: str, operator: str, value: Any) -> tuple[str, list[Any]]:
    target = env.model(field.relation)
    holder, (ours, theirs) = field.table, field.ends
    if field.kind == "one2many":
        holder, ours, theirs = target.table, field.inverse, "id"
    if not rest and is_empty(value):
        word = "NOT IN" if operator == "=" else "IN"
        return f"{model.table}.id {word} (SELECT {ours} FROM {holder} WHERE {ours} IS NOT NULL)", []  # noqa: S608
    negative = not rest and operator in ("!=", "not in")
    positive = {"!=": "=", "not in": "in"}.get(operator, operator) if negative else operator
    sql, values = _leaf(env, target, rest or "id", positive, value, [rest or "id", positive, value])
    inner = f"SELECT {ours} FROM {holder} WHERE {theirs} IN (SELECT id FROM {target.table} WHERE {sql})"  # noqa: S608
    return f"{model.table}.id {'NOT IN' if negative else 'IN'} ({inner})", values


def _plain(env: Env, column: str, field: Field, operator: str, value: Any) -> tuple[str, list[Any]]:
    if field.kind == "many2one" and isinstance(value, str) and value:
        return _by_name(env, column, field, operator, value)
    if operator in ("in", "not in"):
        return _among(env, column, field, operator, value)
    if operator in _LIKE:
        pattern = str(value) if operator.startswith("=") else f"%{value}%"
        negative = operator.startswith("not")
        folded = ("LIKE", "LIKE") if "ilike" in operator else ("LIKE", "GLOB")
        if folded[1] == "GLOB":  # SQLite's LIKE ignores case; GLOB does not
            pattern = pattern.replace("*", "[*]").replace("?", "[?]").replace("%", "*").replace("_", "?")
        sql = f"{column} {folded[1]} ?"
        return (f"({column} IS NULL OR NOT {sql})" if negative else sql), [pattern]
    if operator not in _COMPARE:
        raise value_error(f"Invalid operator {operator!r}")
    if operator in ("=", "!=") and is_empty(value):
        nothing = f"({column} IS NULL OR {column} = 0)" if field.kind == "boolean" else f"{column} IS NULL"
        return (nothing if operator == "=" else f"NOT ({nothing})"), []
    sql = f"{column} {_COMPARE[operator]} ?"
    if operator in ("!=", "<>"):
        sql = f"({column} IS NULL OR {sql})"
    return sql, [_operand(env, field, value)]


def _among(env: Env, column: str, field: Field, operator: str, value: Any) -> tuple[str, list[Any]]:
    wanted = list(value) if isinstance(value, list | tuple | set) else [value]
    chosen = [_operand(env, field, item) for item in wanted if not is_empty(item)]
    marks = ", ".join("?" * len(chosen))
    with_nothing = len(chosen) < len(wanted)
    sql = f"{column} IN ({marks})"
    if with_nothing:
        sql = f"({sql} OR {column} IS NULL)"
    if operator == "not in":
        sql = f"NOT ({sql})" if with_nothing else f"({column} IS NULL OR {column} NOT IN ({marks}))"
    return sql, chosen


def _by_name(env: Env, column: str, field: Field, operator: str, value: str) -> tuple[str, list[Any]]:
    target = env.model(field.relation)
    name = _NAMED_BY.get(target.name, "name")
    sql, values = _plain(env, f"{target.table}.{name}", target.fields[name], operator, value)
    return f"{column} IN (SELECT id FROM {target.table} WHERE {sql})", values  # noqa: S608


def _operand(env: Env, field: Field, value: Any) -> Any:
    if field.kind == "monetary":
        return to_micro(value)
    if field.kind == "boolean":
        return int(bool(value))
    if field.kind == "date":
        return to_day(value)
    if field.kind in ("integer", "many2one"):
        return int(value[0]) if isinstance(value, list | tuple) else int(value)
    return value
