"""Make bad configs: values of the wrong kind, and text that is hardly YAML."""

import json
import random
from pathlib import Path
from typing import Any

from damage import damaged

from digitnet.config.definition import schema

NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, 0.5, -0.0, 1e308, 1e-320, 784, 10)
TEXTS = (
    *(
        "",
        "a",
        "sgd",
        "adam",
        "relu",
        "softmax",
        "auto",
        "null",
        "1e5",
        ".nan",
        ".inf",
        "~",
        "0x10",
    ),
    *(
        "\x1b[31m",
        "a\nb",
        "\u202e",
        "\u2028",
        "\ufeff",
        "é" * 40,
        "𝟙",
        "/dev/zero",
        "..",
        "a" * 5000,
    ),
)
ODDITIES = (
    *("&a", "*a", "<<: *a", "!!python/object:os.system", "!!binary aGk=", "? [1, 2]", "%YAML 9.9"),
    *("---", "...", "[" * 300, "{a: " * 300, "- " * 300, "'", '"', '"\\ud800"', '"\\0"', "|", ">9"),
    *("\t", "#", "\0", "\r", "1" * 5000, "1." + "0" * 5000, "9e999999999", ".nan", "0o17", "1_000"),
    *("2020-01-01", "\ufeff", "\u0085", "\x1b]0;title\x07", "'\ud7ff'", "𝄞", "1:30", "+.1e-5"),
)


def rubbish(seeds: list[bytes], rng: random.Random) -> bytes:
    """Return the text of a bad config."""
    way = rng.randrange(3)
    if way == 0:
        return damaged(rng.choice(seeds), seeds, rng)
    if way == 1:
        return _tree(rng).encode(errors="surrogatepass")
    lines = rng.choice(seeds).decode().splitlines(keepends=True)
    at = rng.randrange(len(lines))
    odd = rng.choice(ODDITIES)
    if rng.random() < 0.5:
        lines.insert(at, odd + rng.choice(("", "\n", " ")))
    else:
        place = rng.randint(0, len(lines[at]))
        lines[at] = lines[at][:place] + odd + lines[at][place:]
    return "".join(lines).encode(errors="surrogatepass")


def override(rng: random.Random) -> str:
    """Return a KEY=VALUE for --set."""
    key = rng.choice([*_keys(), "a", "", ".", "training", "data.path.x", "x.y.z", "seed."])
    value = rng.choice((*ODDITIES, json.dumps(_value(rng, 2))))
    return f"{key}={value}".replace("\0", "\\0")


def _tree(rng: random.Random) -> str:
    tree: dict[str, Any] = {
        "data": {"path": "data"},
        "network": {"layer_sizes": [784, 3, 10]},
    }
    for _ in range(rng.randint(1, 3)):
        *sections, last = rng.choice(_keys()).split(".")
        at = tree
        for name in sections:
            below = at.setdefault(name, {})
            at = below if isinstance(below, dict) else {}
        at[last if rng.random() < 0.9 else rng.choice(TEXTS)] = _value(rng, 3)
    return json.dumps(tree, ensure_ascii=rng.random() < 0.5)


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(7 if depth else 4)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind == 2:
        return rng.choice(TEXTS)
    if kind == 3:
        return rng.choice((None, True, False, float("nan"), float("inf")))
    if kind == 4:
        return {rng.choice(TEXTS): _value(rng, depth - 1) for _ in range(rng.randint(0, 3))}
    if kind == 5:
        return [_value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    deep: Any = 1
    for _ in range(rng.choice((5, 30, 200))):
        deep = [deep]
    return deep


def _keys(section: str = "Config", prefix: str = "") -> list[str]:
    """Return the full path of every config key."""
    keys: list[str] = []
    for name, part in schema()["$defs"][section]["properties"].items():
        reference = part.get("$ref") or part.get("allOf", [{}])[0].get("$ref")
        keys.append(prefix + name)
        if reference:
            keys += _keys(reference.rpartition("/")[2], f"{prefix}{name}.")
    return keys


def seeds(folder: Path) -> list[bytes]:
    """Return the configs of the project."""
    return [path.read_bytes() for path in sorted(folder.glob("*.yaml"))]
