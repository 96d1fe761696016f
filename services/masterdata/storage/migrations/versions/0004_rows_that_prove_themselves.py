"""rows that prove themselves: digests of rows in audit entries, chained messages, and what stands is proved from now"""

from alembic import op

from libs.storage.baseline import add_columns, drop_columns, prove_what_stands
from services.masterdata.storage.proofs import PROOFS

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PROVED = (("party", "name"), ("mapping_set", "yaml"))


def upgrade() -> None:
    add_columns(op, _PROVED)
    prove_what_stands(op.get_bind(), PROOFS)


def downgrade() -> None:
    drop_columns(op, _PROVED)
