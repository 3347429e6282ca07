"""The private PostgreSQL that other tests rely on: durable, fresh for each test, copied from a template."""

import time

import asyncpg
from sqlalchemy import Connection, text

from alerting.ports import Priority
from gengfu.database import open_database
from tests.support.postgres import PostgresCluster


async def test_both_databases_answer_and_start_empty(database_url: str) -> None:
    database = open_database(database_url, monotonic=time.monotonic)

    def create(conn: Connection) -> None:
        conn.execute(text("CREATE TABLE mark (id INTEGER PRIMARY KEY)"))

    await database.write(Priority.ADMINISTRATION, create)
    await database.close()


def test_server_keeps_its_promises(postgres_cluster: PostgresCluster) -> None:
    assert postgres_cluster.run("SHOW fsync") == "on"
    assert postgres_cluster.run("SHOW synchronous_commit") == "on"


async def test_a_copy_of_a_template_has_its_tables_and_its_own_rows(postgres_cluster: PostgresCluster) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        postgres_cluster.run("CREATE TABLE mark (id int)", "shape")

    names = [postgres_cluster.create(postgres_cluster.template("shape", build)) for _ in range(2)]
    postgres_cluster.run("INSERT INTO mark VALUES (1)", names[0])
    assert [postgres_cluster.run("SELECT count(*) FROM mark", name) for name in names] == ["1", "0"]
    assert built == [postgres_cluster.url("shape")]
    held = await asyncpg.connect(postgres_cluster.url(names[1]).replace("+asyncpg", ""))
    for name in names:
        postgres_cluster.drop(name)
    held.terminate()
    left = postgres_cluster.run("SELECT datname FROM pg_database").splitlines()
    assert not set(names) & set(left)
