"""Who may do what: Odoo's groups as far as the models here need them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from .env import ROBOT, Env
from .failures import access_error
from .store import SqliteStore

INVOICE = "account.group_account_invoice"

# By external id: its name in each version, and the groups that it implies.
GROUPS = tomllib.loads(Path(__file__).with_name("groups.toml").read_text("utf-8"))
_VERBS = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


def check(env: Env, model: str, operation: str) -> None:
    """Raise Odoo's AccessError unless one of the user's groups allows the operation."""
    if env.uid == ROBOT:
        return
    known = env.model(model)
    allowed = known.read if operation == "read" else known.change
    if env.groups.intersection(allowed):
        return
    text = f"You are not allowed to {_VERBS[operation]} '{known.label}' ({model}) records.\n\n"
    if allowed:
        names = sorted(GROUPS[group][f"name_{env.version}"] for group in allowed)
        listed = "".join(f"\t- {name}\n" for name in names)
        text += f"This operation is allowed for the following groups:\n{listed}\n"
    else:
        text += "No group currently allows this operation.\n\n"
    raise access_error(text + "Contact your administrator to request access if necessary.")


def check_may_post(env: Env) -> None:
    if env.uid != ROBOT and INVOICE not in env.groups:
        raise access_error("You don't have the access rights to post an invoice.")


def groups_of(store: SqliteStore, user_id: int) -> frozenset[str]:
    """The user's groups by external id, with all that they imply."""
    rows = store.rows(
        "SELECT d.module || '.' || d.name FROM res_groups_users_rel r JOIN ir_model_data d"
        " ON d.model = 'res.groups' AND d.res_id = r.right_id WHERE r.left_id = ?",
        (user_id,),
    )
    found: set[str] = set()
    waiting = [row[0] for row in rows]
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting += GROUPS[group]["implied"] if group in GROUPS else []
    return frozenset(found)
