"""Create, write and unlink of any model, with the caller's rights and the model's own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import lines, masters, moves, reversal, statements
from .access import check
from .env import Env


def create(env: Env, model: str, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """New records, all or none."""
    check(env, model, "create")
    maker = _CREATE.get(model)
    if maker:
        return maker(env, vals_list)
    return masters.create(env, env.model(model), vals_list)


def write(env: Env, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    check(env, model, "write")
    if model == lines.MODEL:
        moves.write_lines(env, ids, values)
        found = env.store.get_all("account_move_line", list(ids)).values()
        statements.refresh_of_moves(env, [line["move_id"] for line in found])
        return True
    if model == moves.MODEL:
        moves.write(env, ids, values)
        statements.refresh_of_moves(env, ids)
        return True
    if model == statements.MODEL:
        return statements.write(env, ids, values)
    if model == "account.bank.statement":
        return statements.write_statements(env, ids, values)
    return masters.write(env, env.model(model), ids, values)


def unlink(env: Env, model: str, ids: Sequence[int]) -> bool:
    check(env, model, "unlink")
    if model == lines.MODEL:
        return moves.unlink_lines(env, ids)
    if model == moves.MODEL:
        return moves.unlink(env, ids)
    if model == statements.MODEL:
        return statements.unlink(env, ids)
    return masters.unlink(env, env.model(model), ids)


_CREATE = {
    moves.MODEL: moves.create,
    lines.MODEL: moves.create_lines,
    statements.MODEL: statements.create,
    "account.bank.statement": statements.create_statements,
    reversal.MODEL: reversal.create,
}
