"""The six packages are ours: imported from this checkout, claimed by nobody else, and complete."""

import ast
import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, product_files, python_files, tree


@pytest.mark.parametrize("package", PACKAGES)
def test_package_comes_from_this_checkout_and_from_nowhere_else(package: str) -> None:
    file = importlib.import_module(package).__file__
    assert file is not None, f"{package} has no __init__.py"
    assert Path(file).resolve() == ROOT / package / "__init__.py"
    assert set(packages_distributions().get(package, [])) <= {"gengfu"}


def test_every_folder_with_python_files_is_a_package() -> None:
    names = python_files()
    folders = {name.rsplit("/", 1)[0] for name in names if "/" in name}
    assert {folder for folder in folders if f"{folder}/__init__.py" not in names} == set()


def test_an_incident_is_not_called_an_alert() -> None:
    classes = [
        f"{name}: {node.name}"
        for name in product_files()
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ClassDef) and node.name.removesuffix("s").endswith("Alert")
    ]
    assert classes == []
