"""All models of the sandbox at one version of Odoo."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from .fields import Field, Model, char, instant
from .schema_books import BOOKS
from .schema_masters import MASTERS

_SINCE_19 = ("expense_other",)
_EVERY_MODEL = {
    "create_date": instant("Created on", readonly=True),
    "write_date": instant("Last Updated on", readonly=True),
    "display_name": char("Display Name", computed=True, readonly=True),
    "id": Field("integer", "ID", readonly=True),
}


@cache
def schema_at(version: int) -> dict[str, Model]:
    """The models by name, as that major version of Odoo has them."""
    models = {}
    for model in (*MASTERS, *BOOKS):
        seen = model.at(version)
        if version < 19:
            for name, field in seen.fields.items():
                known = tuple(value for value in field.selection if value not in _SINCE_19)
                seen.fields[name] = replace(field, selection=known)
        seen.fields.update(_EVERY_MODEL)
        models[model.name] = seen
    return models
