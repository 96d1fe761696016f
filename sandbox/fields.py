"""How the sandbox describes a model: fields as data, one table a model.

Money is kept as whole millionths of the currency's unit, so that sums are exact and any
ISO 4217 exponent fits; it becomes a JSON number only on the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MICRO = 1_000_000  # units of a stored monetary amount in one unit of its currency
ANY_USER = "base.group_user"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `related` follows a path and is not stored; `computed` is made when read."""

    kind: str
    label: str = ""
    relation: str = ""
    inverse: str = ""  # one2many: the many2one that points back
    table: str = ""  # many2many: its table; left is ours unless `swapped`
    swapped: bool = False
    related: str = ""
    computed: bool = False
    selection: tuple[str, ...] = ()
    required: bool = False
    readonly: bool = False
    size: int = 0  # text is cut to it, silently, as Odoo does
    digits: int = -1  # a float keeps so many digits; -1 for all
    index: bool = False
    only: str = ""  # one2many: a condition on the children, where it shows only some of them

    @property
    def stored(self) -> bool:
        """Whether it is a column of the model's own table."""
        return not self.related and not self.computed and self.kind not in ("one2many", "many2many")

    @property
    def ends(self) -> tuple[str, str]:
        """Of a many2many's table: the column of our id, and that of the other's."""
        return ("right_id", "left_id") if self.swapped else ("left_id", "right_id")


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its fields, its default order, and what a new record has unless told otherwise."""

    name: str
    label: str
    order: str
    fields: dict[str, Field] = field(default_factory=dict)
    unique: Mapping[str, Any] = field(default_factory=dict)  # `columns`, and the text of the `refusal`
    defaults: Mapping[str, Any] = field(default_factory=dict)  # stored values
    read: tuple[str, ...] = (ANY_USER,)  # the groups that may
    change: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return self.name.replace(".", "_")
