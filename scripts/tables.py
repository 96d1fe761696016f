"""Generate each service's `storage/tables.py` from what its `storage/rows.py` declares.

`python scripts/tables.py` writes them; with `--check` nothing is written and the exit status is 1 when a file that is
checked in differs from what the rows say. A running service imports the tables alone: SQLModel, with pydantic and the
ORM behind it, is a third of a start and of no use to a query. Migrations are written and checked by the rows.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, String, Table, Text

from libs.storage.tables import SystemTables
from libs.storage.types import RowNumber, UtcTimestamp

ROOT = Path(__file__).resolve().parent.parent
# A kind before what it is a kind of: BigInteger is an Integer.
BARE = (BigInteger, Boolean, Date, Integer, LargeBinary, Text, UtcTimestamp)


def services() -> list[str]:
    """Those that declare rows."""
    return sorted(path.parent.parent.name for path in ROOT.glob("services/*/storage/rows.py"))


def path_of(service: str) -> Path:
    """Where the service's tables are checked in."""
    return ROOT / "services" / service / "storage" / "tables.py"


def source_of(service: str) -> str:
    """The module of the tables that the service's rows declare."""
    tables = _by_constant(importlib.import_module(f"services.{service}.storage.rows"))
    body = [line for constant, table in tables.items() for line in ("", *written(constant, table))]
    types = {word for line in body for word in re.findall(r"^    Column\(\S+ (\w+)", line)}
    ours = types & {"RowNumber", "UtcTimestamp"}
    lines = [
        '"""What queries know of the tables: columns and keys. Written by `make tables` from `rows`, never edited."""',
        "",
        f"from sqlalchemy import {', '.join(sorted({'Column', 'MetaData', 'Table'} | types - ours))}",
        "",
        "from libs.storage.tables import SystemTables",
        f"from libs.storage.types import {', '.join(sorted(ours))}",
        "",
        "_metadata = MetaData()",
        *body,
        "",
        "TABLES = SystemTables(",
        *(f"    {field.name}={field.name.upper()}," for field in fields(SystemTables)),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _by_constant(rows: Any) -> Mapping[str, Table]:
    """`SettlementLineRow` declares SETTLEMENT_LINE; a table that no class declares bears its own name."""
    classes = [kind for kind in vars(rows).values() if hasattr(kind, "__table__")]
    named = {kind.__table__: re.sub(r"\B([A-Z])", r"_\1", kind.__name__.removesuffix("Row")) for kind in classes}
    return {named.get(table, table.name).upper(): table for table in rows.metadata.tables.values()}


def written(constant: str, table: Table) -> list[str]:
    """The lines of one table."""
    return [f"{constant} = Table(", f'    "{table.name}",', "    _metadata,", *map(_column, table.columns), ")"]


def _column(column: Column[Any]) -> str:
    key = ", primary_key=True" if column.primary_key else ""
    return f'    Column("{column.name}", {_type(column.type)}{key}),'


def _type(kind: Any) -> str:
    if kind is RowNumber:
        return "RowNumber"
    for bare in BARE:
        if isinstance(kind, bare):
            return bare.__name__
    # What SQLModel makes of `str` wraps a String.
    plain = getattr(kind, "impl", kind)
    if type(plain) is String:
        return f"String({plain.length})" if plain.length else "String"
    raise TypeError(f"scripts/tables.py does not know how to write {kind!r}")


def main() -> int:
    """Write or check; the exit status says whether the tables are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    check: bool = parser.parse_args().check
    fresh = {path_of(service): source_of(service) for service in services()}
    stale = [path for path, source in fresh.items() if not path.exists() or path.read_text() != source]
    if stale and check:
        named = "\n  ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.stderr.write(f"tables are not what rows declare, run `make tables`:\n  {named}\n")
        return 1
    for path in stale:
        path.write_text(fresh[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
