"""Engines for the two databases: SQLite (one file, one process, one writer) and PostgreSQL (a schema a service).

A transaction on SQLite starts with BEGIN IMMEDIATE, so it never finds out at its commit that somebody else wrote. One
opened by `reading` starts with a plain BEGIN: in WAL mode it neither waits for the writer nor blocks it.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import TimeoutError as PoolTimeout

from .errors import StorageConflict, StorageUnavailable, from_sqlite, translate

BUSY_TIMEOUT_SECONDS = 10.0
LOCK_TIMEOUT_MILLISECONDS = 10_000
POOL_SIZE = 10
POOL_OVERFLOW = 10
POOL_TIMEOUT_SECONDS = 10.0
# A server that is gone without a word (a network that drops packets) is noticed within half a minute, in the middle of
# a statement too: TCP alone would wait for a quarter of an hour, and for a new connection two minutes.
LIVENESS = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
READING = "concord_reading"
SCHEMA = "concord_schema"


def database_url(env: Mapping[str, str], service: str) -> str:
    """Where a service keeps its data: its own variable, else the common one, else a file in the data directory."""
    for name in (f"CONCORD_{service.upper()}_DATABASE_URL", "CONCORD_DATABASE_URL"):
        if env.get(name):
            return env[name]
    return f"sqlite:///{env.get('CONCORD_DATA_DIR', 'data')}/{service}.db"


def open_engine(url: str, schema: str) -> Engine:
    """An engine for `sqlite:///FILE`, `sqlite://` (in memory, one thread) or `postgresql://…`.

    `schema` is the service's name. It is where PostgreSQL keeps the service's tables; SQLite needs none.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", schema):
        raise ValueError(f"not a schema's name: {schema}")
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = _open_sqlite(address, schema)
    elif address.get_backend_name() == "postgresql":
        engine = _open_postgresql(address, schema)
    else:
        raise ValueError(f"neither SQLite nor PostgreSQL: {address.get_backend_name()}")
    event.listen(engine, "handle_error", translate)
    return engine


def copy_template(template: Engine) -> Engine:
    """A new in-memory database with the content of `template`, itself in memory. For simulations: one thread."""

    def connect_copy() -> Any:
        copy = _connect_sqlite(":memory:", sqlite3.Connection)
        with template.connect() as source:
            _driver(source).backup(copy)
        return copy

    # The dialect and the compiled statements are the template's: compiling them anew costs more than the copy.
    engine = Engine(
        StaticPool(connect_copy),
        template.dialect,
        template.url,
        execution_options=template.get_execution_options(),
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reads of one consistent moment, which never block a writer; it can't write."""
    options: dict[str, Any] = {READING: True}
    if engine.dialect.name == "postgresql":
        options |= {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    # Options of the connection, which end with its use; an engine with options of its own costs three times as much.
    with connect(engine) as connection:
        yield connection.execution_options(**options)


def in_index_order(connection: Connection) -> None:
    """Until the transaction ends, PostgreSQL reads in an index's order rather than sort.

    For a page of a list that an index holds in order: after a bulk load, as long as nothing is known of the table, it
    would guess that the list is short, and read and sort all of it for each page.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_sort = off")


def ensure_reachable(engine: Engine) -> None:
    """Read what every migrated database holds. Raises `StorageUnavailable` where the database does not answer."""
    with reading(engine) as connection:
        connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()


def connect(engine: Engine) -> Connection:
    """A connection from the pool. Raises `StorageUnavailable` if none comes free in time."""
    try:
        return engine.connect()
    except PoolTimeout:
        raise StorageUnavailable("no connection came free in time") from None


def schema_of(engine: Engine) -> str:
    """The schema that the engine was opened with."""
    return str(engine.get_execution_options()[SCHEMA])


class WriterTurn:
    """Lets one thread after the other write, first come first served.

    SQLite's own way of waiting for a lock is to sleep and look again, up to a tenth of a second at a time, and whoever
    comes back first wins. Within our one process nobody needs to sleep or starve.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self) -> None:
        """Wait for the turn. Raises `StorageConflict` if it does not come within the busy time-out."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            return
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise StorageConflict("another write did not end in time")
        # It was handed to us between the time-out and the look: then it is ours.

    def give(self) -> None:
        """Hand the turn to whoever waits longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class SqliteConnection(sqlite3.Connection):
    """A connection that gives the writer's turn back once its transaction has really ended."""

    turn: WriterTurn | None = None
    holds_turn = False

    def take_turn(self) -> None:
        if self.turn and not self.holds_turn:
            self.turn.take()
            self.holds_turn = True

    def give_turn(self) -> None:
        if self.turn and self.holds_turn and not self.in_transaction:
            self.holds_turn = False
            self.turn.give()

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self.give_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self.give_turn()

    def close(self) -> None:
        super().close()
        if self.turn and self.holds_turn:
            self.holds_turn = False
            self.turn.give()


def _open_sqlite(address: URL, schema: str) -> Engine:
    path = address.database or ":memory:"
    options: dict[str, Any] = {"hide_parameters": True, "execution_options": {SCHEMA: schema}}
    if path == ":memory:":
        options["execution_options"]["compiled_cache"] = {}  # shared with the copies
        engine = create_engine(
            "sqlite://", creator=lambda: _connect_sqlite(path, sqlite3.Connection), poolclass=StaticPool, **options
        )
    else:
        turn = WriterTurn()

        def connect_file() -> sqlite3.Connection:
            connection = _connect_sqlite(path, SqliteConnection)
            assert isinstance(connection, SqliteConnection)
            connection.turn = turn
            return connection

        engine = create_engine(
            address,
            creator=connect_file,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_use_lifo=True,
            **options,
        )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_sqlite(path: str, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    # isolation_level None: Python starts no transaction behind our back. The pool hands a connection to one thread
    # at a time, which SQLite allows and Python's own check forbids.
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False, factory=factory
    )
    if path != ":memory:":
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=67108864")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def _begin_sqlite(connection: Connection) -> None:
    driver = _driver(connection)
    if connection.get_execution_options().get(READING):
        driver.execute("BEGIN")
        return
    if isinstance(driver, SqliteConnection):
        driver.take_turn()
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise from_sqlite(error) or error from None
    finally:
        if isinstance(driver, SqliteConnection):
            driver.give_turn()  # only if BEGIN failed; within a transaction it keeps the turn


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _open_postgresql(address: URL, schema: str) -> Engine:
    settings = f"-c search_path={schema} -c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_MILLISECONDS}"
    given = address.query.get("options", "")
    return create_engine(
        address.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
        connect_args={
            **{name: value for name, value in LIVENESS.items() if name not in address.query},
            "options": f"{given} {settings}".strip(),
            "application_name": f"concord-{schema}",
        },
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_use_lifo=True,
        hide_parameters=True,
        execution_options={SCHEMA: schema},
    )
