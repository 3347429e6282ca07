"""`gengfu registry`: bulk files in and out. Where the service holds SQLite, it imports and this command watches."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gengfu.cli import common
from gengfu.cli.faults import FAULT, CommandError

if TYPE_CHECKING:
    from devices.bulk.faults import Fault
    from devices.model import Language
    from devices.store.imports import ImportRow
    from gengfu.settings_model import Settings

app = common.group("批量导入导出。 The registry in bulk: places, grids, people, shifts, devices.")

poll_seconds = 0.3
faults_at_once = 500
NOUNS = {
    "places": "地点",
    "compounds": "小区信息",
    "organisations": "单位",
    "grids": "网格",
    "coverage": "网格覆盖",
    "people": "人员",
    "shifts": "值班",
    "devices": "设备",
    "identities": "标识",
}
_Show = Callable[[str, int, int], None]


@app.command("import", epilog="Example: gengfu registry import places.xlsx people.csv --dry-run")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or XLSX files, or folders of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
) -> None:
    """批量导入，全部成功或全不改动。 Import files: every row, or nothing. The same file again changes nothing.

    Every faulty cell is named with its reason and a suggestion.
    """
    from devices.bulk.files import FileRefused

    told = common.settings()
    pairs = tuple(_named(files))
    try:
        with _progress() as show:
            result = _import(told, pairs, dry_run, show)
    except FileRefused as refused:
        raise CommandError(refused.sentence(told.language)) from None
    if as_json:
        typer.echo(json.dumps(_document(result, told.language), ensure_ascii=False))
    else:
        for line in _lines(result, told.language):
            typer.echo(line)
    if result["faults_total"]:
        raise typer.Exit(FAULT)


@app.command("export", epilog="Example: gengfu registry export registry.xlsx")
def export_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A workbook (.xlsx), else a folder for CSV files.")],
) -> None:
    """导出为可再次导入的文件，含完整电话号码。 Write files that `registry import` takes, with whole numbers."""
    from gengfu.bulk_export import export_to

    told = common.settings()
    counts = export_to(told.database, path, told.language)
    common.write(told, "registry.export", {"file": path.name, "rows": counts})
    for sheet, count in counts.items():
        typer.echo(f"{sheet} {count}")


def _named(files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for file in files:
        if file.is_dir():
            inside = sorted(each for each in file.iterdir() if each.suffix.lower() in (".csv", ".xlsx"))
            yield from ((each.resolve(), each.name) for each in inside)
        else:
            yield file.resolve(), file.name


def _import(told: "Settings", pairs: tuple[tuple[Path, str], ...], dry_run: bool, show: _Show) -> dict[str, Any]:
    """Here, or where the service holds the database, by the service."""
    from gengfu.database import DatabaseInUse, hold
    from gengfu.database.common import parse, sqlite_path
    from gengfu.socket import NotServed, ask, socket_path

    try:
        with hold(told.database, "gengfu registry import"):
            return _import_here(told, pairs, dry_run, show)
    except DatabaseInUse as busy:
        args = {"files": [[str(path), name] for path, name in pairs], "dry_run": dry_run, "by": common.account()}
        args["language"] = told.language.value
        try:
            begun = ask(socket_path(sqlite_path(parse(told.database))), "registry.import", args)
        except NotServed:
            raise CommandError(str(busy)) from None
        return _watch(told, begun["id"], show)


def _import_here(told: "Settings", pairs: tuple[tuple[Path, str], ...], dry_run: bool, show: _Show) -> dict[str, Any]:
    from devices.store.imports import Importer
    from gengfu.bulk import Request, run_here
    from gengfu.clock import SystemClock
    from gengfu.database import migrate

    problem = migrate.check(told.database)
    if problem is not None:
        raise CommandError(problem)
    who = Importer(common.account(), common.account(), "cli")
    reserved = frozenset(source.account for source in told.sources)
    request = Request(pairs, who, SystemClock().now(), told.zone, dry_run=dry_run, reserved=reserved)
    plan = run_here(told.database, request, folder=_beside(told), progress=show).plan
    return {
        "dry_run": dry_run,
        "rows": plan.rows,
        "counts": plan.counts,
        "faults_total": plan.faults_total,
        "faults": plan.faults,
        "warnings_total": plan.warnings_total,
        "warnings": plan.warnings,
    }


def _beside(told: "Settings") -> Path | None:
    """A staging file may be as large as what is imported: it lies where the database has room."""
    from gengfu.database.common import parse, sqlite_path

    url = parse(told.database)
    return sqlite_path(url).resolve().parent if url.drivername == "sqlite" else None


def _watch(told: "Settings", import_id: str, show: _Show) -> dict[str, Any]:
    """Follow an import of the running service to its end."""
    from devices.bulk.files import FileRefused
    from devices.store import imports
    from devices.store.imports import State

    while True:
        row = common.read(told, lambda conn: imports.get(conn, import_id))
        assert row is not None
        if row.state in (State.DONE, State.REFUSED):
            break
        show(row.state.value, row.written if row.state is State.APPLYING else row.rows, row.size)
        time.sleep(poll_seconds)
    if row.refusal:
        raise FileRefused(row.refusal["code"], **row.refusal["names"])
    return _found(told, row)


def _found(told: "Settings", row: "ImportRow") -> dict[str, Any]:
    return {
        "dry_run": row.dry_run,
        "rows": row.rows,
        "counts": dict(row.counts or {}),
        "faults_total": row.faults,
        "faults": _all_faults(told, row.id, warning=False),
        "warnings_total": row.warnings,
        "warnings": _all_faults(told, row.id, warning=True),
    }


def _all_faults(told: "Settings", import_id: str, *, warning: bool) -> "list[Fault]":
    from devices.store import imports

    found: list[Fault] = []
    after = 0
    while part := common.read(
        told, partial(imports.faults, import_id=import_id, after=after, limit=faults_at_once, warning=warning)
    ):
        found += [fault for _, fault in part]
        after = part[-1][0]
    return found


def _document(result: Mapping[str, Any], language: "Language") -> dict[str, Any]:
    listed = {name: [fault.document(language) for fault in result[name]] for name in ("faults", "warnings")}
    return {**result, **listed}


def _lines(result: Mapping[str, Any], language: "Language") -> Iterator[str]:
    from devices.model import Language

    chinese = language is Language.ZH_CN
    for fault in result["faults"]:
        yield fault.sentence(language)
    for warning in result["warnings"]:
        yield ("提示 " if chinese else "note ") + warning.sentence(language)
    total, listed = result["faults_total"], len(result["faults"])
    if total:
        more = (
            (f"（仅列出前 {listed} 处）" if chinese else f" (the first {listed} are listed)") if listed < total else ""
        )
        yield f"{total} 处有误，未做任何更改。{more}" if chinese else f"{total} faults, nothing was changed.{more}"
        return
    changed = 0
    for noun, counts in result["counts"].items():
        changed += counts["create"] + counts["change"]
        yield _count(noun, counts, chinese)
    yield _verdict(changed, bool(result["dry_run"]), chinese)


def _count(noun: str, counts: Mapping[str, int], chinese: bool) -> str:
    if chinese:
        return f"{NOUNS.get(noun, noun)}：新增 {counts['create']}，更改 {counts['change']}，不变 {counts['same']}"
    return f"{noun}: {counts['create']} new, {counts['change']} changed, {counts['same']} unchanged"


def _verdict(changed: int, dry_run: bool, chinese: bool) -> str:
    if not changed:
        return "与系统一致，没有更改。" if chinese else "0 changed: the registry says the same already."
    if dry_run:
        return "试运行：未做任何更改。" if chinese else "Dry run: nothing was changed."
    return "已导入。" if chinese else "Imported."


@contextmanager
def _progress() -> Iterator[_Show]:
    """A bar on a terminal, silence elsewhere."""
    if not common.at_terminal():
        yield lambda phase, done, size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(phase: str, done: int, size: int) -> None:
            bars.update(task, description=phase, completed=done, total=size or None)

        yield show
