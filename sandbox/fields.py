"""How the sandbox describes a model: fields as data, one table a model.

Money is kept as whole millionths of the currency's unit, so that sums are exact and any
ISO 4217 exponent fits; it becomes a JSON number only on the way out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

MICRO = 1_000_000  # units of a stored monetary amount in one unit of its currency


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
    versions: tuple[int, ...] = (18, 19)

    @property
    def stored(self) -> bool:
        """Whether it is a column of the model's own table."""
        return not self.related and not self.computed and self.kind not in ("one2many", "many2many")


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its fields, its default order and how its records are named."""

    name: str
    label: str
    order: str
    fields: dict[str, Field] = field(default_factory=dict)
    unique: tuple[tuple[tuple[str, ...], str], ...] = ()  # columns, the text of the refusal

    @property
    def table(self) -> str:
        return self.name.replace(".", "_")

    def at(self, version: int) -> Model:
        """The model as that version of Odoo has it."""
        fields = {name: spec for name, spec in self.fields.items() if version in spec.versions}
        return replace(self, fields=fields)


def char(label: str, **options: object) -> Field:
    return Field("char", label, **options)  # type: ignore[arg-type]


def text(label: str, **options: object) -> Field:
    return Field("text", label, **options)  # type: ignore[arg-type]


def integer(label: str, **options: object) -> Field:
    return Field("integer", label, **options)  # type: ignore[arg-type]


def real(label: str, **options: object) -> Field:
    return Field("float", label, **options)  # type: ignore[arg-type]


def boolean(label: str, **options: object) -> Field:
    return Field("boolean", label, **options)  # type: ignore[arg-type]


def money(label: str, **options: object) -> Field:
    return Field("monetary", label, **options)  # type: ignore[arg-type]


def day(label: str, **options: object) -> Field:
    return Field("date", label, **options)  # type: ignore[arg-type]


def instant(label: str, **options: object) -> Field:
    return Field("datetime", label, **options)  # type: ignore[arg-type]


def choice(label: str, values: str, **options: object) -> Field:
    return Field("selection", label, selection=tuple(values.split()), **options)  # type: ignore[arg-type]


def document(label: str, **options: object) -> Field:
    return Field("json", label, **options)  # type: ignore[arg-type]


def to_one(label: str, relation: str, **options: object) -> Field:
    return Field("many2one", label, relation, **options)  # type: ignore[arg-type]


def to_many(label: str, relation: str, inverse: str, **options: object) -> Field:
    return Field("one2many", label, relation, inverse, **options)  # type: ignore[arg-type]


def links(label: str, relation: str, table: str, **options: object) -> Field:
    return Field("many2many", label, relation, table=table, **options)  # type: ignore[arg-type]
