"""Modules import only modules below them, stay short, and are loaded late."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import digitnet

PACKAGE = Path(digitnet.__file__).parent
# The rooms and their modules. A module imports only modules further down, in its room and below.
HOUSE = {
    "cli": "evaluate export info predict report train train_text report_text mistakes evaluation "
    "data_check answer_file answers prepared parts sources lists numbers options show progress "
    "output ranks",
    "report": "page strip content scripts sprites diagrams curves charts subject text figures "
    "facts output",
    "export": "export to_onnx to_c to_javascript accuracy quantised onnx_graph contents c_text "
    "scripts output",
    "session": "driver saving lock signals",
    "training": "loop replicas resumption setup rehearsal sampling plan descent shards "
    "augmentation state trail start optimizers schedules",
    "model": "inspection array_files comparison description examples data evaluation orientation "
    "prediction checkpoint survey landscape locations numbers doubt calibration sketch",
    "network": "crew processes threads network plain costs workspace activations regularisers",
    "synthetic": "background distortions handwriting strokes",
    "dataset": "reader unlabelled minibatches splits folder preparation layout listed pairs "
    "archives tables header shapes drawing definition unpacking idx npy formats classes "
    "conventions mapped",
    "image": "numbers workers segmentation reading candidates look digit memory_budget evidence "
    "field files heif memory",
    "image.marks": "rows seams sheet box groups outline structure",
    "image.ink": "paper uneven ruling shadow closing components ink",
    "fleet": "launcher mpi work fleet",
    "config": "reader source values syntax keys definition threads",
    "": "arrays npz paths randomness version errors",
}
ENTRIES = ["__init__", "__main__", "cli.__init__"]  # may import anything
TOP_TO_BOTTOM = ENTRIES + [
    f"{room}.{module}".removeprefix(".")
    for room, names in HOUSE.items()
    for module in names.split()
]
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a file in the package, as in TOP_TO_BOTTOM."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return the nodes of a module's syntax tree; the first is the whole module."""
    return list(ast.walk(ast.parse(path.read_text())))


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the modules of the package that some nodes import, at any level."""
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            package, *rest = name.split(".")
            if package == "digitnet":
                yield module_of(rest)


def module_of(names: list[str]) -> str:
    """Return the module in TOP_TO_BOTTOM that contains digitnet.<names>."""
    for end in range(len(names), 0, -1):
        module = ".".join(names[:end])
        if module in TOP_TO_BOTTOM:
            return module
        if f"{module}.__init__" in TOP_TO_BOTTOM:
            return f"{module}.__init__"
    return ".".join(names) or "__init__"


def upward_imports(name: str, nodes: Iterable[ast.AST]) -> list[str]:
    """Return the imports of the module `name` that are not below it in TOP_TO_BOTTOM."""
    if name in ENTRIES:
        return []
    rank = TOP_TO_BOTTOM.index
    others = imported(nodes)
    return [other for other in others if other not in TOP_TO_BOTTOM or rank(other) <= rank(name)]


@pytest.mark.parametrize(
    "source",
    [
        "import digitnet.session.driver",
        "from digitnet.session.driver import run",
        "from digitnet.session import driver",
        "def later():\n    from digitnet.session.driver import run",
        "if TYPE_CHECKING:\n    import digitnet.session.driver as s",
    ],
)
def test_an_upward_import_is_detected(source: str) -> None:
    nodes = list(ast.walk(ast.parse(source)))
    assert upward_imports("model.checkpoint", nodes) == ["session.driver"]
    assert upward_imports("session.saving", nodes) == ["session.driver"]
    assert upward_imports("cli.train", nodes) == []


def test_a_module_imports_only_modules_below_it() -> None:
    upward = {}
    for path in MODULES:
        if path.name == "__init__.py" and module_name(path) not in ENTRIES:
            upward[path] = list(imported(nodes_of(path)))
        else:
            upward[path] = upward_imports(module_name(path), nodes_of(path))
    assert {path: names for path, names in upward.items() if names} == {}


def test_every_module_is_listed() -> None:
    names = {module_name(path) for path in MODULES}
    rooms = {f"{room}.__init__" for room in HOUSE if room}
    assert names == {*TOP_TO_BOTTOM, *rooms}


def test_the_top_level_of_the_package_is_small() -> None:
    names = {path.relative_to(PACKAGE).parts[0] for path in MODULES}
    assert len({name for name in names if name.endswith(".py")}) <= 8
    assert len(names) <= 8 + 12


def test_a_module_has_at_most_350_lines() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert {path: n for path, n in lines.items() if n > 350} == {}


def test_every_module_has_a_docstring() -> None:
    trees = {path: nodes_of(path)[0] for path in MODULES}
    without = [
        path
        for path, tree in trees.items()
        if not isinstance(tree, ast.Module) or not ast.get_docstring(tree)
    ]
    assert without == []


def prints(path: Path) -> bool:
    """Return whether a module calls `print`."""
    calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
    return "print" in {function.id for function in calls if isinstance(function, ast.Name)}


def test_only_the_command_line_prints() -> None:
    others = [path for path in MODULES if not module_name(path).startswith("cli.")]
    assert others
    assert [path for path in others if prints(path)] == []


@pytest.mark.parametrize("room", ["network", "synthetic", "dataset", "image"])
def test_lower_rooms_import_no_config_or_cli(room: str) -> None:
    files = [path for path in MODULES if module_name(path).startswith(f"{room}.")]
    assert files
    for path in files:
        names = imported(nodes_of(path))
        assert not [name for name in names if name.startswith(("config", "cli"))]


def loaded_by(code: str) -> set[str]:
    """Return the names of all loaded modules after code has run in a new interpreter."""
    tail = "\nimport json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def loaded_by_command(*arguments: str) -> set[str]:
    return loaded_by(
        f"import sys; sys.argv = {['digitnet', *arguments]!r}\n"
        "from digitnet.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )


def test_the_config_loads_no_numpy() -> None:
    assert "numpy" not in loaded_by("import digitnet.config.reader")


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("train", "--help"), ("predict", "--help"), ("predict",)],
    ids=" ".join,
)
def test_help_loads_no_numpy(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by_command(*arguments)
    assert "digitnet.cli" in loaded
    assert "numpy" not in loaded


def test_a_config_error_loads_no_numpy(config_file: Path) -> None:
    loaded = loaded_by_command("train", "--config", str(config_file), "--set", "seed=one")
    assert "digitnet.config" in loaded
    assert "numpy" not in loaded


def test_the_version_loads_only_digitnet_and_click() -> None:
    bare = loaded_by("import click")
    more = loaded_by_command("--version") - bare
    others = {name for name in more if not name.startswith(("digitnet", "click"))}
    assert others <= {"locale", "_locale"}


def test_predict_loads_nothing_for_training(model: Path, pictures: Path) -> None:
    loaded = loaded_by_command("predict", "-m", str(model), str(pictures / "00.png"))
    assert {"numpy", "PIL.PngImagePlugin", "digitnet.model.prediction"} <= loaded
    for name in ("yaml", "tqdm", "msgspec", "digitnet.config.reader", "digitnet.dataset.reader"):
        assert name not in loaded
    for name in (
        "hashlib",
        "numpy.ma",
        "numpy.random",
        "PIL.ImageOps",
        "PIL.JpegImagePlugin",
        "multiprocessing",
    ):
        assert name not in loaded


def test_a_checkpoint_is_read_without_pillow() -> None:
    assert "PIL" not in loaded_by("import digitnet.model.checkpoint")


def test_idx_files_are_read_without_pillow() -> None:
    loaded = loaded_by("import digitnet.dataset.reader")
    assert "numpy" in loaded
    assert "PIL" not in loaded
