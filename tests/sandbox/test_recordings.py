"""The sandbox answers what Odoo was recorded to answer, call by call, and knows no field that Odoo lacks."""

from __future__ import annotations

import json

import pytest

from sandbox.schema import schema_at
from tests.sandbox.replay import RECORDED, Replay, recorded_company

# Calls on records whose making was not recorded.
LEFT_OUT = 10
# How the sandbox describes a field where Odoo has a richer kind of it.
SAME_ON_THE_WIRE = {
    ("selection", "char"),
    ("html", "text"),
    ("html", "char"),
    ("float", "monetary"),
    ("many2one_reference", "integer"),
}


@pytest.mark.parametrize("version", [18, 19])
def test_every_recorded_call_gets_the_recorded_answer(version: int) -> None:
    replay = Replay(recorded_company(version))
    for name in ("03-moves", "04-entries-errors", "05-locks-access"):
        replay.play(name)
    assert replay.differences == []
    assert len(replay.left_out) == LEFT_OUT, replay.left_out
    assert replay.played > 130


@pytest.mark.parametrize("version", [18, 19])
def test_every_field_of_the_sandbox_is_one_of_odoo_with_its_kind_and_relation(version: int) -> None:
    recorded = json.loads((RECORDED / str(version) / "02-fields.json").read_text("utf-8"))
    wrong = []
    for model in schema_at(version).values():
        for name, field in model.fields.items() if model.name in recorded else ():
            kind, relation = recorded[model.name].get(name, ("nothing", ""))
            if kind != field.kind and (kind, field.kind) not in SAME_ON_THE_WIRE:
                wrong.append(f"{model.name}.{name}: {field.kind}, in Odoo {kind}")
            if field.relation and relation != field.relation:
                wrong.append(f"{model.name}.{name}: to {field.relation}, in Odoo {relation}")
    assert wrong == []
    assert len(recorded) >= 15
