"""All models of the sandbox at one version of Odoo."""

from __future__ import annotations

from functools import cache

from .fields import Field, Model
from .schema_books import BOOKS
from .schema_masters import MASTERS

_ID = Field("integer", "ID", readonly=True)


@cache
def schema_at(version: int) -> dict[str, Model]:
    """The models by name, as that major version of Odoo has them."""
    models = {}
    for model in (*MASTERS, *BOOKS):
        seen = model.at(version)
        seen.fields["id"] = _ID
        models[model.name] = seen
    return models
