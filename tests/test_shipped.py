"""The model that ships is what configs/default.yaml says, and reads what it was not shown."""

import os

import msgspec
import numpy as np
import pytest
from conftest import REPOSITORY

from digitnet.background import make_background
from digitnet.checkpoint import SHIPPED, Checkpoint, load_checkpoint
from digitnet.config import read_config, to_config
from digitnet.dataset import Data, read_data
from digitnet.evaluation import Examples, evaluate_model
from digitnet.handwriting import make_digits
from digitnet.prediction import load

DEFAULT = REPOSITORY / "configs" / "default.yaml"
# Of 48 pictures of no digit and 16 digits, when it was made.
# fmt: off
INK = [
    52303, 34627, 22531, 42151, 26329, 27903, 20469, 40399, 38330, 24510, 15736, 20913, 12084,
    36416, 27410, 34574, 32358, 29762, 24186, 27408, 23857, 8509, 23549, 11955, 45670, 21394,
    4634, 18516, 0, 17940, 31793, 9326, 0, 41945, 16159, 5177, 14786, 22525, 23830, 5298,
    48407, 6143, 23570, 21085, 16025, 23331, 4090, 30448, 44891, 32294, 11320, 23191, 28276,
    16070, 22134, 35880, 17254, 29629, 23692, 16796, 16727, 22331, 39724, 28961,
]
# fmt: on


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


def test_made_up_pictures_are_as_it_learned_from_them() -> None:
    """Where they are not, the model has to be made again, too."""
    rng = np.random.default_rng(1)
    pictures = np.concatenate([make_background(48, rng=rng), make_digits(16, rng=rng)[0]])
    off = np.abs(pictures.reshape(64, -1).sum(axis=1, dtype=np.int64) - INK)
    assert np.count_nonzero(off > 50) <= 1  # some grey may be rounded otherwise elsewhere


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
