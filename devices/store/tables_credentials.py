"""Table that tells whether the broker's accounts have changed: one row with a growing number. Never holds a query."""

from sqlalchemy import BigInteger, Column, Integer, Table

from devices.store.types import metadata

credential_changes = Table(
    "credential_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("number", BigInteger, nullable=False),
)
