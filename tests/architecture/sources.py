"""Which files make up the project, for the tests of its shape; it judges nothing itself."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alerting", "api", "devices", "gateway", "gengfu", "simulators")
_GENERATED = "gengfu/migrations/versions/"


@cache
def project_files() -> tuple[str, ...]:
    """Every file that is committed or could be, relative to the root, sorted."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(done.stdout.split("\0")) - {""}
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def python_files() -> list[str]:
    """Every Python file of the project, tests and benchmarks included, migrations not."""
    return [name for name in project_files() if name.endswith(".py") and not name.startswith(_GENERATED)]


def product_files() -> list[str]:
    """The Python files of the six packages."""
    return [name for name in python_files() if name.split("/")[0] in PACKAGES]


@cache
def tree(name: str) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)
