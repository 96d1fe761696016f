"""states in lower case, and events on their way in the columns that every service has for them"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COMPANY = {"sqlite": "json_extract(payload, '$.company')", "postgresql": "payload::json ->> 'company'"}
_INDEXES = (
    ("ix_delivery_received", "delivery", ["available_at", "transaction_id"], "'RECEIVED'"),
    ("ix_event_waiting", "event", ["available_at", "name"], "'WAITING'"),
    ("ix_payout_due", "payout", ["state", "available_at"], "'WAITING', 'COMPOSED'"),
)


def upgrade() -> None:
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table)
    op.drop_index("ix_event_delivery", "event")
    op.execute("ALTER TABLE event RENAME COLUMN delivery TO origin")
    op.execute("ALTER TABLE event ADD COLUMN company VARCHAR(64)")
    company = _COMPANY[op.get_bind().dialect.name]
    op.execute(
        f"UPDATE event SET company = {company},"  # noqa: S608
        " state = CASE state WHEN 'FORWARDED' THEN 'recorded' ELSE lower(state) END"
    )
    for table in ("delivery", "payout", "source_cursor", "outbox_reader"):
        op.execute(f"UPDATE {table} SET state = lower(state)")  # noqa: S608
    with op.batch_alter_table("event") as event:
        event.alter_column("company", existing_type=sa.String(64), nullable=False)
        event.drop_column("kind")
    op.create_index("ix_event_origin", "event", ["origin"])
    _create_indexes(str.lower)


def downgrade() -> None:
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table)
    op.drop_index("ix_event_origin", "event")
    op.execute("ALTER TABLE event RENAME COLUMN origin TO delivery")
    op.execute("ALTER TABLE event ADD COLUMN kind VARCHAR(32)")
    kind = _COMPANY[op.get_bind().dialect.name].replace("company", "kind")
    op.execute(
        f"UPDATE event SET kind = {kind},"  # noqa: S608
        " state = CASE state WHEN 'recorded' THEN 'FORWARDED' ELSE upper(state) END"
    )
    for table in ("delivery", "payout", "source_cursor", "outbox_reader"):
        op.execute(f"UPDATE {table} SET state = upper(state)")  # noqa: S608
    with op.batch_alter_table("event") as event:
        event.alter_column("kind", existing_type=sa.String(32), nullable=False)
        event.drop_column("company")
    op.create_index("ix_event_delivery", "event", ["delivery"])
    _create_indexes(str.upper)


def _create_indexes(spelled: Callable[[str], str]) -> None:
    for name, table, columns, states in _INDEXES:
        waits = sa.text(f"state IN ({spelled(states)})" if "," in states else f"state = {spelled(states)}")
        op.create_index(name, table, columns, sqlite_where=waits, postgresql_where=waits)
