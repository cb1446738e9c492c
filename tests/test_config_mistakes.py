"""Common mistakes in a config, and messages that say what to write instead."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digitnet.config.definition import schema
from digitnet.config.keys import SYNONYMS, known_keys, nearest_key, pair_without_colon
from digitnet.config.reader import read_config
from digitnet.config.values import suggest
from digitnet.errors import ConfigError

BASE = "data:\n  path: digits\nnetwork:\n  layer_sizes: [784, 10]\n"  # four lines
TRAINING = BASE + "training:\n"  # five lines
PAIR = "expected '{}', with a colon and a space, found "
SPACES = "expected as many leading spaces as the keys above, found "
QUOTES = "expected quotes around text that begins with {}, found none"

ErrorMessage = Callable[..., str]


@pytest.fixture
def error_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ErrorMessage:
    """Return a function that returns the error message for a config."""
    monkeypatch.chdir(tmp_path)

    def error_message(text: str | bytes, *overrides: str) -> str:
        Path("my.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        with pytest.raises(ConfigError) as caught:
            read_config("my.yaml", overrides)
        return str(caught.value)

    return error_message


# YAML syntax errors

SYNTAX = [
    (TRAINING + "  epochs: 5\n   l2: 0\n", 7, SPACES + "3"),
    (TRAINING + "    epochs: 5\n  l2: 0\n", 7, SPACES + "2"),
    ("data:\n  path: digits\n network:\n", 3, SPACES + "1"),
    (BASE + "training:\n\tepochs: 5\n", 6, "expected spaces, found a tab"),
    (TRAINING + "  epochs: 5\n\tl2: 0\n", 7, "expected spaces, found a tab"),
    (BASE + "seed:\t5\n", 5, "expected spaces, found a tab"),
    (
        "network:\n  layer_sizes: [784, 10\ncost: quadratic\n",
        2,
        "expected a comma or a closing ], found : in line 3",
    ),
    (
        "network:\n  layer_sizes: [784, 10\n",
        2,
        "expected a comma or a closing ], found the end of the text",
    ),
    ("seed: [1}\n", 1, "expected a comma or a closing ], found }"),
    (
        TRAINING + "  optimizer: {name: adam\n  epochs: 5\n",
        6,
        "expected a comma or a closing }, found : in line 7",
    ),
    ('{"cost": "x"\n"seed": 2}', 1, "expected a comma or a closing }, found more text in line 2"),
    ("seed: [1]]\n", 1, "expected one KEY: VALUE per line, found ] after it"),
    ("model: 'it's'\n", 1, "expected one KEY: VALUE per line, found more text after it"),
    ("seed: 1\nmodel: 'x\ncost: y\n", 2, "expected a closing ', found none"),
    ('seed: 1\nmodel: "x\n', 2, 'expected a closing ", found none'),
    ('model: "C:\\data"\n', 1, r"expected / or \\ in double quotes, found a single " + "\\"),
    ('model: "C:\\Users"\n', 1, r"expected / or \\ in double quotes, found a single " + "\\"),
    ("model: a: b\n", 1, "expected quotes around text with a colon in it, found none"),
    ("seed: 1\nmodel: @x\n", 2, QUOTES.format("@")),
    ("seed: 1\nmodel: %x\n", 2, QUOTES.format("%")),
    ("seed: 1\nmodel: *.npz\n", 2, QUOTES.format("*")),
    (BASE + "training\n  epochs: 5\n", 5, "expected KEY: VALUE, found 'training'"),
    ("network:\n  layer_sizes:\n  -784\n", 3, "expected KEY: VALUE, found '-784'"),
    (TRAINING + "  l2: 0\n  epochs:5\n", 7, PAIR.format("epochs: 5") + "'epochs:5'"),
    (TRAINING + "  epochs:5\n  l2: 0\n", 6, PAIR.format("epochs: 5") + "'epochs:5'"),
    (TRAINING + "  l2: 0\n  epochs = 5\n", 7, PAIR.format("epochs: 5") + "'epochs = 5'"),
    (TRAINING + "  l2: 0\n  epochs 5\n", 7, PAIR.format("epochs: 5") + "'epochs 5'"),
    ("seed:5\n" + BASE, 1, PAIR.format("seed: 5") + "'seed:5'"),
    (b"seed: 1\nmodel: caf\xe9\n", 2, "expected YAML saved as UTF-8, found the byte 0xe9"),
]


@pytest.mark.parametrize(("text", "line", "problem"), SYNTAX)
def test_a_syntax_error_says_what_to_correct(
    error_message: ErrorMessage, text: str | bytes, line: int, problem: str
) -> None:
    assert error_message(text) == f"my.yaml:{line}: {problem}"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32"])
def test_another_encoding_is_refused(error_message: ErrorMessage, encoding: str) -> None:
    assert "expected YAML saved as UTF-8, found the character U+0000" in error_message(
        BASE.encode(encoding)
    )


@pytest.mark.parametrize(
    "data",
    [
        BASE.replace("\n", "\r\n").encode(),
        BASE.encode("utf-16"),
        BASE.encode("utf-8-sig"),
        b'{"data": {"path": "digits",},\n\n "network": {"layer_sizes": [784, 10]}}',
    ],
    ids=["CRLF line ends", "UTF-16", "UTF-8 with a byte order mark", "JSON"],
)
def test_unusual_encodings_and_json_are_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "my.yaml").write_bytes(data)
    assert read_config(tmp_path / "my.yaml").network.layer_sizes == (784, 10)


# A key and its value without a colon and a space: YAML reads text

PAIRS = [
    ("data:\n  path:data/mnist\n", 2, "data", "path: data/mnist", "path:data/mnist"),
    ("data: {path:data/mnist}\n", 1, "data", "path: data/mnist", "path:data/mnist"),
    (TRAINING + "  epochs:5\n  l2:0\n", 6, "training", "epochs: 5", "epochs:5"),
    (TRAINING + "  epochs = 5\n", 6, "training", "epochs: 5", "epochs = 5"),
    (TRAINING + "  optimizer: {name:adam}\n", 6, "training.optimizer", "name: adam", "name:adam"),
]


@pytest.mark.parametrize(("text", "line", "section", "pair", "found"), PAIRS)
def test_a_colon_without_a_space_is_refused(
    error_message: ErrorMessage, text: str, line: int, section: str, pair: str, found: str
) -> None:
    assert error_message(text) == f"my.yaml:{line}: {section}: {PAIR.format(pair)}'{found}'"


def test_a_path_may_look_like_a_pair(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(BASE.replace("digits", "data:x") + "model: seed=5\n")
    config = read_config(tmp_path / "my.yaml")
    assert (config.data.path, config.model) == (str(tmp_path / "data:x"), str(tmp_path / "seed=5"))


@pytest.mark.parametrize(
    "text", ["epochs: 5", "epochs:", "epochs : 5", "784 10", "a:b", "- epochs"]
)
def test_other_text_is_not_a_pair(text: str) -> None:
    assert pair_without_colon(text) is None


# Values

VALUES = [
    ("training.optimizer", "adam", "optimizer: {name: adam}"),
    ("training.optimizer", "Adam", "optimizer: {name: adam}"),
    ("training.schedule", "cosine", "schedule: {name: cosine}"),
    ("training", "5", "training: {epochs: 5}"),
    ("data", "mnist", "data: {path: mnist}"),
    ("network", "[784, 10]", "network: {layer_sizes: [784, 10]}"),
    ("training.l2", "0,5", "0.5"),
    ("training.optimizer.learning_rate", "0,05", "0.05"),
    ("training.batch_norm", "True", "true"),
    ("training.batch_norm", "FALSE", "false"),
    ("training.batch_norm", "yes", "true"),
    ("training.batch_norm", "off", "false"),
    ("training.patience", "None", "null"),
    ("training.epochs", "'10'", "10"),
    ("training.epochs", "10.0", "10"),
    ("training.epochs", "1e3", "1000"),
    ("training.epochs", "1,000", "1000"),
    ("training.epochs", "5;", "5"),
    ("training.epochs", "5# five", "5"),
    ("training.epochs", "5 // five", "5"),
    ("training.epochs", "[5]", "5"),
    ("training.threads", "Auto", "auto"),
    ("data.validation", "10%", "0.1"),
    ("data.path", "5", "'5'"),
    ("network.activation", "ReLU", "relu"),
    ("network.activation", "“relu”", "relu"),
    ("cost", "Cross-Entropy", "cross_entropy"),
    ("network.layer_sizes", "784, 16, 10", "[784, 16, 10]"),
    ("network.layer_sizes", "[784 16 10]", "[784, 16, 10]"),
    ("network.layer_sizes", "784-16-10", "[784, 16, 10]"),
    ("network.layer_sizes", "(784, 16, 10)", "[784, 16, 10]"),
    ("network.layer_sizes", "784, 16, 10]", "[784, 16, 10]"),
    ("network.layer_sizes", "'[784, 16, 10]'", "[784, 16, 10]"),
    ("seed", "1.0", "1"),
]


@pytest.mark.parametrize(("key", "value", "write"), VALUES)
def test_a_value_in_another_notation_gets_a_suggestion(
    error_message: ErrorMessage, key: str, value: str, write: str
) -> None:
    message = error_message(BASE, f"{key}={value}")
    assert message.startswith(f"--set {key}={value}: {key}: expected ")
    assert message.endswith(f"; write {write}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("training.epochs", "ten"),
        ("training.epochs", "10,5"),
        ("training.epochs", "0"),
        ("seed", "-1"),
        ("training.dropout", "[0.5, 0.5]"),
        ("network.layer_sizes", "784"),
        ("network.activation", "swish"),
        ("training.optimizer", "adagrad"),
        ("cost", "mse"),
        ("data.validation", "200%"),
    ],
)
def test_an_ambiguous_value_gets_no_suggestion(
    error_message: ErrorMessage, key: str, value: str
) -> None:
    assert "write" not in error_message(BASE, f"{key}={value}")


def test_keys_that_are_not_indented_are_refused_with_advice(error_message: ErrorMessage) -> None:
    message = error_message("data:\npath: digits\nnetwork:\nlayer_sizes: [784, 10]\n")
    assert message.startswith("my.yaml:1: data: expected the keys path, validation, transposed, ")
    assert message.endswith("; write the keys of the section below, indented by two spaces")


def test_a_decimal_comma_in_braces_is_refused_with_advice(error_message: ErrorMessage) -> None:
    message = error_message(TRAINING + "  optimizer: {name: sgd, learning_rate: 0,5}\n")
    assert message.startswith("my.yaml:6: training.optimizer: expected a key, found '5'; ")
    assert message.endswith("; in braces, write 0.5 for a number and [784, 10] for a list")
    assert "decimal" not in error_message(BASE + "5: x\n")


def test_a_no_break_space_is_shown(error_message: ErrorMessage) -> None:
    message = error_message("data:\n\xa0\xa0path: digits\n")
    assert message == r"my.yaml:2: expected a key, found '\xa0\xa0path'"


def test_a_long_suggestion_is_left_out() -> None:
    assert suggest("path", 5, (), lambda meant: meant == "5") == "; write '5'"
    assert suggest("path", [["x" * 100]], (), lambda meant: isinstance(meant, str)) == ""


# Keys


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("training.lr", "training.optimizer.learning_rate"),
        ("lr", "training.optimizer.learning_rate"),
        ("training.optimizer.eta", "training.optimizer.learning_rate"),
        ("training.batch_size", "training.minibatch_size"),
        ("batchSize", "training.minibatch_size"),
        ("network.hidden", "network.layer_sizes"),
        ("network.hidden-layers", "network.layer_sizes"),
        ("training.lambda", "training.l2"),
        ("training.weight_decay", "training.l2"),
        ("loss", "cost"),
        ("data.train", "data.path"),
        ("data.dir", "data.path"),
        ("train", "training"),
        ("training.optimizer.type", "one of training.optimizer.name, "),
    ],
)
def test_a_key_of_another_program_gets_the_digitnet_key(
    error_message: ErrorMessage, unknown: str, meant: str
) -> None:
    message = error_message(BASE, f"{unknown}=1")
    assert message.startswith(f"--set {unknown}=1: {unknown}: expected {meant}")


def test_a_key_with_a_dot_gets_the_keys_of_its_section(error_message: ErrorMessage) -> None:
    message = error_message(TRAINING + "  optimizer: {a.b: 1}\n")
    assert message.startswith(
        "my.yaml:6: training.optimizer.a.b: expected one of training.optimizer."
    )


def test_a_synonym_is_not_a_key_but_stands_for_one() -> None:
    names = {key.rpartition(".")[2].replace("_", "") for key in known_keys()}
    assert not names & SYNONYMS.keys()
    assert set(SYNONYMS.values()) <= set(known_keys())
    for synonym, key in SYNONYMS.items():
        assert nearest_key(synonym.rpartition(".")[0], synonym.rpartition(".")[2]) == key


def test_the_known_keys_are_the_keys_of_the_schema() -> None:
    assert {"data", "data.path", "training.optimizer.beta_1", "seed"} <= set(known_keys())
    sections = schema()["$defs"].values()
    assert len(known_keys()) == sum(len(section["properties"]) for section in sections)
