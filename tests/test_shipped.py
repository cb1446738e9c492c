"""Test that configs/default.yaml made the shipped model, and that it reads unseen pictures."""

import os

import msgspec
import numpy as np
import pytest
from conftest import REPOSITORY

from digitnet.config.reader import read_config, saved_config
from digitnet.dataset.definition import Data
from digitnet.dataset.reader import read_data
from digitnet.model.checkpoint import Checkpoint, load_checkpoint
from digitnet.model.examples import Examples, evaluate_model
from digitnet.model.locations import SHIPPED
from digitnet.model.prediction import load
from digitnet.synthetic.background import make_background
from digitnet.synthetic.handwriting import make_digits

DEFAULT = REPOSITORY / "configs" / "default.yaml"
# sums of the pixels of 48 non-digits and 16 digits, computed when the model was trained
# fmt: off
INK_SUMS = [
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


def test_the_file_is_small_and_has_no_state(shipped: Checkpoint) -> None:
    assert os.path.getsize(SHIPPED) <= 2_500_000
    assert shipped.state == {}


def test_the_default_config_made_the_model(shipped: Checkpoint, data: Data) -> None:
    actual, expected = saved_config(shipped.config), read_config(DEFAULT)
    folder = str(REPOSITORY)
    assert tuple(os.path.join(folder, path) for path in actual.data.path) == expected.data.path
    assert actual.data.validation == 5000
    threads = msgspec.structs.replace(expected.training, threads=actual.training.threads)
    same = msgspec.structs.replace(expected, data=actual.data, model=actual.model, training=threads)
    assert actual == same
    assert shipped.data_hash == data.training.fingerprint
    assert shipped.data_sources == data.training.source_hashes
    assert len(shipped.history) == expected.training.epochs


def test_synthetic_pictures_are_those_of_its_training() -> None:
    """A failure means: synthetic pictures have changed, so train the shipped model again."""
    rng = np.random.default_rng(1)
    pictures = np.concatenate([make_background(48, rng=rng), make_digits(16, rng=rng)[0]])
    differences = np.abs(pictures.reshape(64, -1).sum(axis=1, dtype=np.int64) - INK_SUMS)
    assert np.count_nonzero(differences > 50) <= 1  # processors may round a few greys differently


def test_it_reaches_the_accuracy_that_its_config_states(shipped: Checkpoint, data: Data) -> None:
    assert data.test is not None
    sources = np.split(np.arange(len(data.test)), [10_000])
    mnist, scans = (
        evaluate_model(shipped, Examples("", "test", data.test, indices)) for indices in sources
    )
    assert mnist.accuracy > 0.99
    assert scans.accuracy > 0.95


def test_it_reads_pictures() -> None:
    model = load(SHIPPED)
    assert min(model.calibration) > 0
    pictures = REPOSITORY / "data" / "pictures"
    assert [model.predict(pictures / f"{name}.png").digit for name in ("four", "seven")] == [4, 7]
