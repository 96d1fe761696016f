"""What every service's repositories have in common."""

from __future__ import annotations

from sqlalchemy import Connection


class Repository:
    """Questions to some tables, and changes of them, within one transaction. It never commits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
