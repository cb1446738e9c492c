"""Join the page's JavaScript modules into one script.

A page opened from a file cannot import modules. The modules have named imports and exports only, so
their text can be joined in one scope: imports and the word `export` are removed.
"""

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "page"
START = PAGE / "start.js"  # the module that imports, directly or not, all others
IMPORT = re.compile(r'^import\s*(?:\{[^}]*\}\s*from\s*)?"(\./|\.\./)([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function|class|const|let)", re.MULTILINE)


def joined_script() -> str:
    """Return the script of the page: each module after those that it imports."""
    parts: list[str] = []
    _add(START, parts, set())
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _add(module: Path, parts: list[str], seen: set[Path]) -> None:
    """Append the text of a module and, before it, that of the modules that it imports."""
    if module in seen:
        return
    seen.add(module)
    text = module.read_text(encoding="utf-8")
    for start, rest in IMPORT.findall(text):
        _add((module.parent / start / rest).resolve(), parts, seen)
    parts.append(EXPORT.sub("", IMPORT.sub("", text)).strip() + "\n")


def content_hash(script: str) -> str:
    """Return what a Content-Security-Policy calls a script: its SHA-256 (W3C CSP Level 3)."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
