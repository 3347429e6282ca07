"""Tables of imports: what was given in, how far it has come, what was wrong with it. Never holds a query."""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table, Text

from devices.store.types import Document, Id, Instant, Word, metadata

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("created_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
    Column("actor_id", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("via", Word, nullable=False),
    Column("scope", Document),  # paths of places; null: everything
    Column("name", String(256), nullable=False),  # of the files, as their sender calls them
    Column("sha256", String(64), nullable=False),
    Column("dry_run", Integer, nullable=False),
    Column("state", Word, nullable=False, index=True),  # validating | applying | done | refused
    Column("rows", Integer, nullable=False, default=0),
    Column("size", Integer, nullable=False, default=0),  # how many rows it writes
    Column("written", Integer, nullable=False, default=0),
    Column("op", Integer, nullable=False, default=0),  # where in the plan it is
    Column("n", Integer, nullable=False, default=0),
    Column("stage", Text),  # the staging file, while it is applied
    Column("counts", Document, nullable=False),
    Column("faults", Integer, nullable=False, default=0),
    Column("warnings", Integer, nullable=False, default=0),
    Column("refusal", Document),  # code and names of a sentence, where the file was not read at all
)

import_faults = Table(
    "import_faults",
    metadata,
    Column("import_id", Id, ForeignKey("imports.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("warning", Integer, nullable=False, default=0),
    Column("file", String(256), nullable=False),
    Column("sheet", String(64), nullable=False),
    Column("row", Integer, nullable=False),
    Column("cell_column", Integer),
    Column("code", Word, nullable=False),
    Column("names", Document, nullable=False),
    Column("near", String(256)),
    PrimaryKeyConstraint("import_id", "number"),
)
