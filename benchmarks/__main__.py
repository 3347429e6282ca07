"""`python -m benchmarks [PART|all]`: measure, save, print (latency, storm, ingest, ...). `report` writes the page."""

import argparse
import asyncio
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import report, suite
from benchmarks.child import ROOT


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=[*suite.PARTS, "all", "report"])
    parser.add_argument("result", nargs="?", type=Path, help="report: publish this saved result")
    parser.add_argument("--seconds", type=float, help="how long one latency round measures")
    parser.add_argument("--rounds", type=int, help="how often service and floor alternate")
    parser.add_argument("--postgres", action="store_true", help="measure on PostgreSQL too")
    parser.add_argument("--quick", action="store_true", help="everything small, within a minute")
    return parser.parse_args()


def _plan(arguments: argparse.Namespace) -> suite.Plan:
    parts = suite.PARTS if arguments.what == "all" else (arguments.what,)
    plan = suite.quick(parts) if arguments.quick else suite.Plan(parts=parts)
    if arguments.seconds is not None:
        longest = suite.seconds_max(plan)
        if not 1 <= arguments.seconds <= longest:
            raise SystemExit(f"--seconds is 1 to {longest:g}: later the escalation would page further people")
        plan = replace(plan, seconds=arguments.seconds)
    if arguments.rounds is not None:
        plan = replace(plan, rounds=max(1, arguments.rounds))
    if arguments.postgres:
        plan = replace(plan, kinds=(suite.SQLITE, suite.POSTGRESQL))
    return plan


def _measure(plan: suite.Plan, console: Console) -> dict[str, Any]:
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("preparing", total=plan.steps() + 1)

        def told(step: str) -> None:
            progress.update(task, advance=1, description=step)

        result = asyncio.run(suite.run(plan, told))
        progress.update(task, completed=plan.steps() + 1, description="done")
    return result


def main() -> None:
    """Entry point."""
    arguments = _arguments()
    if arguments.what == "report":
        report.publish(arguments.result)
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # ten thousand live streams, here and in the service
    console = Console()
    result = _measure(_plan(arguments), console)
    report.show(result, console)
    console.print(f"saved: {report.save(result).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
