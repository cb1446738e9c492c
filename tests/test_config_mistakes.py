"""Mistakes that people make in a config, and the line that says what to write instead."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digitnet.config.definition import schema
from digitnet.config.keys import SYNONYMS, known_keys, nearest_key, pair_without_colon
from digitnet.config.reader import read_config
from digitnet.config.values import suggestion
from digitnet.errors import ConfigError

BASE = "data:\n  path: digits\nnetwork:\n  layer_sizes: [784, 10]\n"  # four lines
TRAINING = BASE + "training:\n"  # five lines
PAIR = "expected '{}', with a colon and a space, found "
SPACES = "expected as many spaces as before the keys above, found "
QUOTES = "expected quotes around text that begins with {}, found none"

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """What a config is refused with."""
    monkeypatch.chdir(tmp_path)

    def say(text: str | bytes, *overrides: str) -> str:
        Path("my.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        with pytest.raises(ConfigError) as caught:
            read_config("my.yaml", overrides)
        return str(caught.value)

    return say


# Text that is no YAML

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
    ("seed: [1]]\n", 1, "expected one KEY: VALUE a line, found ] after it"),
    ("model: 'it's'\n", 1, "expected one KEY: VALUE a line, found more text after it"),
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
def test_what_is_no_yaml_is_said_with_its_cure(
    say: Say, text: str | bytes, line: int, problem: str
) -> None:
    assert say(text) == f"my.yaml:{line}: {problem}"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32"])
def test_another_encoding_is_said(say: Say, encoding: str) -> None:
    assert "expected YAML saved as UTF-8, found the character U+0000" in say(BASE.encode(encoding))


@pytest.mark.parametrize(
    "data",
    [
        BASE.replace("\n", "\r\n").encode(),
        BASE.encode("utf-16"),
        BASE.encode("utf-8-sig"),
        b'{"data": {"path": "digits",},\n\n "network": {"layer_sizes": [784, 10]}}',
    ],
    ids=["Windows lines", "UTF-16", "UTF-8 with a mark", "JSON"],
)
def test_what_is_unusual_is_read_all_the_same(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "my.yaml").write_bytes(data)
    assert read_config(tmp_path / "my.yaml").network.layer_sizes == (784, 10)


# A key and its value without the space between them, where YAML sees text

PAIRS = [
    ("data:\n  path:data/mnist\n", 2, "data", "path: data/mnist", "path:data/mnist"),
    ("data: {path:data/mnist}\n", 1, "data", "path: data/mnist", "path:data/mnist"),
    (TRAINING + "  epochs:5\n  l2:0\n", 6, "training", "epochs: 5", "epochs:5"),
    (TRAINING + "  epochs = 5\n", 6, "training", "epochs: 5", "epochs = 5"),
    (TRAINING + "  optimizer: {name:adam}\n", 6, "training.optimizer", "name: adam", "name:adam"),
]


@pytest.mark.parametrize(("text", "line", "section", "pair", "found"), PAIRS)
def test_a_colon_without_a_space_is_said(
    say: Say, text: str, line: int, section: str, pair: str, found: str
) -> None:
    assert say(text) == f"my.yaml:{line}: {section}: {PAIR.format(pair)}'{found}'"


def test_a_path_may_look_like_a_key_and_its_value(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(BASE.replace("digits", "data:x") + "model: seed=5\n")
    config = read_config(tmp_path / "my.yaml")
    assert (config.data.path, config.model) == (str(tmp_path / "data:x"), str(tmp_path / "seed=5"))


@pytest.mark.parametrize(
    "text", ["epochs: 5", "epochs:", "epochs : 5", "784 10", "a:b", "- epochs"]
)
def test_other_text_is_no_pair(text: str) -> None:
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
def test_a_value_in_another_notation_is_answered_with_ours(
    say: Say, key: str, value: str, write: str
) -> None:
    said = say(BASE, f"{key}={value}")
    assert said.startswith(f"--set {key}={value}: {key}: expected ")
    assert said.endswith(f"; write {write}")


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
def test_a_value_that_may_mean_anything_gets_no_answer(say: Say, key: str, value: str) -> None:
    assert "write" not in say(BASE, f"{key}={value}")


def test_keys_that_are_not_indented_are_said(say: Say) -> None:
    said = say("data:\npath: digits\nnetwork:\nlayer_sizes: [784, 10]\n")
    assert said.startswith(
        "my.yaml:1: data: expected the keys path, validation, transposed, found null"
    )
    assert said.endswith("; indent its keys below it, by two spaces")


def test_a_decimal_comma_in_braces_is_said(say: Say) -> None:
    said = say(TRAINING + "  optimizer: {name: sgd, learning_rate: 0,5}\n")
    assert said.startswith("my.yaml:6: training.optimizer: expected a key, found '5'; ")
    assert said.endswith("; in braces, write 0.5 for a number and [784, 10] for a list")
    assert "decimal" not in say(BASE + "5: x\n")


def test_a_space_that_is_none_in_yaml_is_shown(say: Say) -> None:
    said = say("data:\n\xa0\xa0path: digits\n")
    assert said == r"my.yaml:2: expected a key, found '\xa0\xa0path'"


def test_a_long_answer_is_left_out() -> None:
    assert suggestion("path", 5, (), lambda meant: meant == "5") == "; write '5'"
    assert suggestion("path", [["x" * 100]], (), lambda meant: isinstance(meant, str)) == ""


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
def test_a_key_of_another_program_is_answered_with_ours(say: Say, unknown: str, meant: str) -> None:
    said = say(BASE, f"{unknown}=1")
    assert said.startswith(f"--set {unknown}=1: {unknown}: expected {meant}")


def test_a_key_with_a_dot_is_answered_with_those_beside_it(say: Say) -> None:
    said = say(TRAINING + "  optimizer: {a.b: 1}\n")
    assert said.startswith("my.yaml:6: training.optimizer.a.b: expected one of training.optimizer.")


def test_a_synonym_is_no_key_and_means_one() -> None:
    names = {key.rpartition(".")[2].replace("_", "") for key in known_keys()}
    assert not names & SYNONYMS.keys()
    assert set(SYNONYMS.values()) <= set(known_keys())
    for synonym, key in SYNONYMS.items():
        assert nearest_key(synonym.rpartition(".")[0], synonym.rpartition(".")[2]) == key


def test_the_known_keys_are_those_of_the_schema() -> None:
    assert {"data", "data.path", "training.optimizer.beta_1", "seed"} <= set(known_keys())
    sections = schema()["$defs"].values()
    assert len(known_keys()) == sum(len(section["properties"]) for section in sections)
