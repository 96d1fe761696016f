"""The methods that can be called from outside: a function's own arguments are the method's.

JSON-RPC sends arguments by position, JSON-2 by name: both meet here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

from . import access, actions, crud, grouping, identity, load, query, reading, reconcile, reversal, statements, undo
from .env import Env

_CLASSIC = "_classic_read"


@dataclass(frozen=True, slots=True)
class Method:
    """A public method: `on_ids` when it works on records, then the names of its arguments in order."""

    run: Callable[..., Any]
    on_ids: bool
    names: tuple[str, ...]
    needed: int  # how many of the names must be given
    versions: tuple[int, ...]

    @classmethod
    def of(cls, run: Callable[..., Any], versions: tuple[int, ...] = (18, 19)) -> Method:
        """From `run(env, model, ids, …)`, or `run(env, model, …)` where no records are named."""
        given = list(signature(run).parameters.values())[2:]
        on_ids = bool(given) and given[0].name == "ids"
        others = given[1:] if on_ids else given
        needed = sum(parameter.default is Parameter.empty for parameter in others)
        return cls(run, on_ids, tuple(parameter.name for parameter in others), needed, versions)

    def bind(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Positions to names; raises TypeError in Python's words."""
        called = f"{''.join(part.capitalize() for part in model.replace('_', '.').split('.'))}.{method}()"
        names = (("ids",) if self.on_ids else ()) + self.names
        if len(args) > len(names):
            raise TypeError(f"{called} takes {len(names)} positional arguments")
        bound = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names or name in bound:
                raise TypeError(f"{called} got an unexpected keyword argument '{name}'")
            bound[name] = value
        missing = [name for name in self.names[: self.needed] if name not in bound]
        if missing:
            word = "argument" if len(missing) == 1 else "arguments"
            shown = " and ".join(f"'{name}'" for name in missing)
            raise TypeError(f"{called} missing {len(missing)} required positional {word}: {shown}")
        if self.on_ids:
            bound["ids"] = reading.need_ids(bound.get("ids"))
        return bound


def method_of(version: int, model: str, name: str) -> Method | None:
    """The model's own method, else the one that all models have."""
    found = _OWN.get((model, name)) or _ALL.get(name)
    return found if found and version in found.versions else None


def _create(env: Env, model: str, vals_list: Any) -> Any:
    if isinstance(vals_list, Mapping):
        return crud.create(env, model, [vals_list])[0]
    return crud.create(env, model, list(vals_list))


def _read(env: Env, model: str, ids: list[int], fields: Any = None, load: Any = _CLASSIC) -> Any:
    access.check(env, model, "read")
    return _shown(reading.read(env, env.model(model), ids, fields), load)


def _shown(records: list[dict[str, Any]], load: Any) -> list[dict[str, Any]]:
    """References with their names, or with `load=None` as bare ids."""
    if load is not None:
        return records

    def plain(value: Any) -> Any:
        pair = isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)
        return value[0] if pair else value

    return [{name: plain(value) for name, value in record.items()} for record in records]


def _search(env: Env, model: str, domain: Any, offset: Any = 0, limit: Any = None, order: Any = None) -> list[int]:
    access.check(env, model, "read")
    return query.search(env, env.model(model), list(domain or []), offset or 0, limit, order)


def _search_read(
    env: Env,
    model: str,
    domain: Any = None,
    fields: Any = None,
    offset: Any = 0,
    limit: Any = None,
    order: Any = None,
    load: Any = _CLASSIC,
) -> Any:
    for name in fields or []:
        if name not in env.model(model).fields:
            raise env.unknown_field(model, name, reading=True)
    return _read(env, model, _search(env, model, domain, offset, limit, order), fields, load)


def _search_count(env: Env, model: str, domain: Any, limit: Any = None) -> int:
    access.check(env, model, "read")
    return query.count(env, env.model(model), list(domain or []))


def _on_ids(act: Callable[[Env, list[int]], Any]) -> Method:
    def run(env: Env, model: str, ids: list[int]) -> Any:
        access.check(env, model, "write")
        return act(env, ids)

    return Method.of(run)


def _post(env: Env, model: str, ids: list[int]) -> Any:
    return actions.action_post(env, ids)


def _reconcile(env: Env, ids: list[int]) -> None:
    reconcile.reconcile(env, ids)
    statements.refresh_of_lines(env, ids)


def _revoke(env: Env, ids: list[int]) -> None:
    for record_id in ids:
        env.store.update("account_lock_exception", record_id, {"active": 0})


def _has_group(env: Env, model: str, ids: list[int], group_ext_id: str) -> bool:
    return group_ext_id in access.groups_of(env.store, ids[0] if ids else env.uid)


def _context_get(env: Env, model: str) -> dict[str, Any]:
    return {"lang": "en_US", "tz": False, "uid": env.uid}


READING = ("search", "read", "search_read", "search_count", "fields_get", "check_object_reference", "has_group")
_ALL = {
    "create": Method.of(_create),
    "write": Method.of(crud.write),
    "unlink": Method.of(crud.unlink),
    "read": Method.of(_read),
    "search": Method.of(_search),
    "search_read": Method.of(_search_read),
    "search_count": Method.of(_search_count),
    "load": Method.of(load.load),
    "fields_get": Method.of(reading.fields_get),
    "get_external_id": Method.of(identity.get_external_id),
    "read_group": Method.of(grouping.read_group, versions=(18,)),
    "formatted_read_group": Method.of(grouping.formatted_read_group, versions=(19,)),
}
_OWN = {
    ("account.move", "action_post"): Method.of(_post),
    ("account.move", "button_draft"): _on_ids(actions.button_draft),
    ("account.move", "button_cancel"): _on_ids(actions.button_cancel),
    ("account.move.line", "reconcile"): _on_ids(_reconcile),
    ("account.move.line", "remove_move_reconcile"): _on_ids(undo.remove),
    ("account.move.reversal", "refund_moves"): _on_ids(reversal.refund_moves),
    ("account.move.reversal", "modify_moves"): _on_ids(reversal.modify_moves),
    ("account.bank.statement.line", "action_undo_reconciliation"): _on_ids(statements.action_undo_reconciliation),
    ("account.lock_exception", "action_revoke"): _on_ids(_revoke),
    ("ir.model.data", "check_object_reference"): Method.of(identity.check_object_reference),
    ("res.users", "has_group"): Method.of(_has_group),
    ("res.users", "context_get"): Method.of(_context_get),
}
