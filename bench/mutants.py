"""Are the tests of the safety code tests? Change it, slip by slip, and see them fail.

    python -m bench.mutants [--json FILE] [--only limits.py] [--jobs 2]

Every mutant is one small change of one file of `controller/safety`: another comparison,
another sign, a number one up, a condition turned round, a line left out. The tests in
`tests/safety` run on each, uncompiled. A mutant that they do not notice either has its
reason in SAFETY.md, under the name that this prints, or is a hole in the tests.
"""

import argparse
import ast
import copy
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis.stateful  # noqa: F401 - what every fork needs
import pytest

os.environ["NUMBA_DISABLE_JIT"] = "1"
sys.dont_write_bytecode = True

import numba  # noqa: E402, F401

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "controller" / "safety"
_NEEDED = ("controller/kernels", "controller/safety", "tests/safety")
_FILES = ("controller/__init__.py", "controller/errors.py", "tests/study.py")
_TIMEOUT_S = 120
_LONGEST_NAME = 100

_OWN = {
    "arming": ("test_arming.py",),
    "ceilings": ("test_figures.py",),
    "device": ("test_device_rules.py", "test_figures.py"),
    "dose": ("test_dose.py",),
    "interlock": ("test_figures.py", "test_interlock.py"),
    "ledger": ("test_interlock.py",),
    "limits": ("test_limits.py",),
    "train": ("test_train.py",),
}
"""The tests that notice most: the others run where these do not."""

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
}


@dataclass(frozen=True)
class Mutant:
    """One change.

    Parameters
    ----------
    name : str
        File, line's text before and after; stable while the line is.
    path : str
    source : str
        Of the whole file, changed.
    """

    name: str
    path: str
    source: str


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    seen: dict[str, int] = {}
    for place in range(sum(1 for _ in _places(tree))):
        for choice in range(4):
            changed = copy.deepcopy(tree)
            owner, field, index = list(_places(changed))[place]
            before = _get(owner, field, index)
            after = _change(before, choice)
            if after is None:
                break
            statement = _statement(changed, before)
            was = ast.unparse(statement).split("\n")[0]
            if len(was) > _LONGEST_NAME:
                statement, was = before, ast.unparse(before)
            _put(owner, field, index, after)
            statement = after if statement is before else statement
            now = ast.unparse(statement).split("\n")[0]
            name = f"{path.name}: {was} => {now}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            source = ast.unparse(ast.fix_missing_locations(changed))
            yield Mutant(name, str(path.relative_to(ROOT)), source)


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield where a node may be changed; annotations and decorators are left alone."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list", "ctx", "bases"):
            continue
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _place(tree, field, index, item)
        elif isinstance(value, ast.AST):
            yield from _place(tree, field, None, value)


def _place(
    owner: ast.AST, field: str, index: int | None, node: ast.AST
) -> Iterator[tuple[ast.AST, str, int | None]]:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return
    if _change(node, 0) is not None:
        yield owner, field, index
    yield from _places(node)


def _change(node: ast.AST, choice: int) -> ast.AST | None:
    """Return the node's so-and-so-manieth change, None where there is none left."""
    changes = list(_changes(node))
    return changes[choice] if choice < len(changes) else None


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        yield from _statement_changes(node)
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other in _COMPARISONS[type(op)]:
                changed = copy.deepcopy(node)
                changed.ops[k] = other()
                yield changed
    elif isinstance(node, ast.BoolOp):
        other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(op=other_op, values=copy.deepcopy(node.values))
    elif isinstance(node, ast.UnaryOp):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        turned = copy.deepcopy(node)
        turned.op = _OPERATORS[type(node.op)]()
        yield turned
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node.value)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(test=node.test, body=node.orelse, orelse=node.body)


def _other_constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)


def _statement_changes(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield another sign, and nothing in the place of what only has an effect."""
    if isinstance(node, ast.AugAssign):
        turned = copy.deepcopy(node)
        turned.op = _OPERATORS[type(node.op)]()
        yield turned
        yield ast.Pass()
    called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    kept = isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name)
    if called or kept:
        yield ast.Pass()


def _statement(tree: ast.AST, node: ast.AST) -> ast.AST:
    """Return the innermost statement that holds the node."""
    found = node
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt) and any(
            child is node for child in ast.walk(statement)
        ):
            found = statement
    return found


def _get(owner: ast.AST, field: str, index: int | None) -> ast.AST:
    value = getattr(owner, field)
    return value if index is None else value[index]


def _put(owner: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[index] = node


class Room:
    """A copy of what the tests need, in which one file at a time is changed."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="phasegate-mutants-"))
        skip = shutil.ignore_patterns("__pycache__")
        for name in _NEEDED:
            shutil.copytree(ROOT / name, self.path / name, ignore=skip)
        for name in _FILES:
            shutil.copy(ROOT / name, self.path / name)
        shutil.copy(ROOT / "tests" / "conftest.py", self.path / "tests")
        (self.path / "pytest.ini").write_text(
            "[pytest]\nfilterwarnings =\n    error\n"
            "    ignore::pytest.PytestAssertRewriteWarning\n",
            encoding="utf-8",
        )

    def start(self, mutant: Mutant | None) -> int:
        """Run the tests on a mutant, or on the code as it is; return the process.

        Its exit code is 0 where no test fails. It is a fork: numba and pytest take
        longer to import than the tests to run.
        """
        process = os.fork()
        if process == 0:
            signal.alarm(_TIMEOUT_S)
            code = 1
            try:
                code = self._run(mutant)
            finally:
                os._exit(code)
        return process

    def close(self) -> None:
        """Take the copy away."""
        shutil.rmtree(self.path)

    def _run(self, mutant: Mutant | None) -> int:
        os.chdir(self.path)
        sys.path[:0] = [str(self.path), str(self.path / "tests")]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        tests = sorted((self.path / "tests" / "safety").glob("test_*.py"))
        if mutant is not None:
            changed = self.path / mutant.path
            shutil.copy(ROOT / mutant.path, changed)
            changed.write_text(mutant.source, encoding="utf-8")
            first = _OWN[changed.stem]
            tests.sort(key=lambda test: (test.name not in first, test.name))
        return int(
            pytest.main(["-x", "-q", "-p", "no:cacheprovider", *map(str, tests)])
        )

    def restore(self, mutant: Mutant | None) -> None:
        """Take the change back."""
        if mutant is not None:
            shutil.copy(ROOT / mutant.path, self.path / mutant.path)


def explained() -> set[str]:
    """Return the mutants whose survival SAFETY.md explains."""
    text = (ROOT / "SAFETY.md").read_text(encoding="utf-8")
    return {line.split("`")[1] for line in text.splitlines() if " => " in line}


def run(paths: list[Path], jobs: int) -> dict[str, list[str]]:
    """Return the names of the mutants that were noticed, explained and missed."""
    rooms = [Room() for _ in range(jobs)]
    _, status = os.waitpid(rooms[0].start(None), 0)
    if status != 0:
        raise SystemExit("The tests fail on the code as it is; mend them first.")
    told: dict[str, list[str]] = {"noticed": [], "explained": [], "missed": []}
    reasons = explained()
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    running: dict[int, tuple[Room, Mutant]] = {}
    for count, mutant in enumerate([*mutants, *[None] * jobs]):
        if len(running) == jobs or (mutant is None and running):
            process, status = os.wait()
            room, judged = running.pop(process)
            room.restore(judged)
            rooms.append(room)
            kind = "noticed" if status != 0 else "missed"
            if kind == "missed" and judged.name in reasons:
                kind = "explained"
            told[kind].append(judged.name)
            if kind != "noticed":
                print(f"{kind}: {judged.name}", flush=True)
            if count % 25 == 0:
                print(f"{count} of {len(mutants)}", file=sys.stderr, flush=True)
        if mutant is not None:
            room = rooms.pop()
            running[room.start(mutant)] = (room, mutant)
    for room in rooms:
        room.close()
    return told


def main() -> int:
    """Run from the command line; 1 if a mutant was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutants")
    parser.add_argument("--json", type=Path, help="write every mutant's name there")
    parser.add_argument("--only", nargs="+", help="files of controller/safety")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    names = options.only or [p.name for p in sorted(PACKAGE.glob("[a-z]*.py"))]
    told = run([PACKAGE / name for name in names], options.jobs)
    counts = {kind: len(mutants) for kind, mutants in told.items()}
    print(
        f"{sum(counts.values())} mutants: {counts['noticed']} noticed, "
        f"{counts['explained']} explained in SAFETY.md, {counts['missed']} missed"
    )
    if options.json is not None:
        options.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 1 if told["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
