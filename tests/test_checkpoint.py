"""Test checkpoints: atomic writing, and refusal of damaged or hostile files."""

import errno
import hashlib
import json
import os
import pickle
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import Failing, read_mnist
from hypothesis import given, settings
from hypothesis import strategies as st

import digitnet
from digitnet.config.reader import to_config
from digitnet.dataset.classes import MAX_CLASSES
from digitnet.errors import CheckpointError, OutputError
from digitnet.model import checkpoint as checkpoint_module
from digitnet.model.calibration import Calibration
from digitnet.model.checkpoint import (
    PREPARATION,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from digitnet.network.network import Network

NAMES = ("0", "1", "zwei")
PLACE = '{"epoch":2,"step":0,"cost_sum":0.0,"seconds":0.0}'


def random_checkpoint(seed: int = 1, *, hidden: int = 2) -> Checkpoint:
    """Return a small checkpoint with random parameters."""
    rng = np.random.default_rng(seed)
    sizes = [784, hidden, 3]
    network = Network(sizes)
    network.parameters[:] = rng.standard_normal(len(network.parameters))
    config = to_config({"data": {"path": "/digits"}, "network": {"layer_sizes": sizes}})
    history = [{"epoch": 1, "training": {"cost": 0.5}, "validation": None}]
    state = {"parameters": network.parameters + 1, "place": np.array(PLACE)}
    values = msgspec.to_builtins(config)
    return Checkpoint(
        network,
        values,
        NAMES,
        "/digits",
        "abc",
        history,
        state,
        calibration=Calibration(1 + seed / 7, 0.25, 2.5),
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a valid checkpoint."""
    file = tmp_path_factory.mktemp("good") / "good.npz"
    save_checkpoint(str(file), random_checkpoint())
    return file.read_bytes()


@pytest.fixture
def path(tmp_path: Path, good: bytes) -> Path:
    """A file with a valid checkpoint."""
    file = tmp_path / "good.npz"
    file.write_bytes(good)
    return file


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def refusal(path: Path, *, with_state: bool = False) -> str:
    """Return the message, without the path in front, with which loading a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, with_state=with_state)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def with_arrays(path: Path, **changes: Any) -> Path:
    """Rewrite a file with some arrays changed, or removed if the value is None."""
    arrays = arrays_of(path) | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def with_member(path: Path, name: str, data: bytes) -> Path:
    """Rewrite a file with the raw bytes of one member changed and a correct checksum."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, old in members.items():
            archive.writestr(member, data if member == f"{name}.npy" else old)
    return path


def npy(descr: str, shape: str, data: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


# Saving and loading


def test_a_saved_checkpoint_is_loaded(path: Path) -> None:
    saved, loaded = random_checkpoint(), load_checkpoint(path, with_state=True)
    assert (loaded.network.parameters == saved.network.parameters).all()
    assert loaded.network.layer_sizes == saved.network.layer_sizes
    assert loaded.class_names == NAMES
    assert (loaded.data_path, loaded.data_hash) == ("/digits", "abc")
    assert loaded.history == saved.history
    assert loaded.preparation == saved.preparation
    assert loaded.calibration == saved.calibration == (8 / 7, 0.25, 2.5)
    assert msgspec.convert(loaded.config, type(to_config(loaded.config)))
    assert loaded.state.keys() == saved.state.keys()
    assert all((loaded.state[name] == saved.state[name]).all() for name in saved.state)


def test_the_config_is_restored(path: Path) -> None:
    assert to_config(load_checkpoint(path).config) == to_config(random_checkpoint().config)


def test_the_state_is_loaded_only_on_request(path: Path) -> None:
    assert load_checkpoint(path).state == {}


def test_plain_numpy_reads_it_without_pickle(path: Path) -> None:
    arrays = arrays_of(path)
    assert {"weights_0", "biases_0", "weights_1", "biases_1", "format_version"} <= arrays.keys()
    assert not any(array.dtype.hasobject for array in arrays.values())
    assert arrays["weights_0"].shape == (2, 784)
    assert arrays["weights_0"].dtype == np.float32


def test_structured_values_are_json(path: Path) -> None:
    arrays = arrays_of(path)
    assert json.loads(str(arrays["config"]))["network"]["layer_sizes"] == [784, 2, 3]
    assert json.loads(str(arrays["history"]))[0]["epoch"] == 1
    assert json.loads(str(arrays["data"])) == {"path": "/digits", "hash": "abc", "sources": []}
    assert arrays["class_names"].tolist() == list(NAMES)


def test_five_lines_of_numpy_run_the_network(path: Path) -> None:
    images, _ = read_mnist("t10k", 4)
    model = arrays_of(path)
    a = images.reshape(len(images), 784) / 255
    for l in range(sum(name.startswith("weights_") for name in model)):
        a = 1 / (1 + np.exp(-(a @ model[f"weights_{l}"].T + model[f"biases_{l}"])))
    assert load_checkpoint(path).network(images) == pytest.approx(a, rel=1e-4)


def test_no_suffix_is_appended_to_the_name(tmp_path: Path) -> None:
    save_checkpoint(str(tmp_path / "model"), random_checkpoint())
    assert os.listdir(tmp_path) == ["model"]


def test_any_names_are_restored(tmp_path: Path) -> None:
    odd = os.fsdecode(b"/caf\xe9/\xf0\x9f\x98\x80\n")
    checkpoint = Checkpoint(
        random_checkpoint().network, random_checkpoint().config, ("ä", "\t", "😀"), odd, "abc", []
    )
    save_checkpoint(str(tmp_path / "odd.npz"), checkpoint)
    loaded = load_checkpoint(tmp_path / "odd.npz")
    assert loaded.class_names == ("ä", "\t", "😀")
    assert loaded.data_path == odd


def test_several_data_paths_are_restored(tmp_path: Path) -> None:
    full, paths = random_checkpoint(), ("/mnist", "/scans")
    model = Checkpoint(full.network, full.config, NAMES, paths, "abc", full.history)
    save_checkpoint(str(tmp_path / "m.npz"), model)
    assert load_checkpoint(tmp_path / "m.npz").data_path == paths


def test_a_stripped_checkpoint_is_loaded(tmp_path: Path) -> None:
    full = random_checkpoint()
    stripped = Checkpoint(full.network, full.config, NAMES, "/digits", "abc", full.history)
    save_checkpoint(str(tmp_path / "m.npz"), stripped)
    assert not any(name.startswith("state_") for name in arrays_of(tmp_path / "m.npz"))
    assert load_checkpoint(tmp_path / "m.npz", with_state=True).state == {}


# The hash of the file


def test_the_hash_is_that_of_the_whole_file_and_only_on_request(path: Path) -> None:
    assert load_checkpoint(path).sha256 == ""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load_checkpoint(path, hashed=True).sha256 == digest
    assert load_checkpoint(path, hashed=True, with_state=True).sha256 == digest


def test_the_hash_is_that_of_the_model_even_if_another_replaces_it_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    read = checkpoint_module.read_archive

    def replace_after(*arguments: Any) -> Any:
        arrays = read(*arguments)
        save_checkpoint(str(path), random_checkpoint(2))
        return arrays

    monkeypatch.setattr(checkpoint_module, "read_archive", replace_after)
    loaded = load_checkpoint(path, hashed=True)
    assert (loaded.network.parameters == random_checkpoint(1).network.parameters).all()
    assert loaded.sha256 == digest != hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_is_not_saved(path: Path) -> None:
    save_checkpoint(str(path), load_checkpoint(path, hashed=True))
    assert load_checkpoint(path).sha256 == ""


# Who made it, and when


def test_version_and_time_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "new.npz"
    save_checkpoint(str(path), random_checkpoint())
    origin = json.loads(str(arrays_of(path)["origin"]))
    assert origin.keys() == {"version", "created", "start"}
    assert (origin["version"], origin["start"]) == (digitnet.__version__, None)
    age = datetime.now(UTC) - datetime.fromisoformat(origin["created"])
    assert timedelta(seconds=-1) < age < timedelta(minutes=2)


def test_version_time_and_start_survive_another_saving(tmp_path: Path) -> None:
    start = {"path": "/old.npz", "sha256": "ab" * 32, "classes": ["0", "1"], "images": 3}
    made = {"version": "0.0.9", "created": "2001-02-03T04:05:06Z", "start": start}
    for name, saved in (("a.npz", replace(random_checkpoint(), **made)), ("b.npz", None)):
        save_checkpoint(str(tmp_path / name), saved or load_checkpoint(tmp_path / "a.npz"))
        loaded = load_checkpoint(tmp_path / name)
        assert {key: getattr(loaded, key) for key in made} == made


def test_an_older_file_has_no_version_no_time_and_no_start(path: Path) -> None:
    old = load_checkpoint(with_arrays(path, origin=None))
    assert (old.version, old.created, old.start) == (None, None, None)
    save_checkpoint(str(path), old)
    assert load_checkpoint(path).created is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("version", value) for value in (1, [], "1" * 101)),
        *(("created", value) for value in (0, "", "yesterday", "2026-11-30T08:00:00Z\n", "\u0662")),
        *(("start", value) for value in ("", [], {}, {"path": "x"}, {"path": "x", "sha256": 1})),
        ("start", {"path": None, "sha256": "x"}),
    ],
)
def test_a_wrong_origin_is_refused(path: Path, name: str, value: Any) -> None:
    message = refusal(with_arrays(path, origin=json.dumps({name: value})))
    assert message.startswith(f"origin: {name}: expected ")


# Atomic writing


def test_a_file_is_replaced_and_no_temporary_file_left(path: Path) -> None:
    save_checkpoint(str(path), random_checkpoint(2))
    assert (
        load_checkpoint(path).network.parameters == random_checkpoint(2).network.parameters
    ).all()
    assert os.listdir(path.parent) == ["good.npz"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_is_honoured(tmp_path: Path, umask: int, mode: int) -> None:
    previous = os.umask(umask)
    try:
        save_checkpoint(str(tmp_path / "m.npz"), random_checkpoint())
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "m.npz").stat().st_mode) == mode


def test_a_symbolic_link_is_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "latest.npz"
    link.symlink_to(path)
    save_checkpoint(str(link), random_checkpoint(2))
    assert link.is_symlink()
    assert not path.is_symlink()
    assert (
        load_checkpoint(path).network.parameters == random_checkpoint(2).network.parameters
    ).all()
    assert os.listdir(link.parent) == ["latest.npz"]


def test_a_broken_symbolic_link_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "latest.npz"
    link.symlink_to("first.npz")
    save_checkpoint(str(link), random_checkpoint())
    assert link.is_symlink()
    assert (tmp_path / "first.npz").is_file()


def test_the_old_file_stays_until_the_new_file_is_complete_and_on_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, flushed = path.read_bytes(), []
    fsync, replace = os.fsync, os.replace

    def spy_fsync(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def spy_replace(source: str, target: str) -> None:
        assert path.read_bytes() == old
        assert os.stat(source).st_ino in flushed
        loaded = load_checkpoint(source).network.parameters
        assert (loaded == random_checkpoint(2).network.parameters).all()
        replace(source, target)

    monkeypatch.setattr(checkpoint_module.os, "fsync", spy_fsync)
    monkeypatch.setattr(checkpoint_module.os, "replace", spy_replace)
    save_checkpoint(str(path), random_checkpoint(2))
    assert path.read_bytes() != old
    assert path.parent.stat().st_ino in flushed


def test_a_failed_rename_keeps_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    old = path.read_bytes()
    monkeypatch.setattr(checkpoint_module.os, "replace", fail)
    with pytest.raises(OutputError, match=r"good\.npz: cannot be written: No space left on device"):
        save_checkpoint(str(path), random_checkpoint(2))
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == ["good.npz"]


def test_a_model_whose_mode_cannot_be_read_is_not_replaced(path: Path, failing: Failing) -> None:
    path.chmod(0o600)
    old = path.read_bytes()
    failing("stat", path)
    with pytest.raises(OutputError, match=r"good\.npz: cannot be written: Input/output error"):
        save_checkpoint(str(path), random_checkpoint(2))
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == ["good.npz"]


def test_a_link_that_cannot_be_read_is_not_replaced(
    tmp_path: Path, path: Path, failing: Failing
) -> None:
    link = tmp_path / "latest.npz"
    link.symlink_to(path)
    failing("readlink", link)
    with pytest.raises(OutputError, match=r"latest\.npz: cannot be written: Input/output error"):
        save_checkpoint(str(link), random_checkpoint(2))
    assert link.is_symlink()


def test_a_full_disk_keeps_the_old_file(path: Path) -> None:
    old, limits = path.read_bytes(), [0, 100, 5_000, 20_000, 60_000]
    code = (
        "import os, resource, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_checkpoint import *\n"
        "big, path = random_checkpoint(2, hidden=20), sys.argv[1]\n"
        "hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
        f"for limit in {limits}:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))\n"
        "    try: save_checkpoint(path, big)\n"
        "    except OutputError as error: print(limit, error, os.listdir(os.path.dirname(path)))\n"
    )
    command = [sys.executable, "-c", code, path]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.stderr == b""
    problem = f"{path}: cannot be written: File too large"
    assert done.stdout.decode().splitlines() == [
        f"{limit} {problem} ['good.npz']" for limit in limits
    ]
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == ["good.npz"]


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"gone/m\.npz: cannot be written: No such file"):
        save_checkpoint(str(tmp_path / "gone" / "m.npz"), random_checkpoint())
    assert os.listdir(tmp_path) == []


def test_the_temporary_file_of_a_killed_run_is_replaced(path: Path) -> None:
    (path.parent / "good.npz.tmp").write_bytes(b"half")
    save_checkpoint(str(path), random_checkpoint(2))
    assert os.listdir(path.parent) == ["good.npz"]


def test_a_planted_link_is_not_written_through(path: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "good.npz.tmp").symlink_to("precious")
    save_checkpoint(str(path), random_checkpoint(2))
    assert (tmp_path / "precious").read_bytes() == b"precious"


# Files of other kinds


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_a_pickle_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert "expected an .npz archive, found something else" in refusal(tmp_path / "m.npz")
    assert not (tmp_path / "sprung").exists()


def test_an_array_of_objects_is_refused_and_runs_nothing(path: Path, tmp_path: Path) -> None:
    with_arrays(path, weights_0=np.array([Trap(tmp_path / "sprung")], dtype=object))
    assert refusal(path).startswith("weights_0: expected numbers or text, found pickled")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("data", [b"", b"hello\n" * 50, b"PK\3\4", b"\x93NUMPY", bytes(1000)])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.npz").write_bytes(data)
    assert refusal(tmp_path / "m.npz")


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "m.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert refusal(tmp_path / "m.npz")


def test_an_archive_of_other_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", x_train=np.zeros(3))
    assert refusal(tmp_path / "m.npz") == "expected a digitnet model, found other arrays"


def test_an_archive_of_other_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert refusal(tmp_path / "m.npz").startswith(
        "expected an archive of NumPy arrays (.npy), found 'hello.txt'"
    )


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert "expected a sound .npz archive" in refusal(path)


@pytest.mark.parametrize("missing", [1, 10, 22])
def test_a_file_without_its_last_bytes_is_refused(path: Path, missing: int) -> None:
    path.write_bytes(path.read_bytes()[:-missing])
    assert "expected a sound .npz archive" in refusal(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    advice = "'shipped' is the model that ships"
    assert refusal(tmp_path / "none.npz") == f"no such file; {advice}"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "expected a model file, found a folder or device"


def test_a_device_is_refused() -> None:
    assert refusal(Path("/dev/zero")) == "expected a model file, found a folder or device"


# Archives with invalid arrays


@pytest.mark.parametrize(
    "name",
    [
        *("format_version", "config", "data", "history", "preparation", "class_names"),
        *("weights_0", "weights_1", "biases_0", "biases_1"),
    ],
)
def test_every_array_is_required(path: Path, name: str) -> None:
    message = refusal(with_arrays(path, **{name: None}))
    assert name in message or name == "format_version"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["weights_0", "biases_1"])
def test_numbers_must_be_finite(path: Path, name: str, value: float) -> None:
    array = arrays_of(path)[name].copy()
    array.flat[-1] = value
    message = refusal(with_arrays(path, **{name: array}))
    assert message == f"{name}: expected finite numbers, found NaN or infinity"


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", ">f4", "complex64", "U3"])
def test_numbers_must_be_float32(path: Path, dtype: str) -> None:
    message = refusal(with_arrays(path, weights_0=arrays_of(path)["weights_0"].astype(dtype)))
    assert message.startswith("weights_0: expected ")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("weights_0", (784, 2)),
        ("weights_0", (2 * 784,)),
        ("weights_1", (3, 3)),
        ("biases_0", (2, 1)),
        ("biases_0", ()),
        ("biases_1", (0,)),
    ],
)
def test_shapes_must_match_the_config(path: Path, name: str, shape: tuple[int, ...]) -> None:
    message = refusal(with_arrays(path, **{name: np.zeros(shape, np.float32)}))
    assert message.startswith(f"{name}: expected shape ")
    assert message.endswith(f"found {shape}")


@pytest.mark.parametrize(("name", "most"), [("min_confidence", 1), ("min_evidence", 88)])
def test_a_missing_threshold_is_0_and_a_wrong_threshold_is_refused(
    path: Path, name: str, most: int
) -> None:
    for there, expected in ((None, 0), (np.float64(0.7), 0.7)):
        found = load_checkpoint(with_arrays(path, **{name: there})).calibration
        assert getattr(found, name) == expected
    for wrong in (-0.1, most + 0.1, np.nan):
        message = refusal(with_arrays(path, **{name: np.float64(wrong)}))
        assert message == f"{name}: expected 0 to {most}, found {wrong}"


def test_a_missing_temperature_is_1(path: Path) -> None:
    assert load_checkpoint(with_arrays(path, temperature=None)).calibration.temperature == 1


@pytest.mark.parametrize("value", [0.05, 1.0, 20.0])
def test_a_temperature_is_restored(path: Path, value: float) -> None:
    assert (
        load_checkpoint(with_arrays(path, temperature=np.float64(value))).calibration.temperature
        == value
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 0.049, 20.1, 1e300])
def test_a_temperature_outside_its_bounds_is_refused(path: Path, value: float) -> None:
    message = refusal(with_arrays(path, temperature=np.float64(value)))
    assert message == f"temperature: expected 0.05 to 20, found {value}"


@pytest.mark.parametrize(
    "value",
    [np.float32(1), np.int64(1), np.array([1.0]), np.array("1"), np.complex128(1), np.bool_(1)],
)
def test_a_temperature_must_be_a_float64_scalar(path: Path, value: Any) -> None:
    message = refusal(with_arrays(path, temperature=value))
    assert message.startswith("temperature: expected a float64 scalar, found ")


@pytest.mark.parametrize("version", [0, 1, 3, -1, 2**62])
def test_another_format_version_is_refused(path: Path, version: int) -> None:
    message = refusal(with_arrays(path, format_version=np.int64(version)))
    advice = "install a newer digitnet" if version > 2 else "train the model again"
    assert message == f"format_version: expected 2, found {version}; {advice}"


@pytest.mark.parametrize("version", [np.float64(1), np.array([1]), np.array("1"), np.int32(1)])
def test_a_format_version_of_another_kind_is_refused(path: Path, version: Any) -> None:
    assert refusal(with_arrays(path, format_version=version))


@pytest.mark.parametrize("name", ["config", "data", "history", "origin"])
@pytest.mark.parametrize(
    "text", ["", "hello", "{", "5", "null", '"x"', "[" * 100_000, "1" * 5000, "{}x", "\ud800"]
)
def test_texts_must_be_json(path: Path, name: str, text: str) -> None:
    assert refusal(with_arrays(path, **{name: np.array(text)})).startswith(f"{name}: expected ")


@pytest.mark.parametrize("value", [np.int64(3), np.array(["{}"]), np.array(b"{}")])
def test_json_must_be_in_a_text_array(path: Path, value: Any) -> None:
    assert refusal(with_arrays(path, config=value)).startswith("config: expected ")


@pytest.mark.parametrize("origin", [{}, {"path": "x"}, {"path": 5, "hash": "x"}, {"hash": "x"}])
def test_the_data_must_be_a_path_and_a_hash(path: Path, origin: dict[str, Any]) -> None:
    assert refusal(with_arrays(path, data=json.dumps(origin))).startswith("data: expected ")


@pytest.mark.parametrize(
    "names",
    [
        np.array(["0", "1"]),
        np.array(["0", "1", "2", "3"]),
        np.array([["0", "1", "2"]]),
        np.array([0, 1, 2]),
        np.array([b"0", b"1", b"2"]),
        np.array("012"),
    ],
)
def test_class_names_must_be_one_text_per_output(path: Path, names: np.ndarray) -> None:
    assert refusal(with_arrays(path, class_names=names)).startswith("class_names: expected ")


@pytest.mark.parametrize(
    "network",
    [
        None,
        5,
        {},
        {"layer_sizes": None},
        {"layer_sizes": []},
        {"layer_sizes": [784]},
        {"layer_sizes": [100, 3]},
        {"layer_sizes": [784, 0, 3]},
        {"layer_sizes": [784, -2, 3]},
        {"layer_sizes": [784, 2.0, 3]},
        {"layer_sizes": [784, True, 3]},
        {"layer_sizes": [784, "2", 3]},
        {"layer_sizes": {"784": 3}},
        {"layer_sizes": [784, 10**30, 3]},
        {"layer_sizes": [784, 2, 3], "activation": "swish"},
        {"layer_sizes": [784, 2, 3], "activation": ["sigmoid"]},
        {"layer_sizes": [784, 2, 3], "activation": "sigmoid", "output": 5},
    ],
)
def test_an_impossible_network_is_refused(path: Path, network: Any) -> None:
    config = random_checkpoint().config | {"network": network}
    assert refusal(with_arrays(path, config=json.dumps(config)))


def test_an_unknown_cost_is_refused(path: Path) -> None:
    config = json.dumps(random_checkpoint().config | {"cost": "hinge"})
    assert refusal(with_arrays(path, config=config)).startswith(
        "config: expected known activation, output and cost"
    )


def test_another_preparation_is_refused(path: Path) -> None:
    message = refusal(with_arrays(path, preparation="upside-down-1"))
    assert (
        message
        == f"preparation: expected {PREPARATION}, found 'upside-down-1'; train the model again"
    )


# Archives that NumPy does not write


def test_a_header_with_a_false_size_is_refused(path: Path) -> None:
    with_member(path, "weights_0", npy("'<f4'", "(1000000, 1000000)", b"1234"))
    assert refusal(path).startswith("weights_0: its header promises 4,000,000,000,000 bytes")


def test_an_archive_that_would_unpack_to_gigabytes_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", bytes(200 << 20))
    assert refusal(path).startswith("expected at most ")


def test_a_duplicate_array_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("biases_0.npy", npy("'<f4'", "(2,)", bytes(8)))
    assert refusal(path) == "expected each array once, found 'biases_0' twice"


INVALID_MEMBERS = {
    "nothing": b"",
    "text": b"hello",
    "a byte too few": npy("'<f4'", "(2,)", bytes(7)),
    "a byte too many": npy("'<f4'", "(2,)", bytes(9)),
    "negative length": npy("'<f4'", "(-1,)"),
    "broken length": npy("'<f4'", "(2.0,)", bytes(8)),
    "no shape": npy("'<f4'", "2", bytes(8)),
    "unknown type": npy("'nonsense'", "(2,)", bytes(8)),
    "objects": npy("'|O'", "(2,)", bytes(16)),
    "text without room": npy("'<U0'", "(3,)"),
    "bytes without room": npy("'|V0'", "(2,)"),
    "arrays in an array": npy("'(2,)<f4'", "(1,)", bytes(8)),
    "records": npy("[('a', '<f4')]", "(2,)", bytes(8)),
    "records of objects": npy("[('a', '|O')]", "(2,)", bytes(16)),
    "code": npy("__import__('os')", "(2,)", bytes(8)),
    "deep nesting": npy("'<f4'", "(" * 500 + ")" * 500, bytes(8)),
    "seventy dimensions": npy("'<f4'", "(" + "1, " * 70 + ")", bytes(4)),
    "a length of 5000 figures": npy("'<f4'", f"({'9' * 5000},)", bytes(4)),
    "no numbers in huge rows": npy("'<f4'", f"(0, {2**70})"),
    "a long header": npy("'<f4'", "(2,)" + " " * 20_000, bytes(8)),
}


@pytest.mark.parametrize("kind", INVALID_MEMBERS)
@pytest.mark.parametrize("name", ["biases_0", "class_names"])
def test_an_invalid_array_is_refused(path: Path, name: str, kind: str) -> None:
    assert refusal(with_member(path, name, INVALID_MEMBERS[kind]))


@pytest.mark.parametrize(
    "name", ["class_names", "preparation", "config", "data", "history", "origin"]
)
def test_text_beyond_unicode_is_refused(path: Path, name: str) -> None:
    shape = "(3,)" if name == "class_names" else "()"
    data = b"\xff\xff\xff\xff" * (3 if name == "class_names" else 1)
    assert refusal(with_member(path, name, npy("'<U1'", shape, data)))


@pytest.mark.parametrize("method", [1, 8, 9, 12, 14, 93, 95, 99, 255])
def test_another_compression_method_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "packed.npz"
    save_checkpoint(str(path), random_checkpoint(hidden=20))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2", 0, data.rindex(b"weights_0.npy"))
    data[at + 10] = method
    path.write_bytes(data)
    assert refusal(path)


def test_encrypted_arrays_are_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    assert refusal(path)


def test_every_flipped_byte_of_the_directory_is_refused_or_harmless(path: Path) -> None:
    """Each entry has the same fields: over the entries, each field gets each of the flips."""
    good = path.read_bytes()
    for at in range(good.index(b"PK\1\2"), len(good)):
        check_flipped_byte(path, good, at, (0x01, 0x0E, 0x80, 0xFF)[at % 4])


@pytest.fixture(scope="module")
def any_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    file = tmp_path_factory.mktemp("any") / "any.npz"
    save_checkpoint(str(file), random_checkpoint(hidden=1))
    return file, file.read_bytes()


@settings(max_examples=300)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_flipped_byte_is_refused_or_harmless(
    any_file: tuple[Path, bytes], place: float, flip: int
) -> None:
    path, good = any_file
    check_flipped_byte(path, good, int(place * len(good)), flip)


@settings(max_examples=200)
@given(data=st.binary(max_size=300), at=st.integers(0, 400), whole=st.booleans())
def test_any_bytes_for_an_array_are_refused_or_harmless(
    any_file: tuple[Path, bytes], data: bytes, at: int, whole: bool
) -> None:
    path, good = any_file
    path.write_bytes(good)
    with zipfile.ZipFile(path) as archive:
        old = archive.read("class_names.npy")
    with_member(path, "class_names", data if whole else old[:at] + data + old[at + len(data) :])
    load_or_refuse(path)


def check_flipped_byte(path: Path, good: bytes, at: int, flip: int) -> None:
    data = bytearray(good)
    data[at] ^= flip
    path.write_bytes(data)
    load_or_refuse(path)


def load_or_refuse(path: Path) -> None:
    message = f"{path}: "
    try:
        assert isinstance(load_checkpoint(path, with_state=True), Checkpoint)
    except CheckpointError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")


def test_a_disk_error_is_not_reported_as_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", fail)
    with pytest.raises(CheckpointError, match=r"good\.npz: cannot be read: Input/output error$"):
        load_checkpoint(path)


# Owner, group and mode of a rewritten file

OTHER, SHARED = 65534, 12345  # a user and a group besides root's


def access(path: Path) -> tuple[int, int, int]:
    """Return owner, group and mode of a file."""
    status = path.stat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@pytest.fixture
def with_access(path: Path) -> Callable[[int, int, int], Path]:
    """A function that sets owner, group and mode of a checkpoint; skips unless run by root."""

    def with_access(owner: int, group: int, mode: int) -> Path:
        try:
            os.chown(path, owner, group)
        except PermissionError:
            pytest.skip("only root may change owners")
        path.chmod(mode)
        return path

    return with_access


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_a_rewritten_file_keeps_its_mode(path: Path, mode: int) -> None:
    path.chmod(mode)
    save_checkpoint(str(path), random_checkpoint())
    assert access(path)[2] == mode


@pytest.mark.parametrize(("owner", "group"), [(OTHER, SHARED), (0, SHARED), (OTHER, 0)])
def test_a_file_rewritten_by_root_keeps_owner_and_group(
    with_access: Callable[[int, int, int], Path], owner: int, group: int
) -> None:
    path = with_access(owner, group, 0o640)
    save_checkpoint(str(path), random_checkpoint())
    assert access(path) == (owner, group, 0o640)


@pytest.mark.parametrize(
    ("mode", "groups", "kept"),
    [
        (0o640, [SHARED], (OTHER, SHARED, 0o640)),  # the writer is in the old group
        (0o6770, [SHARED], (OTHER, SHARED, 0o770)),
        (0o640, [], (OTHER, OTHER, 0o600)),  # the writer's own group did not have access
        (0o664, [], (OTHER, OTHER, 0o644)),
        (0o604, [], (OTHER, OTHER, 0o600)),  # the old group did not have access
        (0o2755, [], (OTHER, OTHER, 0o755)),
    ],
)
def test_a_file_rewritten_by_another_user_gives_access_to_nobody_new(
    with_access: Callable[[int, int, int], Path],
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    groups: list[int],
    kept: tuple[int, int, int],
) -> None:
    chown = os.fchown

    def fchown(descriptor: int, owner: int, group: int) -> None:
        """Change the owner as far as the system allows a user who is not root."""
        if owner not in (-1, OTHER) or group not in (-1, OTHER, *groups):
            raise PermissionError(1, "Operation not permitted")
        chown(descriptor, owner, group)

    def open_as_user(path: str, flags: int) -> int:
        """Open a new file as that user."""
        descriptor = os.open(path, flags, 0o600)
        chown(descriptor, OTHER, OTHER)
        return descriptor

    path = with_access(0, SHARED, mode)
    monkeypatch.setattr("digitnet.paths.os.fchown", fchown)
    monkeypatch.setattr("digitnet.paths._open_private", open_as_user)
    save_checkpoint(str(path), random_checkpoint())
    assert access(path) == kept


def test_a_private_file_is_private_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.chmod(0o600)
    modes = []
    monkeypatch.setattr(
        "digitnet.paths._copy_access",
        lambda descriptor, _: modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode)),
    )
    save_checkpoint(str(path), random_checkpoint())
    assert modes == [0o600]


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1"), ("1", "01"), ("caf\u00e9", "cafe\u0301")], ids=ascii
)
def test_class_names_with_the_same_answer_are_refused(path: Path, one: str, other: str) -> None:
    message = refusal(with_arrays(path, class_names=np.array([one, "2", other])))
    found = f"found {one!r} and {other!r}"
    assert message == f"class_names: expected a different answer for each class, {found}"


def save_with_classes(path: Path, classes: int) -> None:
    sizes = [784, 1, classes]
    config = msgspec.to_builtins(
        to_config({"data": {"path": "/"}, "network": {"layer_sizes": sizes}})
    )
    names = tuple(map(str, range(classes)))
    save_checkpoint(str(path), Checkpoint(Network(sizes), config, names, "/", "abc", []))


def test_too_many_classes_are_refused(path: Path) -> None:
    save_with_classes(path, MAX_CLASSES)
    assert len(load_checkpoint(path).class_names) == MAX_CLASSES
    save_with_classes(path, MAX_CLASSES + 1)
    assert refusal(path) == "class_names: expected at most 10,000 names, found 10,001"


def test_a_class_name_is_at_most_as_long_as_a_folders(path: Path) -> None:
    load_checkpoint(with_arrays(path, class_names=np.array(["0", "1", "x" * 255])))
    message = refusal(with_arrays(path, class_names=np.array(["0", "1", "x" * 256])))
    assert message == "class_names: expected names of at most 255 characters, found a name of 256"
