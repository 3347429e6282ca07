"""The audit's chain on both databases: whatever is changed, removed, swapped or cut off is found, and named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from devices.audit import AuditEntry, Broken, chain_hash
from devices.store import audit as store
from devices.store.tables_audit import audit, audit_head
from gengfu.database import migrate
from gengfu.database.common import parse
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ROWS = 9
MIDDLE = 5


def entry(number: int) -> AuditEntry:
    at = NOW + timedelta(seconds=number, microseconds=number)
    detail = {"名称": [None, f"金鼎小区{number}栋"], "n": number, "x": 1.5, "nested": {"b": [1, 2], "a": True}}
    path = None if number % 3 == 0 else f"a/b{number}"
    return AuditEntry(at, f"k{number}", f"管理员{number}", "key", "change", "places", f"p{number}", path, detail)


def fill(url: str, rows: int = ROWS) -> None:
    def work(conn: Connection) -> None:
        for number in range(1, rows + 1):
            store.record(conn, entry(number))

    migrate.run(parse(url), work)


def unlock(conn: Connection) -> None:
    """What somebody does first who may change the schema."""
    if conn.dialect.name == "sqlite":
        conn.execute(text("DROP TRIGGER audit_no_update"))
        conn.execute(text("DROP TRIGGER audit_no_delete"))
    else:
        conn.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))


class _Undone(Exception):
    """Rolls back what a test has broken."""


def after(url: str, tamper: Callable[[Connection], Any], **options: Any) -> Broken | tuple[int, str]:
    """What the verification says when this was done to the tables; it is undone again."""
    said: list[Broken | tuple[int, str]] = []

    def work(conn: Connection) -> None:
        unlock(conn)
        tamper(conn)
        try:
            said.append(store.verify(conn, **options))
        except Broken as broken:
            said.append(broken)
        raise _Undone

    with pytest.raises(_Undone):
        migrate.run(parse(url), work)
    return said[0]


def broken_at(said: Broken | tuple[int, str]) -> int:
    assert isinstance(said, Broken), "nobody noticed"
    return said.number


def flipped(column: str, value: Any) -> Any:
    """The value with its smallest possible change."""
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, dict):
        return {**value, "n": value["n"] + 1}
    if isinstance(value, int):
        return value + 1000
    if value is None:
        return "a"
    return chr(ord(value[0]) ^ 1) + value[1:]


@pytest.mark.parametrize("column", [each.name for each in audit.columns])
def test_one_byte_of_any_column_is_noticed(migrated_url: str, column: str) -> None:
    fill(migrated_url)
    for number in (1, 3, MIDDLE, ROWS):

        def tamper(conn: Connection, number: int = number) -> None:
            value = conn.scalar(select(audit.c[column]).where(audit.c.id == number))
            done = conn.execute(update(audit).where(audit.c.id == number).values({column: flipped(column, value)}))
            assert done.rowcount == 1

        assert broken_at(after(migrated_url, tamper)) == number, column
    assert after(migrated_url, lambda conn: None) == (ROWS, last_hash(migrated_url))


def last_hash(url: str) -> str:
    return migrate.run(parse(url), lambda conn: store.head(conn)[1])


def test_a_value_of_another_kind_is_noticed(migrated_url: str) -> None:
    fill(migrated_url)
    usual = dict(entry(MIDDLE).detail or {})
    others: list[dict[str, Any]] = [{}, usual | {"n": str(MIDDLE)}, usual | {"x": 1.25}]
    for detail in others:
        change = update(audit).where(audit.c.id == MIDDLE).values(detail=detail)
        assert broken_at(after(migrated_url, lambda conn, change=change: conn.execute(change))) == MIDDLE  # type: ignore[misc]
    for path in (None, ""):
        change = update(audit).where(audit.c.id == MIDDLE).values(path=path)
        assert broken_at(after(migrated_url, lambda conn, change=change: conn.execute(change))) == MIDDLE  # type: ignore[misc]


@pytest.mark.parametrize("number", [1, MIDDLE, ROWS - 1, ROWS])
def test_a_row_that_is_gone_is_noticed(migrated_url: str, number: int) -> None:
    fill(migrated_url)
    assert (
        broken_at(after(migrated_url, lambda conn: conn.execute(delete(audit).where(audit.c.id == number)))) == number
    )


def test_an_emptied_audit_is_noticed(migrated_url: str) -> None:
    fill(migrated_url)
    assert broken_at(after(migrated_url, lambda conn: conn.execute(delete(audit)))) == 1


def test_two_rows_swapped_are_noticed(migrated_url: str) -> None:
    fill(migrated_url)
    for one, other in ((1, 2), (MIDDLE, MIDDLE + 1), (2, ROWS)):

        def swap(conn: Connection, one: int = one, other: int = other) -> None:
            for was, becomes in ((one, 999), (other, one), (999, other)):
                conn.execute(update(audit).where(audit.c.id == was).values(id=becomes))

        assert broken_at(after(migrated_url, swap)) == one


def test_a_row_renumbered_over_a_gap_is_noticed(migrated_url: str) -> None:
    fill(migrated_url)

    def close_gap(conn: Connection) -> None:
        conn.execute(delete(audit).where(audit.c.id == MIDDLE))
        for number in range(MIDDLE + 1, ROWS + 1):
            conn.execute(update(audit).where(audit.c.id == number).values(id=number - 1))
        conn.execute(update(audit_head).values(last_id=ROWS - 1))

    assert broken_at(after(migrated_url, close_gap)) == MIDDLE


def test_a_row_slipped_in_at_the_end_is_noticed(migrated_url: str) -> None:
    fill(migrated_url)

    def forge(conn: Connection) -> None:
        made = entry(ROWS + 1)
        hashed = chain_hash(store.head(conn)[1], ROWS + 1, made)
        values = {name: getattr(made, name) for name in made.__slots__}
        conn.execute(insert(audit).values(id=ROWS + 1, hash=hashed, **values))

    assert broken_at(after(migrated_url, forge)) == ROWS + 1


def test_an_end_that_was_set_back_or_changed_is_noticed(migrated_url: str) -> None:
    fill(migrated_url)
    assert isinstance(after(migrated_url, lambda conn: conn.execute(delete(audit_head))), Broken)
    for values in ({"last_id": ROWS - 1}, {"last_id": ROWS + 1}, {"hash": "0" * 64}):
        change = update(audit_head).values(**values)
        assert isinstance(after(migrated_url, lambda conn, change=change: conn.execute(change)), Broken)  # type: ignore[misc]


def test_a_chain_written_anew_holds_but_not_against_a_hash_kept_elsewhere(migrated_url: str) -> None:
    fill(migrated_url)
    known = (ROWS, last_hash(migrated_url))

    def forge(conn: Connection) -> None:
        conn.execute(delete(audit))
        conn.execute(delete(audit_head))
        for number in range(1, ROWS + 2):
            made = entry(number) if number != MIDDLE else entry(MIDDLE + 100)
            store.record(conn, made)

    said = after(migrated_url, forge)
    assert not isinstance(said, Broken)
    assert said[0] == ROWS + 1
    assert broken_at(after(migrated_url, forge, expect=known)) == ROWS
    assert after(migrated_url, lambda conn: None, expect=known) == known
    assert broken_at(after(migrated_url, lambda conn: None, expect=(ROWS + 5, "0" * 64))) == ROWS + 1


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1"]
)
def test_the_database_itself_refuses_to_change_a_row(migrated_url: str, statement: str) -> None:
    fill(migrated_url)
    with pytest.raises(Exception, match="append-only"):
        migrate.run(parse(migrated_url), lambda conn: conn.execute(text(statement)))
    assert migrate.run(parse(migrated_url), store.verify)[0] == ROWS


def test_the_command_says_how_far_it_holds(upgraded: Shell) -> None:
    assert upgraded.ok("audit", "verify") == ["0:" + "0" * 64]
    fill(upgraded.database_url)
    (line,) = upgraded.ok("audit", "verify")
    assert line == f"{ROWS}:{last_hash(upgraded.database_url)}"
    assert upgraded.ok("audit", "verify", "--expect", line) == [line]
    upgraded.refusal(2, "audit", "verify", "--expect", "yesterday")

    def tamper(conn: Connection) -> None:
        unlock(conn)
        conn.execute(update(audit).where(audit.c.id == MIDDLE).values(actor="管理员乙"))

    migrate.run(parse(upgraded.database_url), tamper)
    outcome = upgraded.run("audit", "verify")
    assert (outcome.code, outcome.out) == (1, "")
    assert f"Row {MIDDLE} has been changed" in outcome.err


def test_rows_appended_while_it_walks_break_nothing(migrated_url: str) -> None:
    """On PostgreSQL the walk's statements see what was committed between them."""
    fill(migrated_url)

    def work(conn: Connection) -> tuple[int, str]:
        appended = iter([entry(ROWS + 1)])

        def chain_with_one_more(conn: Connection) -> Any:
            yield from original(conn)
            for late in appended:
                store.record(conn, late)

        original = store.chain
        store.chain = chain_with_one_more
        try:
            return store.verify(conn)
        finally:
            store.chain = original

    assert migrate.run(parse(migrated_url), work)[0] == ROWS
    assert migrate.run(parse(migrated_url), store.verify)[0] == ROWS + 1


def test_the_walk_tells_how_far_it_is(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "ROWS_AT_ONCE", 4)
    fill(migrated_url)
    told: list[tuple[int, int]] = []
    migrate.run(parse(migrated_url), lambda conn: store.verify(conn, lambda done, of: told.append((done, of))))
    assert told == [(4, ROWS), (8, ROWS)]
