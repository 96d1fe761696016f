"""Sums by group: `read_group` (18) and `formatted_read_group` (19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .access import check
from .env import Env
from .failures import value_error
from .fields import MICRO, Model
from .query import where
from .reading import column

_MONTHS = "%Y-%m"


def formatted_read_group(
    env: Env,
    model: str,
    domain: list[Any],
    groupby: Sequence[str] = (),
    aggregates: Sequence[str] = (),
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[dict[str, Any]]:
    """Groups as 19 gives them: `field:sum` keys, `__count` on request, `__extra_domain`."""
    groups = _groups(env, model, domain, list(groupby), [name for name in aggregates if name != "__count"])
    shown = []
    for group in groups[offset : offset + limit if limit else None]:
        entry = {name: group["keys"][name] for name in groupby}
        entry |= {name: group["sums"][name] for name in aggregates if name != "__count"}
        if "__count" in aggregates:
            entry["__count"] = group["count"]
        entry["__extra_domain"] = _domain_of(group["keys"])
        shown.append(entry)
    return shown


def read_group(
    env: Env,
    model: str,
    domain: list[Any],
    fields: Sequence[str],
    groupby: Sequence[str] | str,
    offset: int = 0,
    limit: int | None = None,
    orderby: str | None = None,
    lazy: bool = True,
) -> list[dict[str, Any]]:
    """Groups as 18 gives them: plain field names, a count and the group's domain."""
    names = [groupby] if isinstance(groupby, str) else list(groupby)
    used = names[:1] if lazy else names
    sums = [name if ":" in name else f"{name}:sum" for name in fields if name.split(":")[0] not in names]
    shown = []
    for group in _groups(env, model, domain, used, sums)[offset : offset + limit if limit else None]:
        entry = {name: group["keys"][name] for name in used}
        entry |= {name.split(":")[0]: total for name, total in group["sums"].items()}
        entry[f"{used[0]}_count" if lazy and used else "__count"] = group["count"]
        entry["__domain"] = ["&"] * len(_domain_of(group["keys"])) + _domain_of(group["keys"]) + list(domain)
        shown.append(entry)
    return shown


def _groups(env: Env, called: str, domain: list[Any], groupby: list[str], sums: list[str]) -> list[dict[str, Any]]:
    check(env, called, "read")
    model = env.model(called)
    condition, values = where(env, model, domain)
    keys = [_key(env, model, name) for name in groupby]
    totals = [_total(env, model, name) for name in sums]
    columns = ", ".join([*keys, *totals, "COUNT(*)", "MIN(id)"])
    statement = f"SELECT {columns} FROM {model.table} WHERE {condition}"  # noqa: S608
    if keys:
        places = ", ".join(str(number) for number in range(1, len(keys) + 1))
        statement += f" GROUP BY {places} ORDER BY {places}"
    groups = []
    for row in env.store.rows(statement, values):
        if not row[-1]:
            continue
        labels = {name: _label(env, model, name, row[number], row[-1]) for number, name in enumerate(groupby)}
        amounts = {name: _scaled(model, name, row[len(keys) + number]) for number, name in enumerate(sums)}
        groups.append({"keys": labels, "sums": amounts, "count": row[-2]})
    return groups


def _key(env: Env, model: Model, name: str) -> str:
    field, _, part = name.partition(":")
    _need_stored(env, model, field)
    if part == "month":
        return f"strftime('{_MONTHS}', {field})"
    if part:
        raise value_error(f"Unsupported granularity {part!r}")
    return field


def _total(env: Env, model: Model, name: str) -> str:
    field, _, function = name.partition(":")
    _need_stored(env, model, field)
    if function not in ("sum", "min", "max", "avg", "count"):
        raise value_error(f"Invalid aggregate {name!r}")
    return f"{function.upper()}({field})"


def _need_stored(env: Env, model: Model, field: str) -> None:
    if field not in model.fields:
        raise env.unknown_field(model.name, field, reading=True)
    if not model.fields[field].stored:
        raise value_error(f"Cannot group or sum {model.name}.{field}: it is not stored")


def _label(env: Env, model: Model, name: str, value: Any, sample_id: int) -> Any:
    if ":" in name:
        return value or False
    row = env.store.need(model.table, sample_id)
    return column(env, model, name, [row])[sample_id]


def _scaled(model: Model, name: str, total: Any) -> Any:
    field, _, function = name.partition(":")
    if model.fields[field].kind == "monetary" and function != "count":
        return (total or 0) / MICRO
    return total


def _domain_of(keys: dict[str, Any]) -> list[Any]:
    plain = {name: value[0] if isinstance(value, list) else value for name, value in keys.items()}
    return [[name, "=", value] for name, value in plain.items() if ":" not in name]
