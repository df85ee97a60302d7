"""The walls of the house, read from its sources."""

import ast
import sys
from pathlib import Path

import pytest

import controller
import drivers

ROOT = Path(controller.__file__).parent.parent
SOURCES = sorted(
    path
    for package in (controller, drivers)
    for path in Path(package.__file__).parent.rglob("*.py")
)
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]
LONGEST_FILE = 400

# Every floor may import those below it, and nothing above.
FLOORS = (
    "controller.cli",
    "controller.rig",
    "controller.export",
    "controller.report",
    "controller.calibration",
    "controller.session",
    "controller.sources",
    "controller.engine",
    "controller.estimators",
    "controller.protocol",
    "controller.core",
    "controller.safety",
    "controller.kernels",
    "controller.errors",
)
CORE = ("controller.kernels", "controller.core", "controller.safety")
OUTSIDE = {
    *("serial", "pylsl", "socket", "select", "selectors", "asyncio", "multiprocessing"),
    *("time", "datetime", "threading", "subprocess", "queue", "signal", "random"),
    *("os", "pathlib", "io", "tempfile", "shutil", "logging", "ctypes", "scipy"),
}
# The one place that decides where machine code is cached.
READS_FILES = {"controller.kernels.jit": {"os", "pathlib"}}
# The simulated participant is one end of the simulated devices' line; no driver is.
JOINS_SIMULATION = {"controller.sources.synthetic.wires": ("drivers.sim.ttl",)}
# Who may name a call that moves a trigger line.
FIRES = {"controller/engine/loop.py", "controller/engine/fallback.py"}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_of(path): ast.parse(path.read_text()) for path in SOURCES}
PATHS = {module_of(path): str(path.relative_to(ROOT)) for path in SOURCES}


def imported(tree):
    """Return every module that a tree imports, also inside functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def belongs(name, package):
    return name == package or name.startswith(f"{package}.")


def modules_in(*packages):
    return [
        name for name in TREES if any(belongs(name, package) for package in packages)
    ]


def test_there_is_something_to_look_at():
    assert len(modules_in("controller")) > 40
    assert len(modules_in("drivers")) > 5
    for floor in FLOORS:
        assert modules_in(floor), f"{floor} is empty"


@pytest.mark.parametrize("module", modules_in("drivers"))
def test_drivers_know_nothing_of_the_controller(module):
    for name in imported(TREES[module]):
        top = name.split(".")[0]
        assert top not in ("controller", "numba"), f"{module} imports {name}"


def test_a_driver_needs_neither_the_controller_nor_its_libraries():
    """Also not by way of another module: ask a fresh interpreter."""
    import subprocess

    names = [name for name in modules_in("drivers") if "__main__" not in name]
    script = (
        "import importlib, sys\n"
        f"for name in {[name for name in names if '.sim' not in name]!r}:\n"
        "    importlib.import_module(name)\n"
        "found = {'controller', 'numba', 'pylsl'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("floor", FLOORS)
def test_nothing_is_imported_from_a_floor_above(floor):
    above = FLOORS[: FLOORS.index(floor)]
    for module in modules_in(floor):
        for name in imported(TREES[module]):
            for higher in above:
                assert not belongs(name, higher), f"{module} imports {name}"


@pytest.mark.parametrize("module", modules_in(*CORE))
def test_the_decision_core_reaches_nothing_outside(module):
    allowed = READS_FILES.get(module, set())
    for name in imported(TREES[module]):
        top = name.split(".")[0]
        assert top not in OUTSIDE - allowed, f"{module} imports {name}"
        assert top != "drivers", f"{module} imports {name}"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("open", "input", "exec", "eval"), module


def test_only_the_rig_and_the_command_line_name_drivers():
    for module in modules_in("controller"):
        if belongs(module, "controller.rig") or belongs(module, "controller.cli"):
            continue
        for name in imported(TREES[module]):
            if any(belongs(name, end) for end in JOINS_SIMULATION.get(module, ())):
                continue
            assert not belongs(name, "drivers"), f"{module} imports {name}"


def called_names(tree):
    """Return the dotted names of everything that is called."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if is_call(node)}


def is_call(node):
    return isinstance(node, ast.Call)


def test_only_the_engine_fires():
    """No other module has a call that could reach a trigger line."""
    moving = {
        "os.write",
        "os.writev",
        "os.pwrite",
        "fcntl.ioctl",
        "termios.tcsendbreak",
    }
    moving |= {"call_write", "call_ioctl", "on_edge_due", "on_edge_done", "_carry_out"}
    firing = set()
    for module in modules_in("controller"):
        names = called_names(TREES[module])
        attributes = {name.rsplit(".", 1)[-1] for name in names}
        if names & moving or "carry_out" in attributes:
            firing.add(PATHS[module])
    assert firing == FIRES


def test_nobody_touches_the_actions_of_a_trigger_but_who_compiles_them():
    """`rise`, `fall`, `payload` and `descriptor` are read where programs are built."""
    for module in modules_in("controller"):
        if module == "controller.rig.programs.program":
            continue
        for node in ast.walk(TREES[module]):
            if isinstance(node, ast.Attribute):
                touched = node.attr in ("rise", "fall", "payload")
                assert not touched, f"{module}: {ast.unparse(node)}"


def test_no_serial_port_is_opened_by_the_controller():
    for module in modules_in("controller"):
        for name in imported(TREES[module]):
            if belongs(name, "serial"):
                assert belongs(name, "serial.tools"), f"{module} imports {name}"


def test_only_the_rig_gives_permits():
    arming = [
        PATHS[module]
        for module in modules_in("controller")
        if any(
            is_call(node)
            and ast.unparse(node.func).endswith((".permit", ".vouch_until"))
            for node in ast.walk(TREES[module])
        )
    ]
    assert all(path.startswith("controller/rig/") for path in arming), arming


@pytest.mark.parametrize("module", sorted(TREES))
def test_no_exception_is_swallowed_whole(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{module}:{node.lineno} has a bare except"
            everything = ast.unparse(node.type) in ("Exception", "BaseException")
            silent = all(isinstance(line, ast.Pass) for line in node.body)
            assert not (everything and silent), f"{module}:{node.lineno}"


@pytest.mark.parametrize("module", sorted(TREES))
def test_nothing_prints(module):
    assert "print" not in called_names(TREES[module])


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_too_long(name):
    n_lines = len((ROOT / name).read_text().splitlines())
    assert n_lines <= LONGEST_FILE, f"{name} has {n_lines} lines"


def public_definitions(tree):
    """Return the public functions, classes and methods of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    inner
                    for inner in node.body
                    if isinstance(inner, kinds) and not inner.name.startswith("_")
                )


@pytest.mark.parametrize("module", sorted(TREES))
def test_everything_public_says_what_it_is_for(module):
    tree = TREES[module]
    assert ast.get_docstring(tree), f"{module} has no docstring"
    for node in public_definitions(tree):
        setter = any("setter" in ast.unparse(each) for each in node.decorator_list)
        if not setter:
            assert ast.get_docstring(node), f"{module}.{node.name} has no docstring"


@pytest.mark.parametrize("module", sorted(TREES))
def test_modules_hold_constants_only(module):
    """A name that a module binds twice, or a `global`, is state."""
    for node in ast.walk(TREES[module]):
        assert not isinstance(node, ast.Global), f"{module}:{node.lineno} has a global"
    for node in TREES[module].body:
        if isinstance(node, ast.Assign):
            names = [ast.unparse(target) for target in node.targets]
            assert ast.unparse(node.value) not in ("[]", "{}", "set()", "list()"), names
            if isinstance(node.value, ast.List | ast.Set | ast.Dict):
                assert all(name.upper() == name or name == "__all__" for name in names)


@pytest.mark.parametrize("module", modules_in("controller", "drivers"))
def test_no_module_is_a_drawer_for_everything(module):
    last = module.rsplit(".", 1)[-1]
    assert not {"utils", "helpers", "misc", "common"} & set(last.split("_"))
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Helper", "Handler")), node.name


def test_the_loop_keeps_no_module_state():
    """Module globals are frozen into machine code; only numbers may be."""
    for module in modules_in(
        *CORE, "controller.engine.loop", "controller.engine.fakes"
    ):
        for node in TREES[module].body:
            if isinstance(node, ast.Assign):
                assert not isinstance(node.value, ast.Dict), (
                    f"{module}: {ast.unparse(node)}"
                )
