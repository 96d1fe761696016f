"""Masterdata's rows prove themselves: whatever is changed past the service is named, and a name can be erased."""

from __future__ import annotations

from sqlalchemy import Engine, select, update

from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.engine import reading
from libs.storage.private import erased
from libs.storage.sealer import Sealer
from libs.storage.verification import ERASED, verify
from services.masterdata.storage import PROOFS, TABLES, MasterdataUow
from services.masterdata.storage.tables import PARTY
from tests.masterdata.company import World, new_world
from tests.storage.edits import unseen, unwitnessed
from tests.storage.fixtures import EngineFor


def lived(engine_for: EngineFor) -> World:
    """Masterdata with rows of every kind, all sealed."""
    world = new_world(engine_for)
    for code in ("MUG", "CUP"):
        world.create("product.product", {"name": code, "default_code": code})
    world.activate()
    world.sync()
    sealer = Sealer(world.new_uow, TABLES)
    while sealer.run_once():
        pass
    return world


def faults(engine: Engine) -> tuple[str, ...]:
    with reading(engine) as connection:
        return verify(connection, PROOFS).faults


def test_every_edit_by_sql_is_named_with_its_row(engine_for: EngineFor) -> None:
    tried, missed = unseen(lived(engine_for).engine, PROOFS)
    assert missed == []
    assert tried > 90, tried


def test_a_name_is_erased_and_its_row_stays_proved(engine_for: EngineFor) -> None:
    world = lived(engine_for)
    with MasterdataUow(world.engine) as uow:
        row = uow.connection.execute(select(PARTY).order_by(PARTY.c.odoo_id)).first()
        assert row is not None
        nameless = {"name": "", "name_proof": erased(row.name_proof)}
        mine = (PARTY.c.company == row.company) & (PARTY.c.odoo_id == row.odoo_id)
        uow.connection.execute(update(PARTY).where(mine).values(nameless))
        uow.commit()
    party = f"companies/{row.company}/parties/{row.odoo_id}"
    assert faults(world.engine) == (f"{party}: name was erased, and no audit entry says so",)
    with MasterdataUow(world.engine) as uow:
        AuditLog(uow.connection, TABLES).append([AuditEntry(party, ERASED, "people/ada", world.clock(), "")])
        uow.commit()
    assert faults(world.engine) == ()


def test_what_is_made_anew_after_an_edit_shows_against_a_witness_alone(engine_for: EngineFor) -> None:
    assert unwitnessed(lived(engine_for).engine, PROOFS) == []
