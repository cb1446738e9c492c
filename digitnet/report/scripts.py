"""The page's script: all of its modules joined, because a page from a file cannot import any."""

import base64
import hashlib
from pathlib import Path

from digitnet.export.scripts import joined

PAGE = Path(__file__).resolve().parent / "page"
START = PAGE / "start.js"  # the module that imports, directly or not, all others


def joined_script() -> str:
    """Return the script of the page: each module after those that it imports."""
    return f'"use strict";\n(() => {{\n{joined(START)}}})();\n'


def content_hash(script: str) -> str:
    """Return what a Content-Security-Policy calls a script: its SHA-256 (W3C CSP Level 3)."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
