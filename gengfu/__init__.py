"""The one room that knows everything: settings, database, migrations, clock, wiring, CLI. No other room imports it."""
