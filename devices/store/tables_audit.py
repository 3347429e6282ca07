"""Tables of the audit: one chain of rows, and the end of that chain. Rows are never changed. Never holds a query."""

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, String, Table, event

from devices.store.types import Document, Instant, PathText, Word, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("via", Word, nullable=False),  # session | key | cli | service
    Column("act", Word, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("object_id", String(128), nullable=False, index=True),
    Column("path", PathText),  # the place it belongs to; None: the whole deployment
    Column("detail", Document, nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("ix_audit_actor_id_at", audit.c.actor_id, audit.c.at)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("last_id", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ),
}
"""The database itself refuses what the product never does. Whoever may change the schema can still take it away."""

for dialect, statements in APPEND_ONLY.items():
    for statement in statements:
        ddl = DDL(statement)  # type: ignore[no-untyped-call]
        event.listen(audit, "after_create", ddl.execute_if(dialect=dialect))
