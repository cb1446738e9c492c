"""Mutation testing: change the code in one place and print the mutants that no test detects.

    python tests/endurance/mutants.py --sample 150 --seed 1        # 0: all

A mutant has one comparison, operator, number, truth value or condition changed, or one statement
removed, in a module of TESTS. The tests of the module run on a copy of the repository. Exit status
1 if a tenth of the mutants or more survive.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
TESTS = {
    "checkpoint.py": ["test_checkpoint.py"],
    "npz.py": ["test_npz.py"],
    "npy.py": ["test_npz.py", "test_dataset.py"],
    "config": ["test_config.py"],
    "dataset": ["test_dataset.py"],
}
COPIED = ("digitnet", "tests", "configs", "data", "pyproject.toml", "README.md")
SECONDS = 300  # time limit for the tests of a mutant; beyond, it counts as detected
MAX_SURVIVING = 0.1  # share of the mutants
COMPARED = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is},
}
COMPUTED = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr},
}


def faults(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the mutants of a node."""
    other = copy.deepcopy(node)
    if isinstance(other, ast.Compare) and type(other.ops[0]) in COMPARED:
        other.ops[0] = COMPARED[type(other.ops[0])]()
        yield other
    elif isinstance(other, ast.BoolOp):
        other.op = ast.Or() if isinstance(other.op, ast.And) else ast.And()
        yield other
    elif isinstance(other, ast.BinOp) and type(other.op) in COMPUTED:
        other.op = COMPUTED[type(other.op)]()
        yield other
    elif isinstance(other, ast.UnaryOp) and isinstance(other.op, ast.Not):
        yield other.operand
    elif isinstance(other, ast.Constant) and isinstance(other.value, bool):
        yield ast.Constant(not other.value)
    elif isinstance(other, ast.Constant) and isinstance(other.value, int | float):
        yield ast.Constant(other.value + 1)
    elif isinstance(other, ast.If | ast.IfExp):
        other.test = ast.UnaryOp(ast.Not(), other.test)
        yield other
    elif isinstance(other, ast.Raise | ast.AugAssign | ast.Continue | ast.Break) or (
        isinstance(other, ast.Expr) and not isinstance(other.value, ast.Constant)
    ):
        yield ast.Pass()


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield parent, field and index of each node of a tree, except in annotations."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns"):
                continue
            for at, node in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(node, ast.AST):
                    yield parent, field, at if isinstance(value, list) else None


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, description and source of each mutant of a module."""
    for number, (parent, field, at) in enumerate(places(ast.parse(source))):
        value = getattr(parent, field)
        for which, _ in enumerate(faults(value if at is None else value[at])):
            tree = ast.parse(source)
            parent, field, at = list(places(tree))[number]
            value = getattr(parent, field)
            node = value if at is None else value[at]
            fault = list(faults(node))[which]
            if at is None:
                setattr(parent, field, fault)
            else:
                value[at] = fault
            tree = ast.fix_missing_locations(tree)
            description = f"{ast.unparse(node)[:60]!r} -> {ast.unparse(fault)[:60]!r}"
            yield getattr(node, "lineno", 0), description, ast.unparse(tree)


def is_detected(clone: Path, tests: list[str]) -> bool:
    """Return whether a test fails in a copy of the repository."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
            + [f"tests/{test}" for test in tests],
            cwd=clone,
            env={**os.environ, "PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="digitnet-mutants-") as folder:
        clone = Path(folder)
        for name in COPIED:
            source = REPOSITORY / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / name)
        for tests in TESTS.values():
            if is_detected(clone, tests):
                sys.exit(f"expected {', '.join(tests)} to pass without a fault, but they fail")
        every = [
            (path, tests, *mutant)
            for name, tests in TESTS.items()
            for path in sorted(
                [clone / "digitnet" / name, *(clone / "digitnet" / name).glob("*.py")]
            )
            if path.is_file()
            for mutant in mutants(path.read_text())
        ]
        random.Random(options.seed).shuffle(every)
        chosen = every[: options.sample or None]
        survivors = 0
        for number, (path, tests, line, description, text) in enumerate(chosen, 1):
            original = path.read_text()
            path.write_text(text)
            if not is_detected(clone, tests):
                survivors += 1
                print(f"{path.relative_to(clone)}:{line}: {description}", flush=True)
            path.write_text(original)
            if number % 10 == 0:
                print(f"{number} of {len(chosen)}", file=sys.stderr, flush=True)
    print(f"{len(chosen)} of {len(every)} mutants tried, {survivors} survived")
    return 1 if survivors >= MAX_SURVIVING * len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
