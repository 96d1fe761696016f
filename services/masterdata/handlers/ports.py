"""What the use cases need of the world. `adapters` fulfil it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..domain.mapping import CompanyMapping
from ..domain.records import Reading

ReadMapping = Callable[[str], CompanyMapping]  # raises `MappingInvalid`


class MasterSource(Protocol):
    """Where masters come from: Odoo."""

    def read(self, company: str, odoo_company: int) -> Reading:
        """All masters of the company; 0 stands for the only company that the user sees.

        Raises `CompanyAmbiguous`, `CompanyUnknown` or the port's own errors.
        """
        ...
