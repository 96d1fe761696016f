"""Every table and every column of every service says how it is proved, or why it need not be."""

from __future__ import annotations

import importlib

import pytest

from libs.storage.proofs import Chained, Proofs, Working
from libs.storage.uow import UnitOfWork
from scripts.tables import services


def proofs_of(service: str) -> Proofs:
    found = importlib.import_module(f"services.{service}.storage").PROOFS
    assert isinstance(found, Proofs)
    return found


@pytest.mark.parametrize("service", services())
def test_every_table_and_column_is_declared(service: str) -> None:
    assert proofs_of(service).undeclared() == []


@pytest.mark.parametrize("service", services())
def test_what_is_not_proved_says_why(service: str) -> None:
    for each in proofs_of(service).declared:
        reasons = (
            each.working.values() if isinstance(each, Chained) else [each.why] if isinstance(each, Working) else []
        )
        assert all(reasons)


@pytest.mark.parametrize("service", services())
def test_each_unit_of_work_proves_its_service_s_rows(service: str) -> None:
    module = importlib.import_module(f"services.{service}.storage.uow")
    found = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, UnitOfWork)]
    assert [kind.proofs for kind in found if kind is not UnitOfWork] == [proofs_of(service)]
