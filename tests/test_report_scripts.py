"""Joining the page's modules."""

import base64
import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

from digitnet.export.to_javascript import SOURCES
from digitnet.report import scripts
from digitnet.report.scripts import PAGE, content_hash, joined_script

EXPORTED = sorted(SOURCES.glob("*.js"))
SHARED = [SOURCES / f"{name}.js" for name in ("base64", "layers", "probabilities")]
MODULES = [*sorted(PAGE.rglob("*.js")), *SHARED]


def test_each_module_is_in_the_script_once_after_its_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "start.js").write_text(
        'import { two } from "./two.js";\nimport {\n  one,\n} from "./low/one.js";\ntwo(one);\n'
    )
    (tmp_path / "two.js").write_text(
        'import { one } from "./low/one.js";\nexport function two() {}\n'
    )
    (tmp_path / "low" / "one.js").write_text('export const one = "import { x } from y";\n')
    monkeypatch.setattr(scripts, "START", tmp_path / "start.js")
    lines = joined_script().split("\n")
    assert lines == [
        '"use strict";',
        "(() => {",
        'const one = "import { x } from y";',
        "",
        "function two() {}",
        "",
        "two(one);",
        "})();",
        "",
    ]


def test_no_import_or_export_is_left() -> None:
    assert not re.findall(r"^\s*(?:import|export)\b.*", joined_script(), re.MULTILINE)


def test_all_modules_are_used() -> None:
    script = joined_script()
    for module in MODULES:
        body = module.read_text(encoding="utf-8").split(";\n")[-1].strip()
        assert body in script, module.name


@pytest.mark.parametrize("modules", [MODULES, EXPORTED], ids=["page", "export"])
def test_no_two_modules_define_the_same_name(modules: list[Path]) -> None:
    names = Counter(
        name
        for module in modules
        for name in re.findall(
            r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)",
            module.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_modules_are_short() -> None:
    lengths = {
        module.name: len(module.read_text().splitlines()) for module in {*MODULES, *EXPORTED}
    }
    assert {name: n for name, n in lengths.items() if n > 350} == {}


def test_the_hash_is_that_of_the_script() -> None:
    digest = base64.b64encode(hashlib.sha256(b"1 < 2").digest()).decode()
    assert content_hash("1 < 2") == f"sha256-{digest}"
