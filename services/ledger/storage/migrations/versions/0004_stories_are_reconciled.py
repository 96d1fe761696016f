"""a story is reconciled, not settled: the column, its index, and postings that are kept as JSON"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PAYLOADS = {
    "postgresql": "UPDATE outbox SET payload = convert_to(replace(convert_from(payload, 'UTF8'), :old, :new), 'UTF8')",
    "sqlite": "UPDATE outbox SET payload = CAST(replace(CAST(payload AS TEXT), :old, :new) AS BLOB)",
}


def upgrade() -> None:
    _rename("settle", "reconcile")


def downgrade() -> None:
    _rename("reconcile", "settle")


def _rename(old: str, new: str) -> None:
    op.drop_index(f"ix_posting_{old}", "posting")
    op.execute(f"ALTER TABLE posting RENAME COLUMN {old}_at TO {new}_at")
    waits = sa.text(f"{new}_at IS NOT NULL")
    op.create_index(f"ix_posting_{new}", "posting", [f"{new}_at", "key"], sqlite_where=waits, postgresql_where=waits)
    # Quotes within a text are escaped, so that the key of a field is found nowhere else.
    words = {"old": f'"{old}_at":', "new": f'"{new}_at":'}
    op.execute(sa.text("UPDATE request SET answer = replace(answer, :old, :new)").bindparams(**words))
    op.execute(sa.text(_PAYLOADS[op.get_bind().dialect.name]).bindparams(**words))
