"""How each table of a service proves itself: every table and every column is declared, beside the tables.

    PROOFS = Proofs(
        TABLES,
        Chained(
            POSTING,
            subject="companies/{company}/postings/{key}",
            proved=("key", "company", "state", …),
            by_proof=("document",),
            working=LEASE | {"reconcile_at": "when its story's turn is"},
            children=(Child(POSTING_DEPENDENCY, of="posting", parent="key", proved=("predecessor",)),),
        ),
        Derived(TABLES.total, "what the events add up to", totals_of_events),
        Working(REQUEST, "answers for whoever asks again"),
    )

*Chained*: the last audit entry of the row's subject carries the digest of what is `proved` of the row and its children.
*Derived*: it can be computed from chained rows, and verification does. *Working*: nothing of the business, and why.

What `proved` names, in its order, is the digest's version 1 and never changes. A column that comes later is named in
`later`, as one more version: rows keep the digests that they have, and prove the new column from their next entry on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, Table

from .tables import SystemTables

LEASE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("available_at", "lease_owner", "lease_until", "fence", "attempts"), "who works on it, and when it is due"
    )
)
Check = Callable[[Connection], Iterator[str]]  # names what is not as it is computed

FIELD = re.compile(r"\{(\w+)\}")  # a column in a subject


def no_check(connection: Connection) -> Iterator[str]:
    """Of what only follows from chained rows while it is worked on."""
    return iter(())


@dataclass(frozen=True)
class Child:
    """Rows that belong to a chained one, and stand in its digest: all whose column `of` is the row's `parent`.

    `may_come_first` where they are stored before the row that they belong to.
    """

    table: Table
    of: str
    parent: str
    proved: tuple[str, ...] = ()  # in the order by which they are sorted
    by_proof: tuple[str, ...] = ()  # see `private`
    may_come_first: bool = False

    @property
    def declared(self) -> set[str]:
        return {self.of, *self.proved}.union(*((name, f"{name}_proof") for name in self.by_proof))


@dataclass(frozen=True)
class Derived:
    """A table that is recomputed from chained rows, but for its `working` columns."""

    table: Table
    why: str
    check: Check = no_check
    working: Mapping[str, str] = field(default_factory=dict)  # column → why

    @property
    def declared(self) -> set[str]:
        return {column.name for column in self.table.columns}


@dataclass(frozen=True)
class Working:
    """A table that proves nothing: what stands in it is no business fact."""

    table: Table
    why: str

    @property
    def declared(self) -> set[str]:
        return {column.name for column in self.table.columns}


@dataclass(frozen=True, eq=False)
class Chained:
    """A table whose rows are subjects of audit entries.

    `subject` makes the subject's name of the row's columns; where that is one column, `like` says how such names look,
    with `*` for what varies. `found_by` says how an indexed column follows from those in `subject`, where the primary
    key does not stand in it. `derived` columns follow from other rows, which `check` computes.
    """

    table: Table
    subject: str
    proved: tuple[str, ...]
    like: str = ""
    by_proof: tuple[str, ...] = ()  # see `private`
    working: Mapping[str, str] = field(default_factory=dict)  # column → why
    derived: tuple[str, ...] = ()
    check: Check = no_check
    children: tuple[Child, ...] = ()
    found_by: Mapping[str, str] = field(default_factory=dict)
    later: tuple[tuple[str, ...], ...] = ()

    @property
    def version(self) -> int:
        """Of the digests that are made today."""
        return 1 + len(self.later)

    def version_of(self, digest: str) -> int:
        """With which version a digest was made; today's, if it does not say."""
        number = digest.partition(":")[0]
        return int(number) if number in map(str, range(1, self.version)) else self.version

    @property
    def declared(self) -> set[str]:
        names = {*self.proved, *self.working, *self.derived, *(name for names in self.later for name in names)}
        return names.union(*((name, f"{name}_proof") for name in self.by_proof))

    def proved_in(self, version: int) -> tuple[str, ...]:
        """The columns of a version's digest, in order."""
        return self.proved + tuple(name for names in self.later[: version - 1] for name in names)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the subjects of this table match, and no other table's; with the columns in them as named groups."""
        (*inner, last) = self._fields
        shapes = {name: "[0-9]+" if is_number(self.table.c[name]) else "[^/]+" for name in inner}
        shapes[last] = "[0-9]+" if is_number(self.table.c[last]) else ".+"
        if self.like:
            shapes[last] = "[^/]*".join(map(re.escape, self.like.removesuffix("*").split("*"))) + ".*"
        parts = FIELD.split(self.subject)
        return re.compile(
            "".join(
                f"(?P<{part}>{shapes[part]})" if number % 2 else re.escape(part) for number, part in enumerate(parts)
            ),
            re.DOTALL,
        )

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns by which the row of a subject is found, which an index holds."""
        keys = tuple(column.name for column in self.table.primary_key.columns)
        return tuple(self.found_by) or (keys if set(keys) <= set(self._fields) else self._fields)

    def key_of(self, subject: str) -> tuple[str | int, ...] | None:
        """The values of `key` for a subject; None for one of another table."""
        match = self.pattern.fullmatch(subject)
        if match is None:
            return None
        if self.like:
            return (subject,)
        known = match.groupdict()
        texts = (self.found_by[name].format(**known) if self.found_by else known[name] for name in self.key)
        pairs = zip(self.key, texts, strict=True)
        return tuple(int(text) if is_number(self.table.c[name]) else text for name, text in pairs)

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        return tuple(FIELD.findall(self.subject))


Declared = Chained | Derived | Working


def is_number(column: Column[Any]) -> bool:
    """Whether it holds integers."""
    return column.type.python_type is int


@dataclass(frozen=True)
class Proofs:
    """The declarations of one service."""

    tables: SystemTables
    declared: tuple[Declared, ...] = ()

    @cached_property
    def chained(self) -> tuple[Chained, ...]:
        return tuple(each for each in self.declared if isinstance(each, Chained))

    def checks(self) -> Iterator[Check]:
        """What computes the derived tables and columns."""
        return (each.check for each in self.declared if not isinstance(each, Working))

    def by_table(self, subjects: Iterable[str]) -> dict[Chained, dict[tuple[str | int, ...], str]]:
        """The subjects that have rows, as the keys of these rows."""
        found: dict[Chained, dict[tuple[str | int, ...], str]] = {}
        for subject in subjects:
            for chained in self.chained:
                if (key := chained.key_of(subject)) is not None:
                    found.setdefault(chained, {})[key] = subject
                    break
        return found

    def undeclared(self) -> list[str]:
        """Tables and columns without a declaration, and declarations without a column; empty if all is well."""
        declared: dict[str, set[str]] = {}
        for each in self.declared:
            declared[each.table.name] = each.declared
            if isinstance(each, Chained):
                declared |= {child.table.name: child.declared for child in each.children}
        declared |= {table.name: {c.name for c in table.columns} for table in self._self_proving}
        faults = []
        for table in self.tables.audit_entry.metadata.tables.values():
            columns = {column.name for column in table.columns}
            if table.name not in declared:
                faults.append(table.name)
            else:
                faults += [f"{table.name}.{name}" for name in sorted(columns ^ declared[table.name])]
        return faults

    @property
    def _self_proving(self) -> tuple[Table, ...]:
        """The chains themselves: entries by subject, entries and messages through the service."""
        return (self.tables.audit_entry, self.tables.outbox, self.tables.seal_head)
