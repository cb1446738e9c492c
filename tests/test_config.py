"""The config: defaults, checks, and the place that each error names."""

import dataclasses
import inspect
import itertools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from digitnet.arrays import PIXELS
from digitnet.config import reader
from digitnet.config.definition import LEARNING_RATES, OPTIMIZER_KEYS, Config, schema
from digitnet.config.keys import known_keys
from digitnet.config.reader import locate, read_config, saved_config, to_config
from digitnet.config.source import Source
from digitnet.dataset.definition import as_tuple
from digitnet.errors import ConfigError, ExitStatus
from digitnet.network.activations import ACTIVATIONS
from digitnet.network.costs import COSTS, OUTPUTS
from digitnet.synthetic.distortions import Distortions
from digitnet.training.optimizers import OPTIMIZERS
from digitnet.training.schedules import SCHEDULES

CONFIGS = sorted((REPOSITORY / "configs").glob("*.yaml"))
BASE = "data:\n  path: digits\nnetwork:\n  layer_sizes: [784, 10]\n"  # four lines

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a config file."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "my.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def error_message(path: Path, *overrides: str) -> str:
    """Return the error message for a config, without the folder of the file."""
    with pytest.raises(ConfigError) as caught:
        read_config(path, overrides)
    return str(caught.value).removeprefix(f"{path.parent}{os.sep}")


# Valid configs


def test_defaults_are_as_documented(write: Write) -> None:
    path = write(BASE)
    config = read_config(path)
    assert config.data.path == str(path.parent / "digits")
    assert config.data.validation is None
    assert config.network.layer_sizes == (784, 10)
    assert (config.network.activation, config.network.output) == ("sigmoid", "sigmoid")
    assert config.cost == "quadratic"
    assert (config.training.epochs, config.training.minibatch_size) == (30, 10)
    assert (config.training.l2, config.training.threads) == (0, "auto")
    optimizer = config.training.optimizer
    assert (optimizer.name, optimizer.learning_rate) == ("sgd", 0.2)
    assert (optimizer.momentum, optimizer.nesterov) == (0, False)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.999)
    training = config.training
    assert (training.dropout, training.batch_norm, training.patience) == (0, False, None)
    assert (training.checkpoint_seconds, training.max_minutes) == (60, None)
    assert config.seed == 1
    assert config.model == str(path.parent / "model.npz")


def test_every_key_can_be_set(write: Write) -> None:
    config = read_config(
        write(
            "data: {path: /digits.csv, validation: 0.25}\n"
            "network: {layer_sizes: [784, 5, 3], activation: relu, output: softmax}\n"
            "cost: cross_entropy\n"
            "training:\n"
            "  epochs: 2\n"
            "  minibatch_size: 4\n"
            "  optimizer: {name: sgd, learning_rate: 1e-3, momentum: 0.9, nesterov: true}\n"
            "  l2: 1.e-4\n"
            "  threads: 2\n"
            "  dropout: 0.25\n"
            "  batch_norm: true\n"
            "  patience: 4\n"
            "  checkpoint_seconds: 5\n"
            "  max_minutes: 0.5\n"
            "seed: 7\n"
            "model: /m.npz\n"
        )
    )
    assert (config.data.path, config.data.validation) == ("/digits.csv", 0.25)
    assert (config.network.activation, config.network.output) == ("relu", "softmax")
    assert config.network.layer_sizes == (784, 5, 3)
    assert config.cost == "cross_entropy"
    assert (config.training.epochs, config.training.minibatch_size) == (2, 4)
    training = config.training
    assert (training.l2, training.threads) == (1e-4, 2)
    assert (training.dropout, training.batch_norm, training.patience) == (0.25, True, 4)
    assert (training.checkpoint_seconds, training.max_minutes) == (5, 0.5)
    optimizer = config.training.optimizer
    assert (optimizer.learning_rate, optimizer.momentum, optimizer.nesterov) == (1e-3, 0.9, True)
    assert (config.seed, config.model) == (7, "/m.npz")


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "0.001", "+1.0e-3", ".001", "10.e-4"])
def test_numbers_are_read_as_in_yaml_1_2(write: Write, text: str) -> None:
    config = read_config(write(BASE), [f"training.optimizer.learning_rate={text}"])
    assert config.training.optimizer.learning_rate == pytest.approx(0.001, rel=1e-15)


def test_a_whole_number_has_at_most_18_digits(write: Write) -> None:
    assert read_config(write(BASE + f"seed: {10**15}\n")).seed == 10**15
    for number in ("1" + "0" * 18, "-" + "1" * 30):
        with pytest.raises(ConfigError, match=rf":5: .*at most 18 digits, found {number}"):
            read_config(write(BASE + f"seed: {number}\n"))


def test_quoted_digits_are_text_of_any_length(write: Write, tmp_path: Path) -> None:
    config = read_config(write(BASE.replace("digits", f'"{"7" * 19}"')))
    assert config.data.path == str(tmp_path / ("7" * 19))


def test_a_learning_rate_may_be_a_whole_number(write: Write) -> None:
    rate = read_config(write(BASE), ["training.optimizer.learning_rate=2"])
    assert rate.training.optimizer.learning_rate == 2


@pytest.mark.parametrize(("text", "value"), [("500", 500), ("0", 0), ("0.5", 0.5)])
def test_validation_is_a_count_or_a_fraction(write: Write, text: str, value: float) -> None:
    validation = read_config(write(BASE), [f"data.validation={text}"]).data.validation
    assert validation == value
    assert type(validation) is type(value)


def test_a_config_cannot_be_changed(write: Write) -> None:
    config = read_config(write(BASE))
    with pytest.raises(AttributeError):
        config.seed = 2  # type: ignore[misc]


def test_a_byte_order_mark_and_comments_are_ignored(write: Write) -> None:
    text = "\ufeff# mine\n" + BASE + "seed: 3  # lucky\n"
    assert read_config(write(text)).seed == 3


# Paths


def test_paths_are_relative_to_the_config(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = write(BASE.replace("digits", "../digits") + "model: out/m.npz\n")
    monkeypatch.chdir(elsewhere)
    config = read_config(os.path.relpath(path))
    assert config.data.path == str(tmp_path.parent / "digits")
    assert config.model == str(tmp_path / "out" / "m.npz")


def test_all_paths_of_a_list_are_relative_to_the_config(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = BASE.replace("digits", "[digits, /scans]")
    assert read_config(write(text)).data.path == (str(tmp_path / "digits"), "/scans")
    monkeypatch.chdir("/usr")
    config = read_config(write(text), ["data.path=[a, b]"])
    assert config.data.path == ("/usr/a", "/usr/b")


def test_paths_in_overrides_are_relative_to_the_working_directory(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = write(BASE)
    monkeypatch.chdir(elsewhere)
    config = read_config(path, ["data.path=digits", "model=m.npz"])
    assert config.data.path == str(elsewhere / "digits")
    assert config.model == str(elsewhere / "m.npz")


def test_the_default_model_is_in_the_folder_of_the_config(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(BASE)
    monkeypatch.chdir("/")
    assert read_config(path).model == str(path.parent / "model.npz")


def test_a_path_in_an_overridden_section_is_relative_to_the_working_directory(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = write(BASE)
    monkeypatch.chdir(elsewhere)
    config = read_config(path, ["data={path: digits}"])
    assert config.data.path == str(elsewhere / "digits")


# Wrong values, and the place that the error names

WRONG = [
    ("data.validation", "-1", "-1"),
    ("data.validation", "1.5", "1.5"),
    ("data.validation", "0.0", "0.0"),
    ("data.validation", "half", '"half"'),
    ("data.path", "5", "5"),
    ("data.path", "''", '""'),
    ("data.path", "[]", "[]"),
    ("data.path", "[digits, 5]", "5"),
    ("data.path", "[digits, '']", '""'),
    ("network.layer_sizes", "784", "784"),
    ("network.layer_sizes", "[784]", "[784]"),
    ("network.layer_sizes", "[]", "[]"),
    ("network.layer_sizes", "[784, 0, 10]", "0"),
    ("network.layer_sizes", "[784, -3, 10]", "-3"),
    ("network.layer_sizes", "[784, 16.0, 10]", "16.0"),
    ("network.layer_sizes", "[784, many, 10]", '"many"'),
    ("network.layer_sizes", "[100, 10]", "100"),
    ("network.layer_sizes", "[784, [16], 10]", "[16]"),
    ("network.activation", "swish", '"swish"'),
    ("network.activation", "Sigmoid", '"Sigmoid"'),
    ("network.output", "relu", '"relu"'),
    ("cost", "hinge", '"hinge"'),
    ("cost", "1", "1"),
    ("training.epochs", "ten", '"ten"'),
    ("training.epochs", "0", "0"),
    ("training.epochs", "1.0", "1.0"),
    ("training.epochs", "'10'", '"10"'),
    ("training.epochs", "true", "true"),
    ("training.epochs", "0x10", '"0x10"'),
    ("training.epochs", "1_000", '"1_000"'),
    ("training.epochs", "010", '"010"'),
    ("training.epochs", "[3]", "[3]"),
    ("training.epochs", "", "null"),
    ("training.minibatch_size", "0", "0"),
    ("training.optimizer", "sgd", '"sgd"'),
    ("training.optimizer.name", "adagrad", '"adagrad"'),
    ("training.optimizer.beta_1", "1", "1"),
    ("training.optimizer.beta_2", "-0.1", "-0.1"),
    ("training.optimizer.learning_rate", "0", "0"),
    ("training.optimizer.learning_rate", "-0.1", "-0.1"),
    ("training.optimizer.learning_rate", "fast", '"fast"'),
    ("training.optimizer.learning_rate", "true", "true"),
    ("training.optimizer.momentum", "1", "1"),
    ("training.optimizer.momentum", "-0.5", "-0.5"),
    ("training.optimizer.nesterov", "yes", '"yes"'),
    ("training.optimizer.nesterov", "True", '"True"'),
    ("training.optimizer.nesterov", "1", "1"),
    ("training.l2", "-1e-4", "-0.0001"),
    ("training.dropout", "1", "1"),
    ("training.batch_norm", "yes", '"yes"'),
    ("training.patience", "0", "0"),
    ("training.checkpoint_seconds", "0", "0"),
    ("training.max_minutes", "0", "0"),
    ("training.threads", "0", "0"),
    ("training.threads", "all", '"all"'),
    ("seed", "-1", "-1"),
    ("seed", "1.5", "1.5"),
    ("seed", "null", "null"),
    ("model", "5", "5"),
    ("model", "true", "true"),
]


def with_line(key: str, value: str) -> tuple[str, int]:
    """Return the base config with a value on its own line, and the number of that line."""
    values = {"data.path": "digits", "network.layer_sizes": "[784, 10]", key: value}
    lines: list[str] = []
    opened, number = set(), 0
    for name in sorted(name for name in values if not name.startswith(f"{key}.")):
        *sections, last = name.split(".")
        for depth, section in enumerate(sections, 1):
            if (path := tuple(sections[:depth])) not in opened:
                opened.add(path)
                lines.append(f"{'  ' * (depth - 1)}{section}:")
        lines.append(f"{'  ' * len(sections)}{last}: {values[name]}")
        number = len(lines) if name == key else number
    return "\n".join(lines) + "\n", number


@pytest.mark.parametrize(("key", "value", "found"), WRONG)
def test_an_error_names_file_and_line_of_a_wrong_value(
    write: Write, key: str, value: str, found: str
) -> None:
    text, line = with_line(key, value)
    message = error_message(write(text))
    assert message.startswith(f"my.yaml:{line}: {key}: expected ")
    assert message.partition("; ")[0].endswith(f", found {found}")


@pytest.mark.parametrize(("key", "value", "found"), WRONG)
def test_an_error_quotes_a_wrong_override(write: Write, key: str, value: str, found: str) -> None:
    message = error_message(write(BASE), f"{key}={value}")
    assert message.startswith(f"--set {key}={value}: {key}: expected ")
    assert message.partition("; ")[0].endswith(f", found {found}")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.epochs=ten", "a whole number of at least 1"),
        ("training.optimizer.momentum=1", "a number of at least 0 and below 1"),
        ("training.optimizer.learning_rate=0", "a number above 0"),
        ("training.optimizer.nesterov=yes", "true or false"),
        ("model=5", "text"),
        ("data.path=5", "text or a list of at least 1 texts"),
        ("network.layer_sizes=[784]", "a list of at least 2 numbers"),
        ("training.optimizer.name=adagrad", "adam, adamw or sgd"),
    ],
)
def test_an_error_says_what_is_expected(write: Write, override: str, expected: str) -> None:
    assert f": expected {expected}, found " in error_message(write(BASE), override)


def test_an_error_lists_all_choices(write: Write) -> None:
    message = error_message(write(BASE), "network.activation=swish")
    assert all(name in message for name in ACTIVATIONS)


@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "1e999", "-1e999", "nan", "inf"])
def test_infinity_and_nan_are_refused(write: Write, text: str) -> None:
    message = error_message(write(BASE), f"training.optimizer.learning_rate={text}")
    assert ": training.optimizer.learning_rate: expected a" in message


def test_nesterov_without_momentum_is_refused(write: Write) -> None:
    message = error_message(write(BASE + "training:\n  optimizer:\n    nesterov: true\n"))
    assert message.startswith("my.yaml:7: training.optimizer.nesterov: expected ")


def test_each_optimizer_has_its_own_default_learning_rate(write: Write) -> None:
    for name, rate in {"sgd": 0.2, "adam": 0.001, "adamw": 0.001}.items():
        config = read_config(write(BASE), [f"training.optimizer.name={name}"])
        assert config.training.optimizer.learning_rate == rate
        given = [f"training.optimizer={{name: {name}, learning_rate: 0.5}}"]
        assert read_config(write(BASE), given).training.optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("adam", "momentum", "0.5"), ("adamw", "beta_3", "0.5"), ("sgd", "beta_1", "0.5")],
)
def test_a_key_of_another_optimizer_is_refused(
    write: Write, name: str, key: str, value: str
) -> None:
    options = [f"training.optimizer.name={name}", f"training.optimizer.{key}={value}"]
    message = error_message(write(BASE), *options)
    assert message.startswith(f"--set training.optimizer.{key}={value}: training.optimizer.{key}: ")


@pytest.mark.parametrize(("key", "value"), [("dropout", "0.5"), ("batch_norm", "true")])
def test_dropout_and_batch_norm_need_hidden_layers(write: Write, key: str, value: str) -> None:
    message = error_message(write(BASE), f"training.{key}={value}")
    assert f": training.{key}: expected no {key} without hidden layers, found {value}" in message


@pytest.mark.parametrize(
    ("key", "value"), [("max_norm", "null"), ("label_smoothing", "0.1"), ("average", "0.99")]
)
def test_an_error_says_that_a_key_was_removed(write: Write, key: str, value: str) -> None:
    message = error_message(write(f"{BASE}training: {{{key}: {value}}}\n"))
    assert message.startswith("my.yaml:")
    removed = f"expected no {key}, which digitnet no longer has, found it; delete the key"
    assert message.endswith(f": training.{key}: {removed}")


@pytest.mark.parametrize("key", ["max_norm", "training.max_norm", "training.optimizer.max_norm"])
def test_a_removed_key_is_known_in_any_section(write: Write, key: str) -> None:
    message = error_message(write(BASE), f"{key}=1")
    assert f": {key}: expected no max_norm, which digitnet no longer has" in message


@pytest.mark.parametrize("name", ["linear", "step"])
def test_an_error_for_a_removed_schedule_names_the_others(write: Write, name: str) -> None:
    message = error_message(write(BASE), f"training.schedule.name={name}")
    assert f'expected constant or cosine, found "{name}"' in message


def test_a_saved_config_may_hold_removed_keys_that_were_off(write: Write) -> None:
    config = read_config(write(BASE))
    values = msgspec.to_builtins(config)
    values["training"] |= {"max_norm": None, "label_smoothing": 0.0, "average": 0.0}
    assert saved_config(values) == config
    for key, value in (("max_norm", 3.0), ("label_smoothing", 0.1), ("average", 0.99)):
        with pytest.raises(ConfigError, match="which digitnet no longer has"):
            saved_config(values | {"training": values["training"] | {key: value}})


def test_batch_norm_refuses_minibatches_of_one(write: Write) -> None:
    message = error_message(write(BASE), "training.batch_norm=true", "training.minibatch_size=1")
    assert "training.minibatch_size: expected at least 2 with batch_norm, found 1" in message


def test_the_first_layer_must_have_784_neurons(write: Write) -> None:
    message = error_message(write(BASE.replace("784", "785")))
    assert message.startswith("my.yaml:4: network.layer_sizes: expected 784 ")
    assert message.endswith(", found 785")


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ("network: {layer_sizes: [784, 10]}\n", "my.yaml", "data"),
        ("data: {path: digits}\n", "my.yaml", "network"),
        ("network: {layer_sizes: [784, 10]}\ndata: {}\n", "my.yaml:2", "data.path"),
        ("data: {path: digits}\nnetwork:\n  cost: 1\n", "my.yaml:3", "network.cost"),
        ("data: {path: digits}\n\nnetwork: {output: sigmoid}\n", "my.yaml:3", "network."),
    ],
)
def test_a_missing_key_is_reported_at_its_section(
    write: Write, text: str, place: str, key: str
) -> None:
    assert error_message(write(text)).startswith(f"{place}: {key}")


def test_a_long_value_is_shortened(write: Write) -> None:
    message = error_message(write(BASE), f"training.epochs=[{', '.join(['1'] * 900)}]")
    assert len(message.rpartition("found ")[2]) <= 60


# Unknown keys and duplicate keys


def test_an_error_offers_the_full_path_of_the_nearest_key(write: Write) -> None:
    message = error_message(write(BASE + "lerning_rate: 3\n"))
    assert message.startswith(
        "my.yaml:5: lerning_rate: expected training.optimizer.learning_rate, "
    )
    assert message.endswith(", found 'lerning_rate'")


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("training.epoch", "training.epochs"),
        ("training.learning_rate", "training.optimizer.learning_rate"),
        ("epochs", "training.epochs"),
        ("data.layer_sizes", "network.layer_sizes"),
        ("modle", "model"),
        ("Seed", "seed"),
        ("training.optimizer.momentun", "training.optimizer.momentum"),
    ],
)
def test_an_error_offers_the_key_nearest_to_an_override(
    write: Write, unknown: str, nearest: str
) -> None:
    message = error_message(write(BASE), f"{unknown}=1")
    assert message.startswith(f"--set {unknown}=1: {unknown}: expected {nearest}, found ")


def test_an_error_lists_the_keys_of_the_section_if_none_is_near(write: Write) -> None:
    message = error_message(write(BASE), "data.zzz=1")
    keys = [key for key in known_keys() if re.fullmatch(r"data\.[a-z_]+", key)]
    assert f"data.zzz: expected one of {', '.join(keys)}, found 'zzz'" in message


def test_a_duplicate_key_is_an_error(write: Write) -> None:
    message = error_message(write(BASE + "seed: 1\nseed: 1\n"))
    assert message == "my.yaml:6: seed: expected each key once, found it twice"


def test_a_duplicate_key_in_a_section_is_an_error(write: Write) -> None:
    message = error_message(write(BASE + "training: {epochs: 1, epochs: 2}\n"))
    assert message.startswith("my.yaml:5: training.epochs: ")


@pytest.mark.parametrize("key", ["5: x", "true: x", "null: x", "? [a]\n: x", "? {a: b}\n: x"])
def test_a_key_must_be_text(write: Write, key: str) -> None:
    assert error_message(write(BASE + key + "\n")).startswith("my.yaml:5: ")


# Overrides


def test_an_override_wins_over_the_file_and_over_earlier_overrides(write: Write) -> None:
    path = write(BASE + "seed: 2\n")
    assert read_config(path, ["seed=3", "seed=4"]).seed == 4


def test_an_error_names_the_wrong_override(write: Write) -> None:
    message = error_message(write(BASE), "seed=3", "training.epochs=x", "cost=quadratic")
    assert message.startswith("--set training.epochs=x: training.epochs: ")


@pytest.mark.parametrize("override", ["seed", "", "=", "=3", "training..epochs=3", ".seed=1"])
def test_an_override_must_be_key_and_value(write: Write, override: str) -> None:
    assert error_message(write(BASE), override) == f"--set {override}: expected KEY=VALUE"


def test_a_value_may_contain_an_equals_sign(write: Write) -> None:
    assert read_config(write(BASE), ["model=/a=b.npz"]).model == "/a=b.npz"


def test_an_override_replaces_a_whole_section(write: Write) -> None:
    path = write(BASE + "training: {epochs: 3, minibatch_size: 5}\n")
    training = read_config(path, ["training={epochs: 7}"]).training
    assert (training.epochs, training.minibatch_size) == (7, 10)


def test_a_key_missing_from_a_replaced_section_is_reported_at_the_override(write: Write) -> None:
    assert error_message(write(BASE), "data={}").startswith("--set data={}: data.path: ")


def test_an_override_that_is_not_yaml_is_refused(write: Write) -> None:
    message = error_message(write(BASE), "seed=[1")
    assert message.startswith("--set seed=[1: seed: expected a comma or a closing ], found ")


def test_an_override_that_is_not_utf_8_is_refused(write: Write) -> None:
    message = error_message(write(BASE), os.fsdecode(b"data.path=/caf\xe9"))
    assert ": data.path: expected " in message


def test_locate_adds_the_place_to_an_error(write: Write) -> None:
    path = write(BASE)
    error = ConfigError("network.layer_sizes", "expected 9 last, found 10")
    located = locate(error, path, [])
    assert str(located) == f"{path}:4: network.layer_sizes: expected 9 last, found 10"
    located = locate(error, path, ["network.layer_sizes=[784, 10]"])
    assert str(located).startswith("--set network.layer_sizes=[784, 10]: network.layer_sizes: ")


def test_a_config_error_has_the_exit_status_of_usage() -> None:
    assert ConfigError.exit_status == ExitStatus.USAGE == 2


# Files that are not a config


def test_aliases_are_refused(write: Write) -> None:
    message = error_message(write(BASE + "seed: &one 1\ntraining: {epochs: *one}\n"))
    assert message.startswith("my.yaml:6: ")
    assert "alias" in message


def test_a_bomb_of_aliases_is_refused(write: Write) -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    message = error_message(write("a0: &a0 lol\n" + "\n".join(levels)))
    assert message.startswith("my.yaml:2: ")
    assert "alias" in message


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch {}']",
        "!!python/object/new:os.system ['touch {}']",
        "!!python/name:os.system",
        "!mine 3",
        "!!timestamp 2020-01-01",
        "!!binary aGk=",
        "!!set {{a, b}}",
    ],
)
def test_a_tag_is_refused_and_runs_nothing(write: Write, tmp_path: Path, value: str) -> None:
    touched = tmp_path / "touched"
    message = error_message(write(BASE + f"seed: {value.format(touched)}\n"))
    assert message.startswith("my.yaml:5: seed: expected a plain value, found the tag ")
    assert not touched.exists()


@pytest.mark.parametrize(
    "line",
    [
        "seed: !!map 5",
        "seed: !!seq 5",
        "seed: !!str [5]",
        "seed: !!int five",
        "seed: !!int '5'",
        "training: {optimizer: {nesterov: !!bool yes}}",
        "training: {l2: !!float '1_0'}",
        "? !!str [a]\n: 5",
        "model: !!null m.npz",
    ],
)
def test_a_tag_of_yaml_itself_is_refused(write: Write, line: str) -> None:
    assert error_message(write(BASE + line + "\n")).startswith("my.yaml:5: ")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "[1, 2]", "just text", "5"])
def test_a_file_without_keys_is_refused(write: Write, text: str) -> None:
    assert error_message(write(text)).startswith("my.yaml: expected keys and values, found ")


def test_invalid_yaml_is_refused_with_its_line(write: Write) -> None:
    for text, line in (
        ("seed: 1\n--- \nseed: 2\n", 2),
        ("%YAML 9.9\n---\nseed: 1\n", 1),
        ("seed: 1\nmodel: |x\n", 2),
    ):
        assert error_message(write(text)).startswith(f"my.yaml:{line}: expected YAML, found ")


@pytest.mark.parametrize("data", [b"seed: \xe9\n", b"\x80\x81", b"seed: 1\n\0\0", b"\xff\xfe\0"])
def test_bytes_that_are_not_text_are_refused(write: Write, data: bytes) -> None:
    message = error_message(write(data))
    assert message.startswith("my.yaml")
    assert ": expected YAML saved as UTF-8, found the " in message
    assert "\n" not in message


@pytest.mark.parametrize("opened", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(write: Write, opened: str) -> None:
    assert ": expected YAML, found " in error_message(write(opened * 20_000))


def test_nesting_of_100_levels_is_refused_with_its_line(write: Write) -> None:
    message = error_message(write(BASE + "seed: " + "[" * 100 + "]" * 100))
    assert message == "my.yaml:5: seed: expected YAML, found too many levels of nesting"


@pytest.mark.parametrize("depth", [20, 21])
def test_nesting_may_have_at_most_20_levels(write: Write, depth: int) -> None:
    message = error_message(write(BASE + "seed: " + "[" * depth + "]" * depth))
    assert ("too many levels of nesting" in message) == (depth > 20)


def test_a_huge_file_is_refused(write: Write) -> None:
    message = error_message(write(BASE + "#" * 200_000))
    assert message.startswith("my.yaml: expected at most 100,000 bytes")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert error_message(tmp_path / "none.yaml") == "none.yaml: no such file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "expected a config file, found something else" in error_message(tmp_path)


@pytest.mark.parametrize("key", ["data", "cost", "training.threads", "seed"])
def test_a_lone_surrogate_is_refused(write: Write, key: str) -> None:
    text, line = with_line(key, '"\\ud800"')
    assert error_message(write(text)).startswith(f"my.yaml:{line}: {key}: expected ")


# The schema and the project's own configs


def choices(section: str, key: str) -> set[str]:
    part = schema()["$defs"][section]["properties"][key]
    return {choice for option in part.get("anyOf", [part]) for choice in option.get("enum", [])}


def test_the_choices_are_the_keys_of_the_dicts() -> None:
    assert choices("NetworkSection", "activation") == set(ACTIVATIONS)
    assert choices("NetworkSection", "output") == set(OUTPUTS)
    costs = choices("Config", "cost")
    assert set(itertools.product(costs, OUTPUTS)) == set(COSTS)


def test_the_optimizers_are_the_keys_of_the_dict() -> None:
    assert choices("OptimizerSection", "name") == set(OPTIMIZERS)


def test_the_keys_of_an_optimizer_are_its_arguments() -> None:
    for name, optimizer in OPTIMIZERS.items():
        given = {"parameters", "learning_rate", "l2"}
        arguments = set(inspect.signature(optimizer).parameters) - given
        assert set(OPTIMIZER_KEYS[name]) == arguments
    assert LEARNING_RATES.keys() == OPTIMIZERS.keys()


def test_the_schedules_are_the_keys_of_the_dict() -> None:
    assert choices("ScheduleSection", "name") == set(SCHEDULES)


def test_the_keys_of_augment_are_the_distortions_and_off_by_default() -> None:
    keys = schema()["$defs"]["AugmentSection"]["properties"]
    defaults = {name: part["default"] for name, part in keys.items()}
    assert defaults.pop("final") == 1
    assert defaults == dataclasses.asdict(Distortions())
    assert not Distortions()


def test_the_reader_and_arrays_have_the_same_number_of_pixels() -> None:
    assert reader.PIXELS == PIXELS


def test_the_schema_file_matches_the_definition() -> None:
    text = (REPOSITORY / "configs" / "schema.json").read_text()
    assert text == json.dumps(schema(), indent=2) + "\n"


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_has_a_description() -> None:
    for section in schema()["$defs"].values():
        assert all(part.get("description") for part in section["properties"].values())


def test_the_project_has_configs() -> None:
    assert CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_of_the_project_fits_the_schema(path: Path) -> None:
    tree = Source(str(path)).tree
    jsonschema.validate(tree, schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_of_the_project_is_read(path: Path) -> None:
    data = read_config(path).data
    assert data.path == str(path.parent.parent / "my-digits") or all(
        map(os.path.isdir, as_tuple(data.path))
    )
    assert all(map(os.path.isdir, as_tuple(data.rehearsal.path or ())))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_of_the_project_names_the_schema(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert "# yaml-language-server: $schema=schema.json" in lines


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


VALID_IN_SCHEMA = {"[100, 10]", "[784, 16.0, 10]", "1.0", "0.0"}  # in JSON, 1.0 is an integer


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, value, _ in WRONG if value not in VALID_IN_SCHEMA]
)
def test_the_schema_refuses_what_the_reader_refuses(
    write: Write, validator: jsonschema.Draft202012Validator, key: str, value: str
) -> None:
    tree = Source(str(write(with_line(key, value)[0]))).tree
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(tree)


def test_the_schema_accepts_what_the_reader_accepts(write: Write) -> None:
    tree = Source(str(write(BASE + "training: {threads: 2, l2: 1e-3}\n"))).tree
    jsonschema.validate(tree, schema(), jsonschema.Draft202012Validator)


# Random input

NAMES = ["data", "path", "network", "layer_sizes", "training", "epochs", "optimizer", "name"]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(NAMES)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)
KEYS = [
    *("data", "data.path", "data.validation", "network", "network.layer_sizes"),
    *("network.output", "cost", "training", "training.epochs", "training.optimizer"),
    *("training.optimizer.name", "training.threads", "seed", "model", "new", "training.new"),
]


def assert_config_or_error(values: dict[str, Any]) -> None:
    problem = "expected "
    try:
        assert isinstance(to_config(values), Config)
    except ConfigError as error:
        problem = error.problem
    assert problem.startswith("expected ")


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), TREES))
def test_random_values_give_a_config_or_a_config_error(values: dict[str, Any]) -> None:
    assert_config_or_error(values)


@settings(max_examples=100)
@given(st.sampled_from(KEYS), TREES)
def test_a_random_value_at_any_key_gives_a_config_or_a_config_error(key: str, value: Any) -> None:
    values: dict[str, Any] = {"data": {"path": "x"}, "network": {"layer_sizes": [784, 10]}}
    section = values
    *sections, last = key.split(".")
    for name in sections:
        section = section.setdefault(name, {})
    section[last] = value
    assert_config_or_error(values)


@pytest.fixture(scope="module")
def any_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "any.yaml"


PIECES = [
    *(
        "data",
        "seed",
        ": ",
        "? ",
        "- ",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "\n  ",
        "&a ",
        "*a",
        "!!str ",
    ),
    *(
        "!!map ",
        "!!seq ",
        "!!int ",
        "!!bool ",
        "!!null ",
        "!x ",
        '"',
        "'",
        "|",
        ">",
        "#",
        "---",
        "...",
    ),
    *(
        "%YAML 1.1",
        "1",
        "1e5",
        ".",
        "-",
        "~",
        "true",
        "null",
        "<<",
        "\\",
        "\\ud800",
        "\\0",
        "\t",
        "@",
    ),
]


@settings(max_examples=150)
@given(data=st.binary() | st.text().map(str.encode))
def test_random_bytes_give_a_config_or_a_config_error(any_file: Path, data: bytes) -> None:
    any_file.write_bytes(data)
    assert_file_is_config_or_error(any_file)


@settings(max_examples=250)
@given(start=st.sampled_from(["", "seed: "]), pieces=st.lists(st.sampled_from(PIECES), max_size=9))
def test_random_yaml_gives_a_config_or_a_config_error(
    any_file: Path, start: str, pieces: list[str]
) -> None:
    any_file.write_text(BASE + start + "".join(pieces))
    assert_file_is_config_or_error(any_file)


@settings(max_examples=150)
@given(key=st.sampled_from(KEYS) | st.text(), pieces=st.lists(st.sampled_from(PIECES), max_size=6))
def test_a_random_override_gives_a_config_or_a_config_error(
    any_file: Path, key: str, pieces: list[str]
) -> None:
    any_file.write_text(BASE)
    assert_file_is_config_or_error(any_file, f"{key}={''.join(pieces)}")


def assert_file_is_config_or_error(path: Path, *overrides: str) -> None:
    message = str(path)
    try:
        assert isinstance(read_config(path, overrides), Config)
    except ConfigError as error:
        message = str(error)
    assert message.startswith((str(path), "--set "))
