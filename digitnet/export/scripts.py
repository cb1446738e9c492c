"""JavaScript as text: join modules, and write values as literals.

The modules have named imports and exports only, so their text can be joined in one scope: imports,
and where wanted the word `export`, are removed.
"""

import json
import re
from pathlib import Path
from typing import Any

IMPORT = re.compile(r'^import\s*(?:\{[^}]*\}\s*from\s*)?"(\.{1,2}/[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function|class|const|let)", re.MULTILINE)


def joined(start: Path) -> str:
    """Return the text of a module and of all that it imports, each after those that it imports."""
    modules: list[Path] = []
    _add(start.resolve(), modules, set())
    return "\n".join(without_exports(without_imports(module)) for module in modules)


def _add(module: Path, modules: list[Path], seen: set[Path]) -> None:
    """Append a module and, before it, the modules that it imports."""
    if module in seen:
        return
    seen.add(module)
    for path in IMPORT.findall(module.read_text(encoding="utf-8")):
        _add((module.parent / path).resolve(), modules, seen)
    modules.append(module)


def without_imports(module: Path) -> str:
    """Return the text of a module without its imports, one line break at its end."""
    return IMPORT.sub("", module.read_text(encoding="utf-8")).strip() + "\n"


def without_exports(text: str) -> str:
    """Return the text of a module with names that other modules do not see."""
    return EXPORT.sub("", text)


def as_json(values: Any) -> str:
    """Return JSON, in ASCII, that is a literal in JavaScript and safe inside a script element."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
