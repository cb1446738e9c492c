"""The arrows between the modules point down, no module grows too long, and parts load late."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import digitnet

PACKAGE = Path(digitnet.__file__).parent
TOP_TO_BOTTOM = [
    "digitnet",
    "__main__",
    "cli",
    "report",
    "session",
    "training",
    "comparison",
    "examples",
    "evaluation",
    "orientation",
    "prediction",
    "numbers",
    "checkpoint",
    "calibration",
    "config",
    "averaging",
    "optimizers",
    "schedules",
    "network",
    "workspace",
    "regularisers",
    "augment",
    "background",
    "handwriting",
    "strokes",
    "dataset",
    "workers",
    "room",
    "image",
    "costs",
    "activations",
    "aligned",
    "npz",
    "paths",
    "npy",
    "randomness",
    "crew",
    "share",
    "threads",
    "classes",
    "version",
    "errors",
]
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in MODULES]


def home(path: Path) -> str:
    """The name in the list that a file belongs to."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "digitnet" if first == "__init__" else first


def imported(source: str) -> Iterator[str]:
    """The names in the list that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            package, *rest = name.split(".")
            if package == "digitnet":
                yield rest[0] if rest else package


def arrows_up(name: str, source: str) -> list[str]:
    """The imports of the module `name` that do not point down the list."""
    rank = TOP_TO_BOTTOM.index
    others = (other for other in imported(source) if other != name)
    return [other for other in others if other not in TOP_TO_BOTTOM or rank(other) <= rank(name)]


@pytest.mark.parametrize(
    "source",
    [
        "import digitnet.session",
        "from digitnet.session import run",
        "from digitnet import session",
        "def later():\n    from digitnet.session import run",
        "if TYPE_CHECKING:\n    import digitnet.session as s",
    ],
)
def test_an_arrow_that_points_up_is_seen(source: str) -> None:
    assert arrows_up("checkpoint", source) == ["session"]
    assert arrows_up("cli", source) == []


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_imports_only_from_further_down(path: Path) -> None:
    assert arrows_up(home(path), path.read_text()) == []


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_has_its_place_in_the_list(path: Path) -> None:
    assert home(path) in TOP_TO_BOTTOM


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
    assert home(path) == "cli" or "print" not in names


def test_the_functions_know_nothing_of_configs() -> None:
    for name in ("network", "optimizers", "image", "dataset"):
        files = [path for path in MODULES if home(path) == name]
        assert files
        for path in files:
            assert not {"config", "cli"} & set(imported(path.read_text()))


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded once some code has run in a new interpreter."""
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
    assert "numpy" not in loaded_by("import digitnet.config")


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


def test_the_version_loads_next_to_nothing() -> None:
    bare = loaded_by("import click")
    more = loaded_by_command("--version") - bare
    others = {name for name in more if not name.startswith(("digitnet", "click"))}
    assert others <= {"locale", "_locale"}


def test_a_picture_is_read_with_nothing_for_training(model: Path, pictures: Path) -> None:
    loaded = loaded_by_command("predict", "-m", str(model), str(pictures / "00.png"))
    assert {"numpy", "PIL.PngImagePlugin", "digitnet.prediction"} <= loaded
    for name in ("yaml", "tqdm", "msgspec", "digitnet.config", "digitnet.dataset"):
        assert name not in loaded
    for name in (
        "numpy.ma",
        "numpy.random",
        "PIL.ImageOps",
        "PIL.JpegImagePlugin",
        "multiprocessing",
    ):
        assert name not in loaded


def test_a_checkpoint_is_read_without_pillow() -> None:
    assert "PIL" not in loaded_by("import digitnet.checkpoint")


def test_idx_files_are_read_without_pillow() -> None:
    loaded = loaded_by("import digitnet.dataset")
    assert "numpy" in loaded
    assert "PIL" not in loaded
