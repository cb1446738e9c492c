"""Parse YAML into plain values, and record the line or override that each value came from.

This YAML is stricter than YAML 1.1. As in YAML 1.2, `1e-3` is a number and `yes` is text. Duplicate
keys, aliases and tags are errors.
"""

import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from digitnet.config.definition import OUTPUT_KEY, PATH_KEYS, START_KEY
from digitnet.config.keys import pair_without_colon
from digitnet.config.syntax import explain
from digitnet.errors import ConfigError
from digitnet.paths import SHIPPED_NAME, absolute, kind_of, names_file, why_missing

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONFIG_FOLDERS = (  # in the working directory, an installed package, a copy of the repository
    "configs",
    os.path.join(_PACKAGE, "configs"),
    os.path.join(os.path.dirname(_PACKAGE), "configs"),
)
DEFAULT_MODEL = "model.npz"
MAX_BYTES = 100_000  # bytes of a config file
MAX_DIGITS = 18  # of an integer
MAX_DEPTH = 20  # levels of nesting
INVALID_IN_TEXT = re.compile("[\0\ud800-\udfff]")  # NUL and surrogates
# Surrogate escapes (U+DC80 to U+DCFF) stand for bytes of a file name that is not UTF-8 (PEP 383).
INVALID_IN_PATH = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")
TOO_MANY_DIGITS = re.compile(rf"[-+]?[0-9]{{{MAX_DIGITS + 1},}}")
TAG = "tag:yaml.org,2002:"  # prefix of YAML's own tags


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            problem = "an alias, which no config needs"
            raise yaml.MarkedYAMLError(None, None, problem, event.start_mark)  # type: ignore[arg-type]
        node = super().compose_node(parent, index)
        if node is not None and event.tag:
            node.tag = f"!<{event.tag}>"  # an unknown tag: `_value` refuses it
        return node


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?(0|[1-9][0-9]{0,17})", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
):
    _Loader.add_implicit_resolver(TAG + _tag, re.compile(f"(?:{_pattern})$"), list(_first))

_SCALARS: dict[str, Callable[[str], Any]] = {
    TAG + "bool": lambda text: text == "true",
    TAG + "int": int,
    TAG + "float": float,
    TAG + "null": lambda _: None,
    TAG + "str": str,
}


class Source:
    """Values of a config file with its overrides applied, and the place that set each key.

    path: of the file, or the name of a config that comes with digitnet; see `find_config`.
    """

    def __init__(self, path: str, overrides: Sequence[str] = ()) -> None:
        self.path = find_config(path)
        self.is_named = self.path != path
        self.places: dict[str, str] = {"": path}
        self.tree = self._read_file()
        for override in overrides:
            self._override(override)

    def place(self, key: str) -> str:
        """Return the `FILE:LINE` or override that set a key, or else its nearest parent."""
        while key not in self.places:
            key = key.rpartition(".")[0] if "." in key else ""
        return self.places[key]

    def _read_file(self) -> dict[str, Any]:
        try:
            kind = kind_of(self.path)
            if kind is None:
                raise ConfigError("", why_missing(self.path) + self._advice(), self.path)
            if kind != "file":
                raise ConfigError("", "expected a config file, found something else", self.path)
            with open(self.path, "rb") as file:
                text = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ConfigError("", str(error.strerror), self.path) from None
        if len(text) > MAX_BYTES:
            raise ConfigError("", f"expected at most {MAX_BYTES:,} bytes, found more", self.path)
        tree = self._values(text, "", None)
        if not isinstance(tree, dict):
            found = "nothing" if tree is None else "a list" if isinstance(tree, list) else "text"
            raise ConfigError("", f"expected keys and values, found {found}", self.path)
        self._resolve(tree, PATH_KEYS, os.path.dirname(absolute(self.path)))
        default = os.path.join(os.path.dirname(absolute(self.path)), DEFAULT_MODEL)
        model = tree.setdefault(OUTPUT_KEY, default)
        if self.is_named:  # the package's folder is not the place for the user's model
            tree[OUTPUT_KEY] = absolute(os.path.basename(model))
        return tree

    def _advice(self) -> str:
        names, (name, _) = config_names(), os.path.splitext(os.path.basename(self.path))
        if name in names:
            return f"; --config {name} names the config that comes with digitnet"
        return "" if os.path.dirname(self.path) else f"; digitnet comes with {', '.join(names)}"

    def _resolve(self, tree: dict[str, Any], keys: Sequence[str], folder: str) -> None:
        try:
            resolve_paths(tree, keys, folder)
        except ConfigError as error:
            raise ConfigError(error.key, error.problem, self.place(error.key)) from None

    def _override(self, override: str) -> None:
        """Apply `KEY=VALUE`: the value is YAML, paths are relative to the working directory."""
        where = f"--set {override}"
        key, equals, text = override.partition("=")
        *sections, last = key.split(".")
        if not equals or not all([*sections, last]) or INVALID_IN_TEXT.search(key):
            raise ConfigError("", "expected KEY=VALUE", where)
        tree = self.tree
        for depth, name in enumerate(sections, 1):
            if not isinstance(tree.get(name), dict):
                tree[name] = {}
                self.places[".".join(sections[:depth])] = where
            tree = tree[name]
        below = key + "."
        self.places = {k: place for k, place in self.places.items() if not k.startswith(below)}
        tree[last] = self._values(text.encode(errors="surrogateescape"), key, where)
        self.places[key] = where
        changed = [path for path in PATH_KEYS if path == key or path.startswith(below)]
        self._resolve(self.tree, changed, "")

    def _values(self, text: bytes, key: str, where: str | None) -> Any:
        """Return YAML text as plain values. where: replaces `FILE:LINE` in errors if given."""
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            return None if node is None else self._value(node, key, where, 0)
        except yaml.YAMLError as error:
            line, problem = explain(error, text)
            place = f"{self.path}:{line}" if line else self.path
            raise ConfigError(key, problem, where or place) from None
        except RecursionError:
            raise ConfigError(
                key, "expected YAML, found too many levels of nesting", where or self.path
            ) from None

    def _value(self, node: yaml.Node, key: str, where: str | None, depth: int) -> Any:
        place = where or f"{self.path}:{node.start_mark.line + 1}"
        if node.tag not in (TAG + "map", TAG + "seq", *_SCALARS):
            raise ConfigError(key, f"expected a plain value, found the tag {node.tag}", place)
        if depth > MAX_DEPTH:
            raise ConfigError(key, "expected YAML, found too many levels of nesting", place)
        if isinstance(node, yaml.MappingNode):
            values: dict[str, Any] = {}
            for name_node, value_node in node.value:
                place = where or f"{self.path}:{name_node.start_mark.line + 1}"
                name = name_node.value
                _check_colon(name_node, key, place)
                is_text = name_node.tag == TAG + "str" and not INVALID_IN_TEXT.search(name)
                if not is_text or name != name.strip():
                    found = _describe_key(name_node, value_node)
                    raise ConfigError(key, f"expected a key, found {found}", place)
                path = f"{key}.{name}" if key else name
                if name in values:
                    raise ConfigError(path, "expected each key once, found it twice", place)
                self.places[path] = place
                values[name] = self._value(value_node, path, where, depth + 1)
            return values
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, key, where, depth + 1) for item in node.value]
        if key not in PATH_KEYS:
            _check_colon(node, key, place)
        value = _SCALARS[node.tag](node.value)
        if isinstance(value, float) and value - value != 0:
            raise ConfigError(key, f"expected a finite number, found {node.value!r:.40}", place)
        plain = isinstance(node, yaml.ScalarNode) and not node.style
        if plain and TOO_MANY_DIGITS.fullmatch(node.value):
            problem = f"expected a number of at most {MAX_DIGITS} digits, found {value:.40}"
            raise ConfigError(key, problem, place)
        invalid = INVALID_IN_PATH if key in PATH_KEYS else INVALID_IN_TEXT
        if isinstance(value, str) and invalid.search(value):
            raise ConfigError(key, f"expected text, found {value!r:.40}", place)
        return value


def find_config(path: str) -> str:
    """Return the path of a config in one of the CONFIG_FOLDERS if `path` is its name, else `path`.

    A name has no folder and no extension, and no file of that name is in the working directory.
    """
    if re.fullmatch(r"\w+", path, re.ASCII) and not os.path.isfile(path):
        for folder in CONFIG_FOLDERS:
            candidate = os.path.join(folder, f"{path}.yaml")
            if os.path.isfile(candidate):
                return candidate
    return path


def config_names() -> list[str]:
    """Return the names of the configs that come with digitnet."""
    for folder in filter(os.path.isdir, CONFIG_FOLDERS[1:]):
        return sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".yaml"))
    return []


def resolve_paths(tree: dict[str, Any], keys: Sequence[str], folder: str) -> None:
    """Make the paths under `keys` absolute, in place; relative paths start from `folder`.

    Raises ConfigError if the output names a folder.
    """
    for key in keys:
        *sections, last = key.split(".")
        values: Any = tree
        for section in sections:
            values = values.get(section) if isinstance(values, dict) else None
        if not isinstance(values, dict) or last not in values:
            continue
        path = values[last]
        if key == START_KEY and path == SHIPPED_NAME:
            continue
        if key == OUTPUT_KEY and path and isinstance(path, str) and not names_file(path):
            raise ConfigError(key, f"expected the name of a file, found {path!r:.60}")
        if isinstance(path, list | tuple):
            values[last] = [_resolve_from(folder, each) for each in path]
        else:
            values[last] = _resolve_from(folder, path)


def _resolve_from(folder: str, path: Any) -> Any:
    """Return the absolute form of a path relative to `folder`; other values unchanged."""
    path = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(path, str) or not path:
        return path
    return absolute(os.path.join(folder, os.path.expanduser(path)))


def _check_colon(node: yaml.Node, key: str, place: str) -> None:
    """Raise ConfigError if unquoted text is a key and its value without a colon and a space."""
    if isinstance(node, yaml.ScalarNode) and not node.style:
        start, end = node.start_mark, node.end_mark
        first, *_ = str(start.buffer)[start.pointer : end.pointer].splitlines() or [""]
        if pair := pair_without_colon(first):
            raise ConfigError(key, f"expected {pair}, found {first!r:.60}", place)


def _describe_key(name: yaml.Node, value: yaml.Node) -> str:
    if not isinstance(name.value, str):
        return "a list or a mapping"
    has_comma = name.tag == TAG + "int" and not value.value  # {learning_rate: 0,5}
    advice = "; in braces, write 0.5 for a number and [784, 10] for a list" if has_comma else ""
    return f"{name.value!r:.40}{advice}"
