"""What the READMEs show works as it stands there."""

import json
import os
import re
import runpy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, Run, in_shell, read_mnist

import digitnet
from digitnet.config.keys import known_keys
from digitnet.config.reader import read_config

README = (REPOSITORY / "README.md").read_text()
PAGES = ["README.md", *(f"{at}/README.md" for at in ("configs", "data", "data/fonts", "tests"))]
NUMBER = re.compile(r"\d[\d.,]*(?<=\d)")


def block(language: str, containing: str) -> str:
    """The one block of code in a language that has a text in it."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (found,) = [text for name, text in blocks if name == language and containing in text]
    return str(found)


@pytest.fixture
def repository(tmp_path: Path, small_mnist: Path) -> Path:
    """A folder like the repository, with the small MNIST and five epochs in `3blue1brown`."""
    for name in ("configs", "data", "digitnet"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "mnist").symlink_to(small_mnist)
    (tmp_path / "data" / "pictures").symlink_to(REPOSITORY / "data" / "pictures")
    (tmp_path / "digitnet" / "model.npz").symlink_to(REPOSITORY / "digitnet" / "model.npz")
    for name in ("3blue1brown", "default"):
        text = (REPOSITORY / "configs" / f"{name}.yaml").read_text()
        short = text.replace("epochs: 60", "epochs: 5")
        (tmp_path / "configs" / f"{name}.yaml").write_text(short)
    return tmp_path


def test_the_readme_has_at_most_170_lines() -> None:
    assert len(README.splitlines()) <= 170


# Links


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [*PAGES, "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    page = REPOSITORY / name
    links = re.findall(r"\]\((.*?)\)", page.read_text())
    for link in links:
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", PAGES)
def test_files_and_folders_named_are_there(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    for path in re.findall(r"(?<![\w/-])(?:configs|data|tests)/(?:[\w-]+/)*[\w-]+\.\w+", text):
        assert (REPOSITORY / path).is_file(), path
    for path in re.findall(r"(?<![\w/-])(?:data|tests)/(?:[\w-]+/)*[\w-]+(?![\w./-])", text):
        assert (REPOSITORY / path).exists(), path


def test_the_map_shows_all_rooms_and_no_others() -> None:
    shown = block("", "begin here")
    package = Path(digitnet.__file__).parent
    rooms = {path.parent.name for path in package.rglob("__init__.py")}
    named = set(re.findall(r"(\w+)/", shown))
    assert named == rooms | {"configs", "data", "tests"}
    modules = {path.name for path in package.rglob("*.py")}
    assert set(re.findall(r"\w+\.py", shown)) <= modules


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(r"^## \[(.*?)\]", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", digitnet.__version__]


# Commands


def test_the_training_shown_prints_such_lines(repository: Path, run: Run) -> None:
    (command,) = re.findall(r"digitnet (train --config configs/3blue1brown.yaml .*)", README)
    summary, rest = block("console", "$ digitnet evaluate").split("\n", 1)
    evaluate, *lines = rest.splitlines()
    done = run(*command.split(), cwd=repository)
    assert NUMBER.sub("#", done.stdout.decode()) == NUMBER.sub("#", summary) + "\n"
    done = run(*evaluate.removeprefix("$ digitnet ").split(), cwd=repository)
    printed = done.stdout.decode().splitlines()[: len(lines)]
    assert [NUMBER.sub("#", line) for line in printed] == [NUMBER.sub("#", line) for line in lines]


def test_the_model_that_ships_is_as_good_as_the_results_say(run: Run) -> None:
    (command,) = re.findall(r"`digitnet (evaluate -m digitnet/model.npz .*?)`", README)
    (shown,) = re.findall(r"^\| the model that ships \|.*\| ([\d.]+) % \|", README, re.MULTILINE)
    done = run(*command.split(), "--format", "json", cwd=REPOSITORY)
    assert 100 * (1 - json.loads(done.stdout)["accuracy"]) == pytest.approx(float(shown), abs=0.011)


def test_your_own_digits_are_measured_and_trained_on(repository: Path) -> None:
    scans = REPOSITORY / "data" / "scans" / "test"
    for digit in "0123456789":
        first, second = sorted((scans / digit).iterdir())[:2]
        for folder, scan in (("my-digits", first), ("my-test", second)):
            (repository / folder / digit).mkdir(parents=True)
            shutil.copy(scan, repository / folder / digit)
    check, train, measure, mistakes = block("sh", "my-digits").splitlines()
    fast = " --set data.rehearsal.path=none --set data.pictures_per_epoch=20"
    train += f"{fast} --set training.epochs=1 -q"
    check = check.replace("    #", f"{fast} | tail -1    #")
    script = f"{check}\n{train}\n{measure} | head -1\n{mistakes} --format json"
    done = in_shell(script, repository)
    assert done.returncode == 0, done.stderr
    drawn, measured, answers = done.stdout.splitlines()
    assert drawn.startswith("#")
    assert measured.endswith("on my-test (10 pictures)")
    assert json.loads(answers)["images"] == 10


def test_the_terminal_shows_what_the_commands_print() -> None:
    draw = runpy.run_path(str(REPOSITORY / "tests" / "pictures" / "terminal.py"))["draw"]
    shown = (REPOSITORY / "data" / "pictures" / "terminal.svg").read_text()
    texts = [re.findall("<text.*?>(.*?)</text>", svg) for svg in (shown, draw())]
    now_and_then = [[re.sub(r"\d+\.\d+", "#", text) for text in some] for some in texts]
    assert now_and_then[0] == now_and_then[1]
    assert "$ digitnet predict --show data/pictures/seven.png" in texts[0]


# Snippets


@pytest.mark.parametrize("kind", ["3blue1brown", "shipped", "tanh"])
def test_the_reader_of_a_checkpoint_gives_what_the_model_gives(
    kind: str, repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    model = digitnet.load()
    if kind == "3blue1brown":
        training = ("train", "--config", "configs/3blue1brown.yaml", "-o", "trained.npz")
        assert run(*training, cwd=repository).returncode == 0
        model = digitnet.load("trained.npz")
    elif kind == "tanh":
        network = digitnet.Network((784, 30, 20, 10), activation="tanh", output="softmax")
        network.initialise(rng=np.random.default_rng(1))
        description = {"activation": "tanh", "layer_sizes": [784, 30, 20, 10], "output": "softmax"}
        checkpoint = replace(model.checkpoint, network=network, config={"network": description})
        model = replace(model, checkpoint=checkpoint)
    model.save("3blue1brown.npz")
    images, _ = read_mnist("t10k", 100)
    names: dict[str, Any] = {"images": images}
    exec(block("python", "np.load"), names)
    np.testing.assert_allclose(names["p"], model.probabilities(images), atol=1e-6)
    assert model.calibration.temperature != 1
    assert np.ptp(names["p"]) > 0.1


def test_the_python_shown_reads_and_trains(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    images, labels = read_mnist("t10k", 200)
    names: dict[str, Any] = {"images": images, "labels": labels}
    exec(block("python", "import digitnet"), names)
    assert isinstance(names["model"], digitnet.Model)
    assert names["progress"].record.epoch == 5
    assert (repository / "3blue1brown.npz").is_file()
    shown = [line for line in block("python", "import digitnet").splitlines() if "  # " in line]
    answers = [eval(line.partition("  # ")[0], names) for line in shown if line[:6] == "model."]
    digit, text, probabilities = answers
    assert digit == 4
    assert text == "8134 2207 0519"
    assert probabilities.shape == (200, 10)


# The keys of a config


def keys_shown() -> dict[str, str]:
    """The keys in the tables of configs/README.md with their defaults."""
    text = (REPOSITORY / "configs" / "README.md").read_text()
    rows = re.findall(r"^\| `([a-z_0-9.]+)` \| (`.*?`|required) \|", text, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return {key: default.strip("`") for key, default in rows}


def test_every_key_is_explained() -> None:
    keys = known_keys()
    sections = {key.rpartition(".")[0] for key in keys}
    assert set(keys_shown()) == set(keys) - sections


def test_the_defaults_shown_are_the_defaults(tmp_path: Path) -> None:
    tree: dict[str, Any] = {}
    required = {"data.path": "digits.csv", "network.layer_sizes": [784, 16, 16, 10]}
    for key, default in keys_shown().items():
        section = tree
        *names, last = key.split(".")
        for name in names:
            section = section.setdefault(name, {})
        section[last] = required[key] if default == "required" else yaml.safe_load(default)
    shown, bare = tmp_path / "shown.yaml", tmp_path / "bare.yaml"
    shown.write_text(yaml.safe_dump(tree))
    bare.write_text(json.dumps({"data": {"path": "digits.csv"}, "network": tree["network"]}))
    assert read_config(shown) == read_config(bare, ["data.validation=5000"])


def test_the_choices_shown_are_all_there_are() -> None:
    text = (REPOSITORY / "configs" / "README.md").read_text()
    schema = json.loads((REPOSITORY / "configs" / "schema.json").read_text())
    for section in schema["$defs"].values():
        for choices in (part["enum"] for part in section["properties"].values() if "enum" in part):
            assert all(f"`{choice}`" in text for choice in choices)


def test_the_mistake_shown_is_what_the_command_prints(tmp_path: Path, run: Run) -> None:
    text = (REPOSITORY / "configs" / "README.md").read_text()
    (shown,) = re.findall(r"^my\.yaml:6: .*$", text, re.MULTILINE)
    lines = "data:\n  path: digits.csv\nnetwork:\n  layer_sizes: [784, 10]\ntraining:\n"
    (tmp_path / "my.yaml").write_text(f"{lines}  lerning_rate: 0.5\n")
    done = run("train", "--config", "my.yaml", cwd=tmp_path)
    assert os.path.basename(done.stderr.decode().strip()) == shown
