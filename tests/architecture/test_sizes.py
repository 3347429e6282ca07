"""Files and functions stay small enough to be read at once, and every file says what it is for."""

import ast

from tests.architecture.sources import ROOT, product_files, python_files, tree

file_lines_max = 400
function_lines_max = 70


def functions_longer_than(limit: int, module: ast.Module) -> list[tuple[str, int]]:
    """The name and length of every function above the limit, decorators not counted."""
    found = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sized = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]
    return [(name, lines) for name, lines in sized if lines > limit]


def test_there_are_files_to_measure() -> None:
    assert len(product_files()) > 20


def test_no_file_is_longer_than_its_reader_is_patient() -> None:
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in product_files()}
    assert {name: lines for name, lines in lengths.items() if lines > file_lines_max} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {name: functions_longer_than(function_lines_max, tree(name)) for name in product_files()}
    assert {name: functions for name, functions in long.items() if functions} == {}


def test_the_measure_itself_counts_lines() -> None:
    module = ast.parse("@decorated\ndef three():\n    a = 1\n    return a\n\nasync def two():\n    pass\n")
    assert functions_longer_than(1, module) == [("three", 3), ("two", 2)]
    assert functions_longer_than(2, module) == [("three", 3)]


def test_every_file_opens_by_saying_what_it_does() -> None:
    silent = [name for name in python_files() if not ast.get_docstring(tree(name))]
    assert silent == []
