"""`gengfu db`: schema, copies, soundness. Never changes what the rows say."""

from pathlib import Path
from typing import Annotated

import typer

from gengfu.cli import common
from gengfu.cli.faults import CommandError, UsageError

app = common.group("数据库：升级、备份、恢复、检查。 The database's schema and copies.")


@app.command(epilog="Example: gengfu db upgrade")
def upgrade() -> None:
    """升级数据库结构。 Bring the schema to this program's version; makes a new SQLite file where there is none."""
    from gengfu.database import migrate

    told = common.settings()
    before = migrate.current_revision(told.database)
    migrate.upgrade(told.database)
    after = migrate.head_revision()
    typer.echo(f"schema {after}" if before == after else f"schema {before or 'none'} -> {after}")


@app.command(epilog="Example: gengfu db backup gengfu-2026-11-23.backup")
def backup(file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")]) -> None:
    """备份。 Copy the whole database into one file, also while the service runs."""
    from gengfu.database import backup as copies
    from gengfu.secret_key import key_file

    told = common.settings()
    copies.backup(told.database, file)
    typer.echo(f"{file} {file.stat().st_size} bytes")
    kept = key_file(told)
    if told.secret_key is None and kept.exists():
        common.note(f"{kept} is not part of it: keep a copy, or all API keys must be made anew.")


@app.command(epilog="Example: gengfu db restore gengfu-2026-11-23.backup --yes")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `gengfu db backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Yes, replace what is in the database now.")] = False,
) -> None:
    """恢复。 Put a backup in the place of the database. Stop the service first."""
    from gengfu.database import backup as copies
    from gengfu.database import migrate

    told = common.settings()
    if not yes:
        raise UsageError("This replaces everything in the database: say --yes, after a `gengfu db backup`.")
    copies.restore(told.database, file)
    typer.echo(f"restored {file}")
    problem = migrate.check(told.database)
    if problem is not None:
        common.note(problem)


@app.command(epilog="Example: gengfu db check")
def check() -> None:
    """检查。 Does the schema fit this program, and is the file sound? Reads only."""
    from gengfu.database.migrate import head_revision
    from gengfu.store import checks

    found = common.read(common.settings(), checks.damage)
    if found is not None:
        raise CommandError(f"The database is damaged ({found}): stop the service and restore a backup.")
    typer.echo(f"ok schema {head_revision()}")
