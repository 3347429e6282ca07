"""The core alone: no broker, no database, no clock."""
