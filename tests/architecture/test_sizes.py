"""Files and functions stay small enough to be read at once, and every file says what it is for."""

import ast
from pathlib import PurePosixPath

import pytest

from tests.architecture.sources import ROOT, product_files, python_files, tree

file_lines_max = 400
function_lines_max = 70
word_packs = "alerting/core/languages"
"""A language is one file (ADR 0039): whoever adds one copies it and translates it from top to bottom."""
pack_lines_max = 700


def functions_longer_than(limit: int, module: ast.Module) -> list[tuple[str, int]]:
    """The name and length of every function above the limit, decorators not counted."""
    found = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sized = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]
    return [(name, lines) for name, lines in sized if lines > limit]


def is_words_alone(module: ast.Module) -> bool:
    """A docstring, imports and values with a name: nothing that decides, repeats or is called later. The one thing
    worked out is the table of labels."""
    kinds = (ast.Expr, ast.ImportFrom, ast.Assign, ast.Module, ast.alias, ast.Name, ast.expr_context, ast.Constant)
    made = (ast.Call, ast.keyword, ast.Dict, ast.Tuple, ast.Starred, ast.BinOp, ast.Add, ast.Attribute)
    table = (ast.DictComp, ast.comprehension)
    found = list(ast.walk(module))
    return (
        all(isinstance(node, (*kinds, *made, *table)) for node in found)
        and sum(isinstance(node, ast.DictComp) for node in found) <= 1
        and not any(node.ifs for node in found if isinstance(node, ast.comprehension))
    )


def lines_max(name: str) -> int:
    """What a file may have: more where it is a pack of words and nothing else."""
    is_pack = str(PurePosixPath(name).parent) == word_packs and is_words_alone(tree(name))
    return pack_lines_max if is_pack else file_lines_max


def test_there_are_files_to_measure() -> None:
    assert len(product_files()) > 20


def test_no_file_is_longer_than_its_reader_is_patient() -> None:
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in product_files()}
    assert {name: lines for name, lines in lengths.items() if lines > lines_max(name)} == {}


def test_only_packs_of_words_may_be_longer() -> None:
    longer = {name for name in product_files() if lines_max(name) > file_lines_max}
    assert {f"{word_packs}/en.py", f"{word_packs}/zh_cn.py"} <= longer
    assert all(name.startswith(f"{word_packs}/") for name in longer)
    for shared in ("__init__", "base", "han", "latin", "surfaces"):
        assert f"{word_packs}/{shared}.py" not in longer


@pytest.mark.parametrize(
    ("source", "alone"),
    [
        ('"""Words."""\nfrom a import B\nX = B(one="1", more={"2": "3" + "4"})\n', True),
        ('"""Words."""\ndef spoken(text: str) -> str:\n    return text\n', False),
        ('"""Words."""\nX = lambda text: text\n', False),
        ('"""Words."""\nX = "1" if Y else "2"\n', False),
        ('"""Words."""\nif Y:\n    X = "1"\n', False),
        ('"""Words."""\nX = {a: b for a, b in Y if a}\n', False),
        ('"""Words."""\nX = f"{Y}"\n', False),
        ('"""Words."""\nclass X:\n    pass\n', False),
    ],
)
def test_a_pack_with_logic_is_a_file_like_any_other(source: str, alone: bool) -> None:
    assert is_words_alone(ast.parse(source)) is alone


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
