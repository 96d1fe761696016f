"""Create, write and unlink of any model, with the caller's rights and the model's own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import changes, lines, masters, moves, reversal, statements
from .access import check
from .env import Env
from .failures import beyond_the_sandbox

_CREATE = {
    moves.MODEL: moves.create,
    statements.MODEL: statements.create,
    "account.bank.statement": statements.create_statements,
    reversal.MODEL: reversal.create,
}
_WRITE = {
    moves.MODEL: changes.write,
    lines.MODEL: changes.write_lines,
    statements.MODEL: statements.write,
}
_UNLINK = {moves.MODEL: changes.unlink, statements.MODEL: statements.unlink}


def create(env: Env, model: str, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """New records, all or none."""
    check(env, model, "create")
    if model == lines.MODEL:
        raise beyond_the_sandbox("journal items that are made apart from their journal entry")
    own = _CREATE.get(model)
    return own(env, vals_list) if own else masters.create(env, env.model(model), vals_list)


def write(env: Env, model: str, ids: Sequence[int], vals: Mapping[str, Any]) -> bool:
    """The values onto every record; statement lines follow their entries."""
    check(env, model, "write")
    own = _WRITE.get(model)
    if own is None:
        return masters.write(env, env.model(model), ids, vals)
    own(env, ids, vals)
    if model == moves.MODEL:
        statements.refresh_of_moves(env, ids)
    elif model == lines.MODEL:
        statements.refresh_of_lines(env, ids)
    return True


def unlink(env: Env, model: str, ids: Sequence[int]) -> bool:
    """Delete the records, or refuse."""
    check(env, model, "unlink")
    if model == lines.MODEL:
        raise beyond_the_sandbox("journal items that are deleted apart from their journal entry")
    own = _UNLINK.get(model)
    return own(env, ids) if own else masters.unlink(env, env.model(model), ids)
