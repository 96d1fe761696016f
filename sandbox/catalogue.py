"""The methods that can be called from outside, with the names of their arguments.

JSON-RPC sends arguments by position, JSON-2 by name: both meet here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from . import access, crud, grouping, identity, posting, query, reading, reconcile, reversal, statements
from .env import Env
from .load import load

Run: TypeAlias = Callable[[Env, str, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A public method: `on_ids` when it works on records, then the names of its arguments in order."""

    run: Run
    names: tuple[str, ...] = ()
    on_ids: bool = True
    needed: int = 0  # how many of the names must be given
    versions: tuple[int, ...] = (18, 19)

    def bind(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Positions to names; raises TypeError in Python's words."""
        names = (("ids",) if self.on_ids else ()) + self.names
        if len(args) > len(names):
            raise TypeError(f"{_class(model)}.{method}() takes {len(names)} positional arguments")
        bound = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names or name in bound:
                raise TypeError(f"{_class(model)}.{method}() got an unexpected keyword argument '{name}'")
            bound[name] = value
        bound.setdefault("ids", []) if self.on_ids else None
        missing = [name for name in self.names[: self.needed] if name not in bound]
        if missing:
            word = "argument" if len(missing) == 1 else "arguments"
            shown = " and ".join(f"'{name}'" for name in missing)
            raise TypeError(f"{_class(model)}.{method}() missing {len(missing)} required positional {word}: {shown}")
        return bound


def _class(model: str) -> str:
    return "".join(part.capitalize() for part in model.replace("_", ".").split("."))


def method_of(version: int, model: str, name: str) -> Method | None:
    """The model's own method, else the one that all models have."""
    found = _OWN.get((model, name)) or _ALL.get(name)
    return found if found and version in found.versions else None


def _create(env: Env, model: str, bound: dict[str, Any]) -> Any:
    values = bound["vals_list"]
    if isinstance(values, Mapping):
        return crud.create(env, model, [values])[0]
    return crud.create(env, model, list(values))


def _read(env: Env, model: str, bound: dict[str, Any]) -> Any:
    access.check(env, model, "read")
    return _shown(reading.read(env, env.model(model), reading.need_ids(bound["ids"]), bound.get("fields")), bound)


def _shown(records: list[dict[str, Any]], bound: dict[str, Any]) -> list[dict[str, Any]]:
    """References with their names, or with `load=None` as bare ids."""
    if bound.get("load", "_classic_read") is not None:
        return records

    def plain(value: Any) -> Any:
        pair = isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)
        return value[0] if pair else value

    return [{name: plain(value) for name, value in record.items()} for record in records]


def _search(env: Env, model: str, bound: dict[str, Any]) -> list[int]:
    access.check(env, model, "read")
    return query.search(
        env,
        env.model(model),
        list(bound.get("domain") or []),
        bound.get("offset") or 0,
        bound.get("limit"),
        bound.get("order"),
    )


def _search_read(env: Env, model: str, bound: dict[str, Any]) -> Any:
    for name in bound.get("fields") or []:
        if name not in env.model(model).fields:
            raise env.unknown_field(model, name, reading=True)
    return _shown(reading.read(env, env.model(model), _search(env, model, bound), bound.get("fields")), bound)


def _search_count(env: Env, model: str, bound: dict[str, Any]) -> int:
    access.check(env, model, "read")
    return query.count(env, env.model(model), list(bound.get("domain") or []))


def _load(env: Env, model: str, bound: dict[str, Any]) -> Any:
    return load(env, model, bound["fields"], bound["data"])


def _read_group(env: Env, model: str, bound: dict[str, Any]) -> Any:
    access.check(env, model, "read")
    return grouping.read_group(env, env.model(model), **bound)


def _formatted(env: Env, model: str, bound: dict[str, Any]) -> Any:
    access.check(env, model, "read")
    return grouping.formatted_read_group(env, env.model(model), **bound)


def _on_ids(act: Callable[[Env, list[int]], Any], model: str = "", operation: str = "write") -> Run:
    def run(env: Env, called: str, bound: dict[str, Any]) -> Any:
        access.check(env, model or called, operation)
        return act(env, reading.need_ids(bound["ids"]))

    return run


def _post(env: Env, model: str, bound: dict[str, Any]) -> Any:
    return posting.action_post(env, reading.need_ids(bound["ids"]))


def _reconcile(env: Env, ids: list[int]) -> None:
    reconcile.reconcile(env, ids)
    found = env.store.get_all("account_move_line", ids).values()
    statements.refresh_of_moves(env, [line["move_id"] for line in found])


def _revoke(env: Env, ids: list[int]) -> None:
    for record_id in ids:
        env.store.update("account_lock_exception", record_id, {"active": 0})


def _reference(env: Env, model: str, bound: dict[str, Any]) -> Any:
    return identity.check_object_reference(env, **bound)


def _has_group(env: Env, model: str, bound: dict[str, Any]) -> bool:
    ids = reading.need_ids(bound["ids"]) or [env.uid]
    return bound["group_ext_id"] in access.groups_of(env.store, ids[0])


_PAGE = ("offset", "limit", "order")
READING = ("search", "read", "search_read", "search_count", "fields_get", "check_object_reference", "has_group")
_ALL: dict[str, Method] = {
    "create": Method(_create, ("vals_list",), on_ids=False, needed=1),
    "write": Method(
        lambda env, model, bound: crud.write(env, model, reading.need_ids(bound["ids"]), bound["vals"]),
        ("vals",),
        needed=1,
    ),
    "unlink": Method(lambda env, model, bound: crud.unlink(env, model, reading.need_ids(bound["ids"]))),
    "read": Method(_read, ("fields", "load")),
    "search": Method(_search, ("domain", *_PAGE), on_ids=False, needed=1),
    "search_read": Method(_search_read, ("domain", "fields", *_PAGE, "load"), on_ids=False),
    "search_count": Method(_search_count, ("domain", "limit"), on_ids=False, needed=1),
    "load": Method(_load, ("fields", "data"), on_ids=False, needed=2),
    "fields_get": Method(
        lambda env, model, bound: reading.fields_get(env, env.model(model), **bound),
        ("allfields", "attributes"),
        on_ids=False,
    ),
    "get_external_id": Method(
        lambda env, model, bound: identity.get_external_id(env, model, reading.need_ids(bound["ids"]))
    ),
    "read_group": Method(
        _read_group,
        ("domain", "fields", "groupby", "offset", "limit", "orderby", "lazy"),
        on_ids=False,
        needed=3,
        versions=(18,),
    ),
    "formatted_read_group": Method(
        _formatted,
        ("domain", "groupby", "aggregates", "offset", "limit", "order"),
        on_ids=False,
        needed=1,
        versions=(19,),
    ),
}
_OWN: dict[tuple[str, str], Method] = {
    ("account.move", "action_post"): Method(_post),
    ("account.move", "button_draft"): Method(_on_ids(posting.button_draft)),
    ("account.move", "button_cancel"): Method(_on_ids(posting.button_cancel)),
    ("account.move.line", "reconcile"): Method(_on_ids(_reconcile)),
    ("account.move.line", "remove_move_reconcile"): Method(_on_ids(reconcile.remove)),
    ("account.move.reversal", "refund_moves"): Method(_on_ids(reversal.refund_moves)),
    ("account.move.reversal", "modify_moves"): Method(_on_ids(reversal.modify_moves)),
    ("account.bank.statement.line", "action_undo_reconciliation"): Method(
        _on_ids(statements.action_undo_reconciliation)
    ),
    ("account.lock_exception", "action_revoke"): Method(_on_ids(_revoke)),
    ("ir.model.data", "check_object_reference"): Method(
        _reference, ("module", "xml_id", "raise_on_access_error"), on_ids=False, needed=2
    ),
    ("res.users", "has_group"): Method(_has_group, ("group_ext_id",), needed=1),
    ("res.users", "context_get"): Method(
        lambda env, model, bound: {"lang": "en_US", "tz": False, "uid": env.uid}, on_ids=False
    ),
}
