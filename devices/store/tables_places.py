"""Tables beside the places: pictures, organisations, what a compound is, flats and who lives there. No query."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, PrimaryKeyConstraint, String, Table

from devices.store.types import Id, Instant, Word, metadata

place_pictures = Table(
    "place_pictures",
    metadata,
    Column("place_id", Id, ForeignKey("places.id"), nullable=False),
    Column("kind", Word, nullable=False),  # plan | door
    Column("media_type", String(32), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("taken_at", Instant, nullable=False),
    PrimaryKeyConstraint("place_id", "kind"),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Word, nullable=False),  # property_company | unit
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("name_en", String(64), nullable=False),
    Column("version", Integer, nullable=False, default=1),
)

compounds = Table(
    "compounds",
    metadata,
    Column("place_id", Id, ForeignKey("places.id"), primary_key=True),
    Column("type", Word),
    Column("property_company_id", Id, ForeignKey("organisations.id"), index=True),
    Column("committee", Word, nullable=False),  # owners | self_management | none
    Column("supervising_unit_id", Id, ForeignKey("organisations.id")),
    Column("partner_unit_id", Id, ForeignKey("organisations.id")),
    Column("version", Integer, nullable=False, default=1),
)

flats = Table(
    "flats",
    metadata,
    Column("place_id", Id, ForeignKey("places.id"), primary_key=True),
    Column("status", Word, nullable=False),  # installed | nobody_home | refused | to_be_tested
    Column("visited_at", Instant, nullable=False),
    Column("visited_by", String(64), nullable=False),
    Column("note", String(200)),
    Column("version", Integer, nullable=False, default=1),
)

households = Table(
    "households",
    metadata,
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    Column("place_id", Id, ForeignKey("places.id"), nullable=False, index=True),
    Column("relation", Word, nullable=False),  # owner | tenant | emergency_contact
    Column("needs_help_leaving", Integer, nullable=False, default=0),
    Column("consent_at", Instant),
    Column("consent_until", Instant),
    Column("consent_how", String(64)),
    Column("result_messages", Integer),  # 1: agreed to hear by text how it ended
)
