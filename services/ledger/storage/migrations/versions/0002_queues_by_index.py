"""queues that no index served on SQLite, and anchors of matches"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HELD = ("ix_posting_held", "posting", ["available_at", "key"])
DUE = ("ix_applied_match_due", "applied_match", ["company", "available_at", "name"])


def upgrade() -> None:
    _replace(HELD, "state = 'held'")
    _replace(DUE, "state = 'pending' AND parked = 0")
    op.create_index("ix_applied_match_anchor", "applied_match", ["anchor"])


def downgrade() -> None:
    op.drop_index("ix_applied_match_anchor", "applied_match")
    _replace(DUE, "state IN ('pending') AND parked = 0")
    _replace(HELD, "state IN ('held')")


def _replace(index: tuple[str, str, list[str]], condition: str) -> None:
    name, table, columns = index
    op.drop_index(name, table)
    op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
