"""The installed `digitnet train`."""

import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import DIGITNET, ENVIRONMENT, OLD_MODEL, Popen, Run, Training, read_mnist
from PIL import Image

from digitnet.config.reader import read_config, to_config
from digitnet.dataset.reader import read_data
from digitnet.model.checkpoint import load_checkpoint

EPOCH_KEYS = {"epoch", "training", "validation", "seconds", "images_per_second"}
SUMMARY_KEYS = {"model", "epochs", "seconds"}
EPOCH_LINE = re.compile(
    r"epoch (\d)/3: cost \d\.\d+, validation cost \d\.\d+, accuracy \d\d\.\d\d%, "
    r"\d\.\d s, [\d,]+ images/s"
)


@pytest.fixture
def output(config_file: Path) -> Path:
    return config_file.parent / "model.npz"


def lines_of(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# Results


def test_it_leaves_a_model_that_reads_digits(run: Run, config_file: Path, output: Path) -> None:
    done = run("train", "--config", config_file)
    assert done.returncode == 0
    assert len(load_checkpoint(output).history) == 3
    assert json.loads(run("evaluate", "-m", output, "--format", "json").stdout)["accuracy"] > 0.7
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}


def test_the_summary_is_on_stdout_and_the_epochs_are_on_stderr(
    run: Run, config_file: Path, output: Path
) -> None:
    done = run("train", "--config", config_file)
    assert done.stdout.count(b"\n") == 1
    assert done.stdout.startswith(f"{output}: ".encode())
    matches = [EPOCH_LINE.fullmatch(line) for line in done.stderr.decode().splitlines()]
    assert [match and match[1] for match in matches] == ["1", "2", "3"]
    assert b"\r" not in done.stderr


def test_the_summary_names_the_best_epoch(run: Run, config_file: Path, output: Path) -> None:
    done = run("train", "--config", config_file)
    history = load_checkpoint(output).history
    best = max(history, key=lambda r: (r["validation"]["accuracy"], -r["validation"]["cost"]))
    message = f"validation accuracy {best['validation']['accuracy']:.2%} (epoch {best['epoch']})"
    assert message in done.stdout.decode()


def test_json_is_a_line_per_epoch_and_one_summary(
    run: Run, config_file: Path, output: Path
) -> None:
    done = run("train", "--config", config_file, "--format", "json")
    *epochs, summary = lines_of(done.stdout)
    assert [line["epoch"] for line in epochs] == [1, 2, 3]
    for line in epochs:
        assert line.keys() >= EPOCH_KEYS
        assert line["training"].keys() >= {"cost"}
        assert line["validation"].keys() >= {"cost", "accuracy"}
        assert 0 <= line["validation"]["accuracy"] <= 1
        assert line["images_per_second"] == pytest.approx(1500 / line["seconds"])
    assert summary.keys() >= SUMMARY_KEYS
    assert (summary["model"], summary["epochs"]) == (str(output), 3)
    assert summary["seconds"] >= sum(line["seconds"] for line in epochs)


def test_json_records_equal_the_checkpoints_history(
    run: Run, config_file: Path, output: Path
) -> None:
    done = run("train", "--config", config_file, "--format", "json", "-q")
    assert lines_of(done.stdout)[:-1] == load_checkpoint(output).history


def test_without_validation_it_is_null_in_json(run: Run, config_file: Path) -> None:
    done = run("train", "--config", config_file, "--format", "json", "--set", "data.validation=0")
    assert done.returncode == 0
    assert [line["validation"] for line in lines_of(done.stdout)[:-1]] == [None] * 3


def test_quiet_prints_nothing(run: Run, config_file: Path, output: Path) -> None:
    done = run("train", "--config", config_file, "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert output.is_file()


def test_quiet_json_prints_only_json(run: Run, config_file: Path) -> None:
    done = run("train", "--config", config_file, "-q", "--format", "json")
    assert done.stderr == b""
    assert len(lines_of(done.stdout)) == 4


def test_quiet_still_prints_errors(run: Run, config_file: Path) -> None:
    done = run("train", "--config", config_file, "-q", "--set", "data.path=nowhere")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"nowhere" in done.stderr


def test_verbose_describes_network_and_data(run: Run, config_file: Path, output: Path) -> None:
    done = run("train", "--config", config_file, "-v", "--set", "training.threads=2")
    first, *epochs = done.stderr.decode().splitlines()
    assert len(epochs) == 3
    words = ("784-16-10", "12,730 parameters", "1,500 ", "500 ", "threads: 2", str(output))
    assert [word for word in words if word not in first] == []


@pytest.fixture
def emnist(tmp_path: Path, small_mnist: Path) -> Path:
    """The small MNIST in other conventions: transposed, ink 0 on paper 16."""
    data, arrays = read_data(small_mnist), {}
    for split, dataset in (("train", data.training), ("test", data.test)):
        assert dataset is not None
        arrays[f"x_{split}"] = 16 - dataset.images.transpose(0, 2, 1) // 16
        arrays[f"y_{split}"] = dataset.labels
    np.savez(tmp_path / "emnist.npz", **arrays)
    return tmp_path / "emnist.npz"


def test_data_in_other_conventions_are_converted_and_reported(
    run: Run, config_file: Path, emnist: Path, output: Path
) -> None:
    arguments = "train", "--config", config_file, "--set", f"data.path={emnist}", "--overwrite"
    done = run(*arguments)
    messages = done.stderr.decode().splitlines()[:-3]
    assert done.returncode == 0
    assert [line.partition(": expected ")[2].partition(",")[0] for line in messages] == [
        "pixels from 0 to 255",
        "ink 255 on background 0",
        "upright digits",
    ]
    assert messages[2].endswith("; set data.transposed: true")
    turned = run(*arguments, "--set", "data.transposed=true")
    assert turned.stderr.decode().splitlines()[:-3] == messages[:2]
    for data in ((), ("--data", emnist)):
        judged = run("evaluate", "-m", output, *data)
        assert judged.stderr.count(b"expected") == 2
        assert b"(test, 500 pictures)" in judged.stdout
    quiet = run(*arguments, "-q")
    assert quiet.stderr.decode().splitlines() == messages[2:]


def test_the_same_config_gives_the_same_model(run: Run, config_file: Path, tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        run("train", "--config", config_file, "-q", "-o", tmp_path / name)
    one, two = (load_checkpoint(tmp_path / name, with_state=True) for name in ("a.npz", "b.npz"))
    assert (one.network.parameters == two.network.parameters).all()
    assert (one.state["parameters"] == two.state["parameters"]).all()


def test_a_set_value_wins_over_the_config(run: Run, config_file: Path, output: Path) -> None:
    run("train", "--config", config_file, "--set", "training.epochs=1", "--set", "seed=5")
    config = load_checkpoint(output).config
    assert (config["training"]["epochs"], config["seed"]) == (1, 5)


# No better than guessing

STUCK = (
    *("--set", "training.optimizer.learning_rate=1e4", "--set", "training.epochs=1"),
    *("--set", "network.output=sigmoid", "--set", "cost=quadratic"),
)


@pytest.mark.parametrize("quiet", [(), ("-q",), ("--format", "json")], ids=str)
def test_a_model_no_better_than_guessing_is_reported(
    run: Run, config_file: Path, output: Path, quiet: tuple[str, ...]
) -> None:
    done = run("train", "--config", config_file, *STUCK, *quiet)
    assert (done.returncode, output.is_file()) == (0, True)
    *_, message = done.stderr.decode().splitlines()
    assert message.startswith(f"{output}: expected a validation accuracy clearly above the ")
    key = "training.optimizer.learning_rate"
    assert f"no better than guessing; try a smaller {key} than 10000, such as " in message
    assert done.stderr.count(b"guessing") == 1


def test_advice_for_a_small_learning_rate_and_few_epochs(run: Run, config_file: Path) -> None:
    slow = ("--set", "training.optimizer.learning_rate=1e-9", "--set", "training.epochs=1")
    done = run("train", "--config", config_file, "-q", *slow)
    assert done.returncode == 0
    assert done.stderr.endswith(
        b"try another training.optimizer.learning_rate than 1e-09, or more epochs\n"
    )


def test_a_model_no_better_than_guessing_is_reported_when_time_is_up(
    run: Run, config_file: Path
) -> None:
    short = ("--set", "training.epochs=100000", "--set", "training.max_minutes=0.02")
    done = run("train", "--config", config_file, "-q", *STUCK, *short)
    assert done.returncode == 0
    assert b"no better than guessing" in done.stderr


@pytest.mark.parametrize(
    ("options", "better"),
    [
        ((), True),
        (STUCK, False),
        ((*STUCK, "--set", "data.validation=3"), None),
        ((*STUCK, "--set", "data.validation=0"), None),
    ],
)
def test_json_says_whether_it_is_better_than_guessing(
    run: Run, config_file: Path, options: tuple[str, ...], better: bool | None
) -> None:
    done = run("train", "--config", config_file, "-q", "--format", "json", *options)
    assert lines_of(done.stdout)[-1]["better_than_guessing"] is better
    assert (b"guessing" in done.stderr) == (better is False)


# The output


def test_the_output_in_a_config_is_relative_to_the_config(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    config_file.write_text(config_file.read_text() + "model: out/m.npz\n")
    done = run("train", "--config", os.path.relpath(config_file, "/usr"), "-q", cwd=Path("/usr"))
    assert done.returncode == 0
    assert (tmp_path / "out" / "m.npz").is_file()


def test_the_output_option_is_relative_to_the_working_directory(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    run("train", "--config", config_file, "-q", "-o", "m.npz", cwd=tmp_path / "here")
    assert os.listdir(tmp_path / "here") == ["m.npz"]


def test_the_output_wins_over_a_set_value(run: Run, config_file: Path, tmp_path: Path) -> None:
    run("train", "--config", config_file, "-q", "--set", "model=a.npz", "-o", "b.npz", cwd=tmp_path)
    assert set(os.listdir(tmp_path)) == {"config.yaml", "b.npz"}


@pytest.mark.parametrize("name", [b"caf\xe9.npz", b"new\nline.npz", b"-o"])
def test_the_output_may_have_any_name(run: Run, config_file: Path, name: bytes) -> None:
    done = run("train", "--config", config_file, "-o", b"./" + name, cwd=config_file.parent)
    assert done.returncode == 0
    assert name in os.listdir(os.fsencode(config_file.parent))
    assert len(done.stdout.splitlines()) == 1


def test_an_output_that_exists_is_refused(run: Run, config_file: Path, output: Path) -> None:
    output.write_bytes(OLD_MODEL)
    done = run("train", "--config", config_file)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"{output}: exists already; --resume ".encode())
    assert output.read_bytes() == OLD_MODEL


def test_overwrite_replaces_the_output(run: Run, config_file: Path, output: Path) -> None:
    output.write_bytes(OLD_MODEL)
    assert run("train", "--config", config_file, "-q", "--overwrite").returncode == 0
    assert len(load_checkpoint(output).history) == 3


def test_resume_trains_more_epochs(run: Run, config_file: Path, output: Path) -> None:
    run("train", "--config", config_file, "-q")
    more = ("--set", "training.epochs=5", "--resume", "--format", "json")
    *epochs, summary = lines_of(run("train", "--config", config_file, *more).stdout)
    assert [line["epoch"] for line in epochs] == [4, 5]
    assert summary["epochs"] == 5
    assert len(load_checkpoint(output).history) == 5


def test_resuming_a_finished_training_changes_nothing(
    run: Run, config_file: Path, output: Path
) -> None:
    run("train", "--config", config_file, "-q")
    before = output.read_bytes()
    done = run("train", "--config", config_file, "--resume")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"; nothing was left to train (training.epochs: 3)\n")
    assert output.read_bytes() == before


def test_resuming_a_training_that_patience_ended_names_patience(
    run: Run, config_file: Path
) -> None:
    settings = ("training.patience=1", "training.optimizer.learning_rate=1e-30")
    overrides = [word for setting in settings for word in ("--set", setting)]
    ended = run("train", "--config", config_file, *overrides)
    assert b", 2 epochs, " in ended.stdout
    assert b"nothing" not in ended.stdout
    done = run("train", "--config", config_file, *overrides, "--resume")
    assert done.stdout.endswith(b"; nothing was left to train (training.patience: 1)\n")


def test_resuming_another_training_is_refused_with_line_and_key(
    run: Run, config_file: Path, output: Path
) -> None:
    run("train", "--config", config_file, "-q")
    before = output.read_bytes()
    config_file.write_text(config_file.read_text() + "seed: 2\n")
    done = run("train", "--config", config_file, "--resume")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(f"{config_file}:12: seed: expected 1, as in the ".encode())
    assert output.read_bytes() == before


def test_an_output_that_cannot_be_written_is_one_line(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    for name in ("/dev/null", ".", "none/m.npz", "config.yaml/m.npz"):
        done = run("train", "--config", config_file, "--overwrite", "-o", name, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, b"")
        assert len(done.stderr.splitlines()) == 1
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert os.listdir(tmp_path) == ["config.yaml"]


# The dry run


def test_a_dry_run_prints_a_valid_config(run: Run, config_file: Path, tmp_path: Path) -> None:
    done = run("train", "--config", config_file, "--dry-run", "--set", "training.l2=1e-5")
    assert (done.returncode, done.stderr) == (0, b"")
    (tmp_path / "again.yaml").write_bytes(done.stdout)
    again = run("train", "--config", tmp_path / "again.yaml", "--dry-run")
    assert again.stdout == done.stdout
    config = read_config(config_file, ["training.l2=1e-5", "training.threads=1"])
    assert read_config(tmp_path / "again.yaml") == config
    assert yaml.safe_load(done.stdout)["training"]["epochs"] == 3


def test_a_dry_run_resolves_fractions(run: Run, config_file: Path) -> None:
    done = run("train", "--config", config_file, "--dry-run", "--set", "data.validation=0.1")
    assert yaml.safe_load(done.stdout)["data"]["validation"] == 200


def test_a_dry_run_in_json_has_config_and_parameters(
    run: Run, config_file: Path, output: Path
) -> None:
    done = run("train", "--config", config_file, "--dry-run", "--format", "json")
    value = json.loads(done.stdout)
    assert value.keys() >= {"config", "parameters"}
    assert value["parameters"] == 785 * 16 + 17 * 10
    assert to_config(value["config"]) == read_config(config_file, ["training.threads=1"])
    assert value["config"]["model"] == str(output)


def test_a_dry_run_ignores_the_output(run: Run, config_file: Path, output: Path) -> None:
    output.write_bytes(OLD_MODEL)
    assert run("train", "--config", config_file, "--dry-run").returncode == 0
    assert output.read_bytes() == OLD_MODEL
    output.unlink()
    assert run("train", "--config", config_file, "--dry-run").returncode == 0
    assert os.listdir(output.parent) == ["config.yaml"]


@pytest.mark.parametrize(
    "name", ["caf\udce9", "früh 😀", "a: b # c", "tab\tnew\nline", "- x", "'\""]
)
def test_a_dry_run_in_a_folder_of_any_name_prints_a_valid_config(
    run: Run, config_file: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    config_file.rename(folder / "config.yaml")
    done = run("train", "--config", folder / "config.yaml", "--dry-run")
    assert (done.returncode, done.stderr) == (0, b"")
    (tmp_path / "again.yaml").write_bytes(done.stdout)
    assert read_config(tmp_path / "again.yaml").model == str(folder / "model.npz")


@pytest.mark.parametrize(
    ("override", "status"), [("data.path=none", 1), ("network.layer_sizes=[784, 9]", 2)]
)
def test_a_dry_run_checks_the_data(run: Run, config_file: Path, override: str, status: int) -> None:
    done = run("train", "--config", config_file, "--dry-run", "--set", override)
    assert (done.returncode, done.stdout) == (status, b"")


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """Folders of 0s and 1s: a 0 twice, a picture that cannot be read, names of any bytes."""
    images, labels = read_mnist("t10k", 100)
    for label in (0, 1):
        (tmp_path / "own" / str(label)).mkdir(parents=True)
        for number, image in enumerate(images[labels == label][:4]):
            name = ("a\n: #.png", "b\udce9.png", "c.png", "d.png")[number]
            Image.fromarray(image).save(tmp_path / "own" / str(label) / name)
    shutil.copy(tmp_path / "own/0/c.png", tmp_path / "own/0/copy.png")
    (tmp_path / "own/1/bad.png").write_bytes(b"none")
    return tmp_path / "own"


OWN = ("--set", "network.layer_sizes=[784, 2]", "--set", "data.validation=0", "--dry-run")


def test_a_dry_run_checks_the_pictures_in_comments(
    run: Run, config_file: Path, doubtful: Path, tmp_path: Path
) -> None:
    options = ("--config", config_file, "--set", f"data.path={doubtful}", *OWN, "--show")
    done = run("train", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{doubtful}/1/bad.png: expected a picture, found ".encode())
    lines = done.stdout.decode().splitlines()
    assert "# the same picture: own/0/c.png (0, train) and own/0/copy.png (0, train)" in lines
    assert [line for line in lines if line.startswith("# unreadable: own/1/bad.png: ")]
    assert len([line for line in lines if "▀" in line]) > 10  # drawings
    config = yaml.safe_load(done.stdout)
    assert to_config(config).data.path == str(doubtful)


def test_a_dry_run_checks_the_pictures_in_json(run: Run, config_file: Path, doubtful: Path) -> None:
    options = ("--config", config_file, "--set", f"data.path={doubtful}", *OWN)
    done = run("train", *options, "--format", "json")
    assert done.returncode == 1
    data = json.loads(done.stdout)["data"]
    assert data["classes"] == [{"digit": 0, "train": 5}, {"digit": 1, "train": 4}]
    assert [each["picture"] for each in data["unreadable"]] == [f"{doubtful}/1/bad.png"]
    assert len(data["same"]) == 1


# Bad input: one line, the right status, and nothing overwritten

WRONG = [
    ("--set training.epochs=ten", 2, "--set training.epochs=ten: training.epochs: expected "),
    ("--set lerning_rate=1", 2, "training.optimizer.learning_rate"),
    ("--set network.layer_sizes=[784,16,9]", 2, "network.layer_sizes: expected 10 last"),
    ("--set network.layer_sizes=[100,10]", 2, "network.layer_sizes: expected 784 first"),
    ("--set data.validation=2000", 2, "data.validation: expected fewer than the 2,000"),
    ("--set epochs", 2, "--set epochs: expected KEY=VALUE"),
    ("--set data.path=none", 1, "none: no such file or folder"),
    ("--set data.path=.", 1, "expected IDX or .npy files, or pictures"),
    ("--set data.path=/dev/null", 1, "/dev/null: expected a file or a folder"),
    ("--set data.path=config.yaml", 1, "config.yaml: expected IDX, .npy, .npz, .csv"),
    ('--set data.path="a\\0b"', None, ""),
    ('--set data.path="\\ud800"', None, ""),
    ('--set model="a\\0b"', None, ""),
    ('--set model="\\ud800"', None, ""),
    ("--set data.path=\udcff", 2, "data.path: expected "),
    ("--set network.layer_sizes=[784,100000000000000000,10]", 2, "network.layer_sizes: expected "),
    (f"--set network.layer_sizes=[784,{'1000000,' * 50}10]", 1, "not enough memory"),
    (
        "--set training.optimizer.learning_rate=1e30 --set network.activation=relu",
        1,
        "no longer finite",
    ),
    ("--set training.optimizer.learning_rate=1e39", 1, "no longer finite"),
    ("--resume --overwrite", 2, "cannot be used together"),
    ("--show", 2, "--show requires --dry-run."),
    ("--show --dry-run --format json", 2, "--show requires --format text."),
    ("--format xml", 2, "'xml'"),
    ("--nonsense", 2, "--nonsense"),
    ("an-argument", 2, "an-argument"),
]


@pytest.mark.parametrize(
    ("options", "status", "message"), WRONG, ids=[options[:60] for options, _, _ in WRONG]
)
def test_bad_input_is_one_line_and_overwrites_nothing(
    run: Run, config_file: Path, output: Path, options: str, status: int | None, message: str
) -> None:
    output.write_bytes(OLD_MODEL)
    overwrite = () if "--resume" in options else ("--overwrite",)
    done = run(
        *("train", "--config", "config.yaml", *overwrite, *options.split(" ")), cwd=output.parent
    )
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.returncode in ((1, 2) if status is None else (status,))
    assert message.encode() in done.stderr
    assert done.stdout == b""
    assert output.read_bytes() == OLD_MODEL
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}


def test_a_mistake_in_the_config_is_reported_with_its_line(run: Run, config_file: Path) -> None:
    text = config_file.read_text().replace("784, 16, 10", "784, 16, 9")
    config_file.write_text(text)
    done = run("train", "--config", "config.yaml", cwd=config_file.parent)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"config.yaml:5: network.layer_sizes: expected 10 last")
    assert len(done.stderr.splitlines()) == 1
    assert os.listdir(config_file.parent) == ["config.yaml"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=str)
@pytest.mark.parametrize("paths", ["none", "[., none]"])
def test_missing_data_are_reported_with_the_line_of_their_path(
    run: Run, config_file: Path, tmp_path: Path, options: tuple[str, ...], paths: str
) -> None:
    text = config_file.read_text()
    path = yaml.safe_load(text)["data"]["path"]
    config_file.write_text(text.replace(path, paths.replace(".", path)))
    done = run("train", "--config", config_file, *options, cwd=Path("/usr"))
    assert (done.returncode, done.stdout) == (1, b"")
    message = f"{config_file}:2: data.path: {tmp_path}/none: no such file or folder; in a config, "
    advice = "a relative path starts from the folder of the config\n"
    assert done.stderr.decode() == message + advice


def test_missing_data_of_an_override_are_reported_with_advice(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    done = run("train", "--config", config_file, "--set", "data.path=none", cwd=tmp_path)
    assert done.returncode == 1
    message = f"--set data.path=none: data.path: {tmp_path}/none: no such file or folder; on the "
    assert done.stderr.decode().startswith(message)
    assert done.stderr.endswith(
        b"; on the command line, a relative path starts from the current folder\n"
    )


def test_damaged_data_are_reported_without_advice_on_paths(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.npz").write_bytes(b"PK and no more")
    done = run("train", "--config", config_file, "--set", f"data.path={tmp_path}/own.npz")
    assert done.returncode == 1
    assert f": data.path: {tmp_path}/own.npz: expected ".encode() in done.stderr
    assert b"relative" not in done.stderr


def test_a_minibatch_of_any_size_is_trained(run: Run, config_file: Path) -> None:
    size = ("--set", "training.minibatch_size=100000000000000000")
    rate = ("--set", "training.optimizer.learning_rate=0.3")
    done = run("train", "--config", config_file, "-q", *size, *rate)
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1  # the warning: three steps are not enough to learn
    assert b"no better than guessing" in done.stderr


@pytest.mark.parametrize("name", ["none.yaml", ".", "/dev/null", "binary", "empty"])
def test_a_file_that_is_not_a_config_is_one_line(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "empty").touch()
    done = run("train", "--config", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert re.match(rb"(\S+: expected |none.yaml: no such file)", done.stderr)
    assert len(done.stderr.splitlines()) == 1


def test_without_a_config_it_is_one_line(run: Run) -> None:
    done = run("train")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"digitnet train: Missing option '--config'.")
    assert len(done.stderr.splitlines()) == 1


def pickle_of(_: bytes) -> bytes:
    return b"cos\nmkdir\n(S'sprung'\ntR."


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"hello",
    "pickle": pickle_of,
    "truncated": lambda good: good[: len(good) // 2],
    "without its end": lambda good: good[:-1],
    "with a flipped bit": lambda good: good[:5000] + bytes([good[5000] ^ 4]) + good[5001:],
}


TRAINED: list[bytes] = []  # the checkpoint, once it is trained


@pytest.fixture
def trained(run: Run, config_file: Path, output: Path) -> Path:
    """A checkpoint that can be resumed; all tests have the same."""
    if TRAINED:
        output.write_bytes(TRAINED[0])
    else:
        assert run("train", "--config", config_file, "-q").returncode == 0
        TRAINED.append(output.read_bytes())
    return output


@pytest.mark.parametrize("damage", DAMAGES)
def test_resuming_a_damaged_checkpoint_is_refused_and_leaves_it(
    run: Run, config_file: Path, trained: Path, damage: str
) -> None:
    trained.write_bytes(DAMAGES[damage](trained.read_bytes()))
    before = trained.read_bytes()
    done = run("train", "--config", config_file, "--resume", cwd=trained.parent)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"{trained}: expected ".encode())
    assert len(done.stderr.splitlines()) == 1
    assert trained.read_bytes() == before
    assert set(os.listdir(trained.parent)) == {"config.yaml", "model.npz"}


@pytest.mark.parametrize("name", ["weights_0", "state_parameters"])
def test_resuming_a_checkpoint_of_nan_is_refused(
    run: Run, config_file: Path, trained: Path, name: str
) -> None:
    with np.load(trained) as file:
        arrays = dict(file)
    arrays[name] = arrays[name] * np.float32(np.nan)
    np.savez(trained, **arrays)
    done = run("train", "--config", config_file, "--resume")
    assert (done.returncode, done.stdout) == (1, b"")
    assert (
        done.stderr
        == f"{trained}: {name}: expected finite numbers, found NaN or infinity\n".encode()
    )


# Another training, signals, pipes


def test_a_locked_output_is_status_75(
    run: Run, start: Callable[..., Training], config_file: Path, output: Path
) -> None:
    start("--config", config_file, "--set", "training.epochs=100000")
    done = run("train", "--config", config_file, "--resume")
    assert (done.returncode, done.stdout) == (75, b"")
    assert done.stderr == f"{output}: another training is writing it; try later\n".encode()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)],
    ids=["HUP", "INT", "TERM"],
)
def test_a_signal_saves_the_checkpoint_and_sets_the_status(
    start: Callable[..., Training],
    config_file: Path,
    output: Path,
    number: signal.Signals,
    status: int,
) -> None:
    training = start("--config", config_file, "--set", "training.epochs=100000")
    returned, out, err = training.end(number)
    assert (returned, out) == (status, b"")
    last = err.splitlines()[-1].decode()
    assert last.startswith(f"stopped by {number.name} in epoch ")
    assert last.endswith(f"; {output} is saved, --resume continues it")
    assert load_checkpoint(output, with_state=True).state
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}


def test_quiet_still_reports_a_signal(popen: Popen, config_file: Path, output: Path) -> None:
    epochs = ("--set", "training.epochs=100000")
    process = popen("train", "--config", config_file, "-q", *epochs, stderr=subprocess.PIPE)
    while not output.exists():
        assert process.poll() is None
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err.startswith(b"stopped by SIGTERM in epoch ")
    assert len(err.splitlines()) == 1


def test_a_closed_pipe_ends_it_silently_with_the_last_epoch_saved(
    config_file: Path, output: Path
) -> None:
    script = (
        f'"{DIGITNET}" train --config "{config_file}" --format json -q '
        "--set training.epochs=100000 | head -2 | wc -l; exit ${PIPESTATUS[0]}"
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=False, timeout=60, env=ENVIRONMENT
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (141, b"2", b"")
    assert len(load_checkpoint(output, with_state=True).history) >= 2
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}


# On a terminal


OnATerminal = Callable[..., tuple[int, bytes, bytes]]


@pytest.fixture
def on_a_terminal(popen: Popen) -> OnATerminal:
    """Return a function that runs the command with a terminal as stderr.

    It returns status, stdout and the terminal's output.
    """

    def on_a_terminal(*arguments: str | Path) -> tuple[int, bytes, bytes]:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        shown: list[bytes] = []

        def read() -> None:
            try:
                while data := os.read(ours, 65536):
                    shown.append(data)
            except OSError:  # the command has closed the terminal
                pass

        process = popen(*arguments, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        reader = threading.Thread(target=read)
        reader.start()
        out, _ = process.communicate(timeout=60)
        reader.join(timeout=60)
        os.close(ours)
        return process.returncode, out, b"".join(shown)

    return on_a_terminal


def test_a_terminal_shows_a_progress_bar_instead_of_lines(
    on_a_terminal: OnATerminal, config_file: Path, output: Path
) -> None:
    status, out, shown = on_a_terminal("train", "--config", config_file)
    assert status == 0
    assert out.startswith(f"{output}: ".encode())
    assert b"epoch 3/3" in shown
    assert b"100%" in shown
    assert b"\r" in shown
    *bar, advice, rest = shown.replace(b"\r\n", b"\n").split(b"\n")
    assert len(bar) <= 1
    assert advice.startswith(b"digitnet report -m ")
    assert rest == b""


def test_a_terminal_shows_nothing_with_quiet(on_a_terminal: OnATerminal, config_file: Path) -> None:
    assert on_a_terminal("train", "--config", config_file, "-q") == (0, b"", b"")


def test_the_progress_bar_does_not_mix_with_results(
    on_a_terminal: OnATerminal, config_file: Path
) -> None:
    status, out, shown = on_a_terminal("train", "--config", config_file, "--format", "json")
    assert status == 0
    assert len(lines_of(out)) == 4
    assert b"epoch 3/3" in shown


def test_the_progress_bar_of_a_resumed_training_starts_at_its_progress(
    on_a_terminal: OnATerminal, run: Run, config_file: Path, output: Path
) -> None:
    run("train", "--config", config_file, "-q")
    more = ("--set", "training.epochs=6", "--resume")
    status, _, shown = on_a_terminal("train", "--config", config_file, *more)
    assert status == 0
    shares = [int(share) for share in re.findall(rb"(\d+)% ", shown)]
    assert min(shares) == 50
    assert max(shares) == 100


def test_a_config_error_on_a_terminal_is_one_line(
    on_a_terminal: OnATerminal, config_file: Path
) -> None:
    arguments = ("train", "--config", config_file, "--set", "seed=x")
    status, out, shown = on_a_terminal(*arguments)
    assert (status, out) == (2, b"")
    assert shown.startswith(b"--set seed=x: seed: expected ")
    assert shown.count(b"\n") == 1
