"""All models of the sandbox at one version of Odoo, as `schema.toml` lists them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from .fields import Field, Model

_FILE = Path(__file__).with_name("schema.toml")
_SINCE_19 = ("expense_other",)
_EVERY_MODEL = {
    "create_date": Field("datetime", "Created on", readonly=True),
    "write_date": Field("datetime", "Last Updated on", readonly=True),
    "display_name": Field("char", "Display Name", computed=True, readonly=True),
    "id": Field("integer", "ID", readonly=True),
}


@cache
def schema_at(version: int) -> dict[str, Model]:
    """The models by name, as that major version of Odoo has them."""
    models = {name: _model(name, facts, version) for name, facts in _listed().items()}
    for model in models.values():
        for name, field in model.fields.items():
            if field.related and field.kind == "selection":
                first, _, last = field.related.partition(".")
                followed = models[model.fields[first].relation].fields[last]
                model.fields[name] = replace(field, selection=followed.selection)
        model.fields.update(_EVERY_MODEL)
    return models


@cache
def _listed() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def _model(name: str, facts: dict[str, Any], version: int) -> Model:
    own = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    fields = {name: _field(spec, version) for name, spec in facts["fields"].items()}
    return Model(name, **own | {"fields": {name: field for name, field in fields.items() if field}})


def _field(spec: dict[str, Any], version: int) -> Field | None:
    """None where another version alone has it. The first pair is the field's kind and label."""
    (kind, label), *options = spec.items()
    named = dict(options)
    if named.pop("version", version) != version:
        return None
    values = tuple(value for value in named.pop("values", "").split() if version >= 19 or value not in _SINCE_19)
    return Field(kind, label, selection=values, **named)
