"""Durable state on SQLite and PostgreSQL alike.

| module | what it gives |
| --- | --- |
| `engine` | `open_engine`, `reading`, `ensure_reachable`, `copy_template`, `database_url` |
| `declarations` | `service_registry` (a base for a service's rows), `LeaseColumns`, `RequestColumns` |
| `types` | `UtcTimestamp`, `RowNumber` |
| `uow` | `UnitOfWork`: one transaction, one commit, points at which a simulation may crash |
| `migrate`, `versions` | `upgrade`: at a start |
| `revisions` | Alembic: `check`, and the command that writes the next version |
| `rows` | `insert_new`, `insert_rows`, `update_rows`: hot writes over lists |
| `leases` | `claim`, `renew`, `finish`, `release`: the state column is the queue |
| `group_commit` | `GroupCommitWriter`, `InlineWriter`: many callers, one commit |
| `tables` | `system_tables`: audit entries, totals, outbox, the sealer's head |
| `audit`, `sealer` | chains of entries by subject, and their seal through the service |
| `totals` | counts, money and sets of event names, as deltas |
| `outbox`, `nats` | messages that leave with the commit they tell of |
| `errors` | what can go wrong |
"""
