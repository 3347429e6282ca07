"""The table of photographs that people add to incidents. Never holds a query."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint

from devices.store.types import Id, Instant, metadata

incident_photos = Table(
    "incident_photos",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", Id, ForeignKey("incidents.id"), nullable=False),  # the unique constraint begins with it
    Column("media_type", String(32), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("by", String(64), nullable=False),
    Column("taken_at", Instant, nullable=False),
    UniqueConstraint("incident_id", "sha256"),
)
