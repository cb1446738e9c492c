"""The model that ships is what configs/default.yaml says, and reads what it was not shown."""

import os

import msgspec
import numpy as np
import pytest
from conftest import REPOSITORY

from digitnet.config.reader import read_config, to_config
from digitnet.dataset.definition import Data
from digitnet.dataset.reader import read_data
from digitnet.model.checkpoint import SHIPPED, Checkpoint, load_checkpoint
from digitnet.model.examples import Examples, evaluate_model
from digitnet.model.prediction import load
from digitnet.synthetic.background import make_background
from digitnet.synthetic.handwriting import make_digits

DEFAULT = REPOSITORY / "configs" / "default.yaml"
# Of 48 pictures of no digit and 16 digits, when it was made.
# fmt: off
INK = [
    36122, 19142, 46017, 28935, 10788, 16771, 48599, 30678, 15741, 25548, 28588, 34270, 24391,
    31697, 24820, 23264, 17099, 12641, 17088, 17009, 13507, 40244, 17183, 25823, 22204, 11676,
    39854, 27348, 38359, 9667, 22483, 24611, 2212, 10094, 26618, 4919, 10769, 21801, 56521,
    6909, 42418, 12077, 65041, 8472, 11592, 39970, 19134, 10850, 44065, 27021, 21338, 28396,
    31728, 27261, 34556, 35383, 18740, 25981, 12902, 41968, 14555, 30311, 30735, 20632,
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
    assert shipped.data_sources == data.training.source_hashes
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
