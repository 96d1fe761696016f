"""How the database runs the statements of a piece of work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


def plans_of(engine: Engine, work: Callable[[], object]) -> list[str]:
    """The query plan of each statement of `work` that reads; PostgreSQL's as of a table too large to be read whole."""
    ran: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if "FROM" in statement:
            ran.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN"
        return [
            "; ".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))
            for statement, parameters in ran
        ]


def plans_within(engine: Engine, work: Callable[[], object]) -> list[str]:
    """The same of the transaction in which they ran: what it said to the planner counts, and nothing else does."""
    found: list[str] = []
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if "FROM" in statement:
            cursor.execute(f"{explain} {statement}", parameters)
            found.append(str(cursor.fetchall()))

    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found
