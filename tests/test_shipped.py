"""The model that ships is what configs/default.yaml says, and reads what it was not shown."""

import os

import msgspec
import numpy as np
import pytest
from conftest import REPOSITORY

from digitnet.checkpoint import SHIPPED, Checkpoint, load_checkpoint
from digitnet.config import read_config, to_config
from digitnet.dataset import Data, read_data
from digitnet.evaluation import Examples, evaluate_model
from digitnet.prediction import load

DEFAULT = REPOSITORY / "configs" / "default.yaml"


@pytest.fixture(scope="module")
def shipped() -> Checkpoint:
    return load_checkpoint(SHIPPED, with_state=True)


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(read_config(DEFAULT).data.path)


def test_it_is_small_and_has_no_state(shipped: Checkpoint) -> None:
    assert os.path.getsize(SHIPPED) <= 2_500_000
    assert shipped.state == {}


def test_it_was_made_by_the_default_config(shipped: Checkpoint, data: Data) -> None:
    made, asked = to_config(shipped.config), read_config(DEFAULT)
    folder = str(REPOSITORY)
    assert tuple(os.path.join(folder, path) for path in made.data.path) == asked.data.path
    assert made.data.validation == 5000
    threads = msgspec.structs.replace(asked.training, threads=made.training.threads)
    same = msgspec.structs.replace(asked, data=made.data, model=made.model, training=threads)
    assert made == same
    assert shipped.data_hash == data.training.fingerprint
    assert len(shipped.history) == asked.training.epochs


def test_it_is_as_good_as_its_config_says(shipped: Checkpoint, data: Data) -> None:
    assert data.test is not None
    sources = np.split(np.arange(len(data.test)), [10_000])
    mnist, scans = (
        evaluate_model(shipped, Examples("", "test", data.test, indices)) for indices in sources
    )
    assert mnist.accuracy > 0.99
    assert scans.accuracy > 0.95


def test_it_answers_pictures() -> None:
    model = load(SHIPPED)
    assert min(model.calibration) > 0
    pictures = REPOSITORY / "data" / "pictures"
    assert [model.predict(pictures / f"{name}.png").digit for name in ("four", "seven")] == [4, 7]
