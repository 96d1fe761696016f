"""External ids: the one handle that Odoo's own database keeps unique."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .access import check
from .env import Env
from .failures import constraint_error, value_error
from .query import search


def find(env: Env, module: str, name: str) -> tuple[str, int] | None:
    """The model and id that an external id names."""
    rows = env.store.rows("SELECT model, res_id FROM ir_model_data WHERE module = ? AND name = ?", (module, name))
    return (rows[0]["model"], rows[0]["res_id"]) if rows else None


def register(env: Env, module: str, name: str, model: str, record_id: int) -> int:
    """Give a record an external id; refused by the unique index if it is taken."""
    if find(env, module, name) is not None:
        raise constraint_error(
            'duplicate key value violates unique constraint "ir_model_data_module_name_uniq_index"\n'
            f"DETAIL:  Key (module, name)=({module}, {name}) already exists.\n"
        )
    env.store.ghosts.pop((module, name), None)
    values = {"module": module, "name": name, "model": model, "res_id": record_id, "noupdate": 0}
    return env.store.insert("ir_model_data", values | {"create_date": env.stamp, "write_date": env.stamp})


def forget(env: Env, model: str, ids: Iterable[int]) -> None:
    """Records that go take their external ids along."""
    pairs = [(model, record_id) for record_id in ids]
    env.store.db.executemany("DELETE FROM ir_model_data WHERE model = ? AND res_id = ?", pairs)


def split(external_id: str, default_module: str = "__import__") -> tuple[str, str]:
    """`module.name`; without a module Odoo takes `__import__`."""
    module, dot, name = external_id.partition(".")
    return (module, name) if dot else (default_module, module)


def check_object_reference(
    env: Env, called: str, module: str, xml_id: str, raise_on_access_error: bool = False
) -> list[Any]:
    """`[model, id]`. Needs no right to read external ids, only to read the record itself."""
    found = find(env, module, xml_id)
    if found is None and (module, xml_id) in env.store.ghosts:
        return [env.store.ghosts[module, xml_id], False]  # observed live: the cache outlives the rollback
    if found is None:
        raise value_error(f"External ID not found in the system: {module}.{xml_id}")
    model, record_id = found
    check(env, model, "read")
    visible = search(env.with_context(active_test=False), env.model(model), [["id", "=", record_id]])
    return [model, record_id if visible else False]


def get_external_id(env: Env, model: str, ids: list[int]) -> dict[str, str]:
    """One external id for each record, an empty text where there is none."""
    named = {str(record_id): "" for record_id in ids}
    for record_id in ids:
        rows = env.store.rows(
            "SELECT module, name FROM ir_model_data WHERE model = ? AND res_id = ? ORDER BY id LIMIT 1",
            (model, record_id),
        )
        if rows:
            named[str(record_id)] = f"{rows[0]['module']}.{rows[0]['name']}"
    return named
