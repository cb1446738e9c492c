"""The installed `digitnet predict`."""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DIGITNET, ENVIRONMENT, REPOSITORY, Popen, Run, read_mnist
from PIL import Image, ImageDraw

from digitnet.image.workers import worker_count
from digitnet.model.locations import SHIPPED

KEYS = {"path", "digit", "confidence", "probabilities", "evidence", "model"}


@pytest.fixture
def seven(pictures: Path) -> Path:
    return pictures / "00.png"


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    Image.new("L", (40, 40), 255).save(tmp_path / "blank.png")
    return tmp_path / "blank.png"


@pytest.fixture
def folder(tmp_path: Path, seven: Path, model: Path) -> Path:
    """A working directory with 7.png and model.npz."""
    shutil.copy(seven, tmp_path / "7.png")
    shutil.copy(model, tmp_path / "model.npz")
    return tmp_path


def lines_of(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# Answers


def test_a_picture_is_one_line_of_name_digit_and_confidence(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    name, digit, confidence = done.stdout.decode().removesuffix("\n").split("\t")
    assert (name, digit) == ("7.png", "7")
    assert 0.5 < float(confidence) <= 1


def test_answers_come_in_the_order_of_the_arguments(run: Run, model: Path, pictures: Path) -> None:
    paths = sorted(pictures.iterdir(), reverse=True)
    done = run("predict", "-m", model, *paths)
    assert done.returncode == 0
    names = [line.split(b"\t")[0] for line in done.stdout.splitlines()]
    assert names == [os.fsencode(path) for path in paths]


def test_most_answers_are_right(run: Run, model: Path, pictures: Path) -> None:
    _, labels = read_mnist("t10k", 20)
    done = run("predict", "-m", model, *sorted(pictures.iterdir()), "--format", "json")
    digits = [line["digit"] for line in lines_of(done.stdout)]
    assert sum(digit == label for digit, label in zip(digits, labels)) >= 15


def test_the_pictures_of_the_project_are_read(run: Run, model: Path) -> None:
    paths = sorted((REPOSITORY / "data" / "pictures").glob("[fs]*.png"))
    assert [path.name for path in paths] == ["four.png", "seven.png"]
    done = run("predict", "-m", model, *paths)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.splitlines()) == 2


def test_a_line_of_json_has_the_documented_keys(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "--format", "json", cwd=folder)
    (line,) = lines_of(done.stdout)
    assert line.keys() >= KEYS
    assert (line["path"], line["digit"], line["model"]) == ("7.png", 7, "model.npz")
    assert len(line["probabilities"]) == 10
    assert sum(line["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert line["confidence"] == max(line["probabilities"]) == line["probabilities"][7]
    assert line["doubt"] is None
    assert line["box"].keys() == {"top", "left", "bottom", "right"}
    assert line["decisions"].keys() == {"dark", "threshold", "stroke", "corner", "digits", "prior"}
    assert (line["decisions"]["dark"], line["decisions"]["digits"]) == (False, 1)


def test_too_little_evidence_gives_a_question_mark(run: Run, folder: Path) -> None:
    with np.load(folder / "model.npz") as file:
        arrays = dict(file)
    np.savez(folder / "strict.npz", **arrays | {"min_evidence": np.float64(80)})
    command = "predict", "-m", "strict.npz", "7.png"
    (line,) = lines_of(run(*command, "--format", "json", cwd=folder).stdout)
    assert line["digit"] is None
    assert float(arrays["min_confidence"]) < line["confidence"]
    assert float(arrays["min_evidence"]) < line["evidence"] < 80
    for least, digit in ((0, b"7"), (0.001, b"7"), (1, b"?")):
        done = run(*command, "--min-confidence", str(least), cwd=folder)
        assert done.stdout.split(b"\t")[1] == digit


def test_json_and_text_give_the_same_answers(run: Run, model: Path, pictures: Path) -> None:
    paths = sorted(pictures.iterdir())
    text = run("predict", "-m", model, *paths).stdout.decode().splitlines()
    objects = lines_of(run("predict", "-m", model, *paths, "--format", "json").stdout)
    digits = ["?" if o["digit"] is None else o["digit"] for o in objects]
    assert text == [f"{o['path']}\t{d}\t{o['confidence']:.4f}" for o, d in zip(objects, digits)]


def test_top_3_gives_three_pairs(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "--top", "3", cwd=folder)
    name, *pairs = done.stdout.decode().split("\t")
    assert name == "7.png"
    assert len(pairs) == 6
    confidences = [float(confidence) for confidence in pairs[1::2]]
    assert confidences == sorted(confidences, reverse=True)
    assert pairs[0] == "7"
    assert len(set(pairs[::2])) == 3


def test_top_is_limited_to_the_number_of_classes(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "--top", "99", cwd=folder)
    assert len(done.stdout.split(b"\t")) == 1 + 2 * 10


def test_top_in_json_keeps_the_documented_keys(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "--top", "2", "--format", "json", cwd=folder)
    (line,) = lines_of(done.stdout)
    assert line.keys() >= KEYS
    assert line["digit"] == 7


def test_below_min_confidence_the_digit_is_a_question_mark(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "--min-confidence", "1", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"7.png\t?\t0.")


def test_below_min_confidence_the_digit_is_null_in_json(run: Run, folder: Path) -> None:
    arguments = ("--min-confidence", "1", "--format", "json")
    done = run("predict", "7.png", *arguments, cwd=folder)
    assert done.returncode == 0
    (line,) = lines_of(done.stdout)
    assert line["digit"] is None
    assert line["confidence"] == max(line["probabilities"])


def test_at_min_confidence_the_digit_is_given(run: Run, folder: Path) -> None:
    (line,) = lines_of(run("predict", "7.png", "--format", "json", cwd=folder).stdout)
    arguments = ("7.png", "--min-confidence", repr(line["confidence"]))
    assert run("predict", *arguments, cwd=folder).stdout.split(b"\t")[1] == b"7"


def test_verbose_says_why_there_is_no_digit(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "-v", "--min-confidence", "1", cwd=folder)
    _, why = done.stderr.decode().splitlines()
    confidence = done.stdout.decode().split()[2]
    assert why == f"7.png: expected a confidence of 1.0000 or more, found {confidence}"


def test_verbose_reports_too_little_evidence(run: Run, folder: Path) -> None:
    arrays = dict(np.load(folder / "model.npz"))
    arrays |= {"min_confidence": np.float64(0.0001), "min_evidence": np.float64(88.0)}
    np.savez(folder / "strict.npz", **arrays)
    done = run("predict", "7.png", "-v", "-m", "strict.npz", "--format", "json", cwd=folder)
    (line,) = lines_of(done.stdout)
    found = f"{line['evidence']:.2f}"
    assert done.stderr.decode().splitlines()[1:] == [
        f"7.png: expected evidence of 88.00 or more, found {found}"
    ]


def test_verbose_names_the_model_on_stderr(run: Run, folder: Path) -> None:
    quiet, verbose = (run("predict", "7.png", *v, cwd=folder) for v in ([], ["-v"]))
    assert verbose.stderr == b"model model.npz\n"
    assert verbose.stdout == quiet.stdout


# Pipes


def test_a_picture_is_read_from_stdin(run: Run, model: Path, seven: Path) -> None:
    done = run("predict", "-m", model, "-", input=seven.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"-\t7\t")


def test_a_picture_on_stdin_can_be_one_of_several(run: Run, model: Path, seven: Path) -> None:
    done = run("predict", "-m", model, seven, "-", seven, input=seven.read_bytes())
    assert [line.split(b"\t")[1] for line in done.stdout.splitlines()] == [b"7"] * 3


def test_a_list_is_read_from_stdin(run: Run, model: Path, pictures: Path) -> None:
    names = "".join(f"{pictures}/{name}.png\n" for name in ("00", "01", "02"))
    done = run("predict", "-m", model, "--files-from", "-", input=names.encode())
    assert [line.split(b"\t")[0][-6:] for line in done.stdout.splitlines()] == [
        b"00.png",
        b"01.png",
        b"02.png",
    ]


@pytest.mark.parametrize(
    "names", [b"7.png", b"\n7.png\n\n", b"\r\n7.png\r\n", b"7.png\r", b"\xef\xbb\xbf7.png\n"]
)
def test_lists_may_have_any_line_ends_and_empty_lines(run: Run, folder: Path, names: bytes) -> None:
    done = run("predict", "--files-from", "-", input=names, cwd=folder)
    assert done.returncode == 0
    assert done.stdout.startswith(b"7.png\t7\t")
    assert len(done.stdout.splitlines()) == 1


def test_nul_terminated_names_may_contain_any_other_byte(run: Run, folder: Path) -> None:
    names = [b"new\nline.png", b"tab\t.png", b"caf\xe9.png", b" .png", b"-1.png"]
    for name in names:
        shutil.copy(folder / "7.png", os.fsencode(folder) + b"/" + name)
    done = run(
        *("predict", "--files-from", "-", "-0", "--format", "json"),
        input=b"".join(name + b"\0" for name in names),
        cwd=folder,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    answers = lines_of(done.stdout)
    assert [os.fsencode(answer["path"]) for answer in answers] == names
    assert [answer["digit"] for answer in answers] == [7] * 5


def test_a_list_comes_after_the_arguments(run: Run, folder: Path) -> None:
    (folder / "list").write_text("7.png\n7.png\n")
    done = run("predict", "./7.png", "--files-from", "list", cwd=folder)
    names = [line.split(b"\t")[0] for line in done.stdout.splitlines()]
    assert names == [b"./7.png", b"7.png", b"7.png"]


def test_an_empty_list_has_no_answers(run: Run, folder: Path) -> None:
    done = run("predict", "--files-from", "-", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.usefixtures("impatient")
def test_each_answer_is_printed_before_the_next_name_arrives(popen: Popen, folder: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with popen("predict", "--files-from", "-", **pipes, cwd=folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(b"7.png\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(b"7.png\t7\t")
        process.stdin.close()
    assert process.returncode == 0


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a bash command in which $digitnet is the installed command."""
    env = {**ENVIRONMENT, "digitnet": str(DIGITNET)}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, check=False, cwd=folder, env=env, timeout=60
    )


def test_a_closed_pipe_ends_it_silently(folder: Path) -> None:
    many = "$(yes 7.png | head -3000)"
    done = shell(f'"$digitnet" predict {many} | head -1; exit ${{PIPESTATUS[0]}}', folder)
    assert done.stdout.startswith(b"7.png\t7\t")
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_full_disk_is_reported(folder: Path) -> None:
    done = shell('"$digitnet" predict 7.png >/dev/full', folder)
    assert done.returncode == 1
    assert done.stderr == b"standard output: No space left on device\n"


@pytest.mark.parametrize("arguments", ["predict 7.png >&-", "predict - <&-", "predict x 2>&-"])
def test_a_closed_stream_is_no_traceback(folder: Path, arguments: str) -> None:
    done = shell(f'"$digitnet" {arguments}', folder)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


# Thousands of pictures


def test_many_pictures_and_errors_are_answered_in_order(run: Run, folder: Path) -> None:
    names = ["none.png" if n % 100 == 7 else "7.png" for n in range(1000)]  # in 32 chunks
    (folder / "list").write_text("\n".join(names))
    done = run("predict", "--files-from", "list", "--format", "json", cwd=folder)
    assert done.returncode == 1
    assert [line["path"] for line in lines_of(done.stdout)] == names
    assert done.stderr == b"none.png: no such file\n" * 10
    both = shell('"$digitnet" predict --files-from list 2>&1', folder).stdout.splitlines()
    assert [line[:4] for line in both] == [name[:4].encode() for name in names]
    assert len({line for line in both if line.startswith(b"7")}) == 1


def peak_memory(popen: Popen, n: int, folder: Path) -> int:
    """Return the peak memory in kB of answering 300 pictures and n missing names from a pipe.

    That of `wait4` would include the memory of pytest, from which the process was forked.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with popen("predict", "--files-from", "-", **pipes, cwd=folder) as process:
        process.stdin.write(b"7.png\n" * 300 + b"none.png\n" * n + b"7.png\n")
        process.stdin.flush()
        for _ in range(301):
            assert process.stdout.readline().startswith(b"7.png\t7\t")
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.stdin.close()
    assert process.returncode == 1
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1])


def test_memory_does_not_grow_with_the_list(popen: Popen, folder: Path) -> None:
    few, many = (peak_memory(popen, n, folder) for n in (10_000, 30_000))
    assert many < few + 4_000


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM", "SIGKILL", "closed pipe"])
def test_it_stops_at_once_with_all_its_processes(popen: Popen, folder: Path, stop: str) -> None:
    with (
        subprocess.Popen(["yes", "7.png"], stdout=subprocess.PIPE) as names,
        popen(
            *("predict", "--files-from", "-"),
            stdin=names.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            process_group=0,
        ) as process,
    ):
        assert names.stdout is not None
        assert process.stdout is not None
        names.stdout.close()
        workers: list[int] = []
        expected_workers = worker_count() if worker_count() > 1 else 0
        assert process.stdout.readline().startswith(b"7.png\t7\t")
        while len(workers) < expected_workers:
            assert process.stdout.readline().startswith(b"7.png\t7\t")
            workers = children(process.pid)
        if stop == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        elif stop == "closed pipe":
            process.stdout.close()
        else:
            process.send_signal(signal.Signals[stop])
        expected = {"SIGINT": 130, "SIGTERM": -15, "SIGKILL": -9, "closed pipe": 141}[stop]
        assert process.wait() == expected
        assert process.stderr is not None
        assert process.stderr.read() == b""
        while any(map(is_running, workers)):
            time.sleep(0.01)


# Unreadable pictures


def test_a_process_of_its_own_loads_all_it_needs(
    run: Run, tmp_path: Path, config_file: Path
) -> None:
    with Image.open(REPOSITORY / "data" / "pictures" / "seven.png") as seven:
        for ending in ("png", "jpg", "tif", "webp", "bmp", "gif"):
            seven.convert("L").save(tmp_path / f"seven.{ending}")
    done = run("predict", "-m", SHIPPED, tmp_path, fresh=True)
    assert [line.split(b"\t")[1] for line in done.stdout.splitlines()] == [b"7"] * 6
    numbers = REPOSITORY / "data" / "pictures" / "numbers.png"
    done = run("predict", "-m", SHIPPED, "--digits", "any", numbers, fresh=True)
    assert done.stdout.split(b"\t")[1] == b"8134 2207 0519"
    options = "training.epochs=1", "--set", "augment.elastic=20", "--set", "training.background=0.1"
    done = run("train", "--config", config_file, "--set", *options, "-q", fresh=True)
    assert (done.returncode, done.stderr) == (0, b"")
    done = run("evaluate", "-m", tmp_path / "model.npz", "--format", "json", fresh=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["images"] == 500


def test_a_bad_picture_among_good_ones_does_not_stop_them(run: Run, folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    done = run("predict", "7.png", "bad.png", "none.png", "7.png", cwd=folder)
    assert done.returncode == 1
    assert [line.split(b"\t")[:2] for line in done.stdout.splitlines()] == [[b"7.png", b"7"]] * 2
    bad, missing = done.stderr.splitlines()
    found = b"found a damaged file or a format that Pillow cannot read; convert it to PNG"
    assert bad == b"bad.png: expected a picture, " + found
    assert missing == b"none.png: no such file"


def test_a_bad_picture_is_an_error_line_in_json(run: Run, folder: Path) -> None:
    done = run("predict", "none.png", "7.png", "--format", "json", cwd=folder)
    assert done.returncode == 1
    bad, good = lines_of(done.stdout)
    assert bad == {"path": "none.png", "error": "no such file"}
    assert good["digit"] == 7
    assert done.stderr == b"none.png: no such file\n"


def test_a_picture_without_ink_is_an_error(run: Run, model: Path, blank: Path) -> None:
    done = run("predict", "-m", model, blank)
    assert (done.returncode, done.stdout) == (1, b"")
    advice = "crop closer to the digit, or photograph it with more light and contrast"
    assert done.stderr == f"{blank}: expected a digit, found no ink; {advice}\n".encode()


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"])
def test_bad_bytes_on_stdin_are_one_line(run: Run, model: Path, data: bytes) -> None:
    done = run("predict", "-m", model, "-", input=data)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"-: expected a ")
    assert len(done.stderr.splitlines()) == 1


def test_a_truncated_picture_is_one_line(run: Run, model: Path, seven: Path) -> None:
    done = run("predict", "-m", model, "-", input=seven.read_bytes()[:150])
    assert (done.returncode, done.stdout) == (1, b"")
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_a_picture_that_pillow_warns_about_is_answered_silently(run: Run, folder: Path) -> None:
    chunk = b"acTL" + bytes(8)  # of a film without frames
    chunk = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    content = (folder / "7.png").read_bytes()
    (folder / "film.png").write_bytes(content[:33] + chunk + content[33:])  # after the header
    with pytest.warns(UserWarning, match="Invalid APNG"), Image.open(folder / "film.png"):
        pass
    done = run("predict", "film.png", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"film.png\t7\t")


@pytest.mark.parametrize("name", ["empty", "/dev/null", "7.png/x", "", "x" * 5000])
def test_a_path_that_is_not_a_file_is_one_line(run: Run, folder: Path, name: str) -> None:
    (folder / "empty").mkdir()
    done = run("predict", name, cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(name[:400].encode() + b": " * (len(name) < 400))
    assert len(done.stderr.splitlines()) == 1


def test_what_is_found_instead_of_a_picture_is_reported(run: Run, folder: Path) -> None:
    (folder / "empty" / "of-pictures").mkdir(parents=True)
    (folder / "full").mkdir()
    (folder / "full" / "7.png").write_bytes((folder / "7.png").read_bytes())
    (folder / "none.png").touch()
    names = b"empty\nfull\nnone.png\n/dev/null\n"
    done = run("predict", "empty", "full", "--files-from", "-", cwd=folder, input=names)
    assert (done.returncode, done.stdout.split(b"\t")[:2]) == (1, [b"full/7.png", b"7"])
    assert done.stderr.decode().splitlines() == [
        "empty: expected a picture, found a folder without pictures",
        "empty: expected a picture, found a folder without pictures",
        "full: expected a picture, found a folder",
        "none.png: expected a picture, found no bytes",
        "/dev/null: expected a picture, found something that is not a file",
    ]


@pytest.mark.parametrize(
    ("names", "example"),
    [
        (
            ("train-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz"),
            "train-images-idx3-ubyte.gz",
        ),
        (("y_train.npy", "x_train.npy"), "x_train.npy"),
        (("labels.npy",), "labels.npy"),
        (("notes.txt", "test.CSV"), "test.CSV"),
    ],
)
def test_a_folder_of_data_names_a_file_and_evaluate(
    run: Run, tmp_path: Path, names: tuple[str, ...], example: str
) -> None:
    (tmp_path / "data").mkdir()
    for name in names:
        (tmp_path / "data" / name).touch()
    done = run("predict", "data", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"data: expected pictures, found a folder of data; name its files, such as data/{example}, "
        "or, for the accuracy, use digitnet evaluate --data data\n"
    )


def test_an_unreadable_stdin_is_reported_and_other_pictures_are_answered(folder: Path) -> None:
    for arguments, answers in ((("-", "7.png"), 1), (("7.png", "--files-from", "-"), 1)):
        command = [DIGITNET, "predict", *arguments]
        with open(folder / "written", "wb") as file:
            done = subprocess.run(command, stdin=file, capture_output=True, cwd=folder, check=False)
        assert (done.returncode, len(done.stdout.splitlines())) == (1, answers)
        assert done.stderr == b"-: Bad file descriptor\n"


def test_a_closed_stdin_is_reported_and_other_pictures_are_answered(folder: Path) -> None:
    done = shell('"$digitnet" predict - 7.png <&-', folder)
    assert done.stdout.startswith(b"7.png\t7\t")
    assert (done.returncode, done.stderr) == (1, b"-: standard input is closed\n")


def test_an_empty_model_name_is_an_error(run: Run, folder: Path) -> None:
    done = run("predict", "-m", "", "7.png", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b": no such file; ")


def test_a_file_longer_than_its_size_is_one_line(run: Run, folder: Path) -> None:
    done = run("predict", "/proc/self/pagemap", "7.png", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.startswith(b"7.png\t7\t")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_list_is_one_line(run: Run, folder: Path) -> None:
    done = run("predict", "7.png", "--files-from", "none", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.startswith(b"7.png\t7\t")
    assert done.stderr == b"none: no such file\n"


# Names


NAMES = [
    (b"new\nline.png", rb"new\nline.png"),
    (b"tab\t.png", rb"tab\t.png"),
    (b"\x1b[31mred.png", rb"\x1b[31mred.png"),
    (b"bell\x07\x7f.png", rb"bell\x07\x7f.png"),
    (b"\xc2\x9b31m.png", rb"\x9b31m.png"),
    (b"\x9b31m.png", rb"\x9b31m.png"),
    ("\u202egnp.7".encode(), rb"\u202egnp.7"),
    ("\u200f7.png".encode(), rb"\u200f7.png"),
    ("line\u2028.png".encode(), rb"line\u2028.png"),
    (b"caf\xe9.png", b"caf\xe9.png"),
    ("früh 7 😀.png".encode(), "früh 7 😀.png".encode()),
]


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_control_characters_in_names_are_escaped(
    run: Run, folder: Path, name: bytes, shown: bytes
) -> None:
    shutil.copy(folder / "7.png", os.fsencode(folder) + b"/" + name)
    done = run("predict", name, cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\n")
    assert done.stdout[:-1].split(b"\t")[:2] == [shown, b"7"]
    assert b"\n" not in done.stdout[:-1]


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_control_characters_in_errors_are_escaped(
    run: Run, folder: Path, name: bytes, shown: bytes
) -> None:
    done = run("predict", name, cwd=folder)
    assert done.returncode == 1
    assert done.stderr == shown + b": no such file\n"


@pytest.mark.parametrize(("name", "_shown"), NAMES)
def test_json_keeps_names_unchanged(run: Run, folder: Path, name: bytes, _shown: bytes) -> None:
    done = run("predict", name, "--format", "json", cwd=folder)
    (line,) = lines_of(done.stdout)
    assert os.fsencode(line["path"]) == name
    assert done.stdout.isascii()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_are_printed_unchanged_in_any_locale(run: Run, folder: Path, locale: str) -> None:
    done = run("predict", b"caf\xc3\xa9\xff.png", cwd=folder, env={"LC_ALL": locale})
    assert done.returncode == 1
    assert done.stderr == b"caf\xc3\xa9\xff.png: no such file\n"


# Which model


def test_the_model_of_the_environment_is_used(run: Run, seven: Path, model: Path) -> None:
    done = run("predict", seven, "-v", cwd=seven.parent, env={"DIGITNET_MODEL": str(model)})
    assert done.returncode == 0
    assert done.stderr == f"model {model}\n".encode()


def test_the_named_model_wins_over_the_environment(run: Run, seven: Path, model: Path) -> None:
    env = {"DIGITNET_MODEL": "/nowhere.npz"}
    done = run("predict", "-m", model, seven, env=env)
    assert done.returncode == 0


def test_the_shipped_model_has_a_name(run: Run, folder: Path) -> None:
    (folder / "shipped").write_bytes(b"hello")
    for options in ({"env": {"DIGITNET_MODEL": "shipped"}}, {}):
        words = ("-m", "shipped") if not options else ()
        done = run("predict", "-v", *words, "7.png", cwd=folder, **options)
        assert done.returncode == 0
        assert done.stderr.endswith(b"/digitnet/model.npz\n")
    done = run("predict", "-m", "./shipped", "7.png", cwd=folder)
    assert done.stderr.startswith(b"./shipped: expected an .npz archive")


def test_json_names_the_hash_of_the_model(run: Run, folder: Path) -> None:
    digest = hashlib.sha256((folder / "model.npz").read_bytes()).hexdigest()
    for mode in ("1", "any"):
        done = run("predict", "--digits", mode, "--format", "json", "7.png", "7.png", cwd=folder)
        assert [line["model_sha256"] for line in lines_of(done.stdout)] == [digest] * 2


def test_a_missing_model_is_one_line(run: Run, folder: Path) -> None:
    done = run("predict", "-m", "none.npz", "7.png", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"none.npz: no such file; 'shipped' is the model that ships\n"


def test_without_another_model_the_shipped_one_answers(run: Run, seven: Path) -> None:
    done = run("predict", "-v", seven, cwd=seven.parent)
    assert done.returncode == 0
    assert done.stdout.split(b"\t")[1] == b"7"
    assert done.stderr.endswith(b"/digitnet/model.npz\n")


BAD_MODELS = {
    "text": b"hello",
    "empty": b"",
    "pickle": b"cos\nsystem\n(S'touch sprung'\ntR.",
    "half a zip": b"PK\3\4",
}


@pytest.mark.parametrize("kind", BAD_MODELS)
def test_a_file_that_is_not_a_model_is_one_line(run: Run, folder: Path, kind: str) -> None:
    (folder / "bad.npz").write_bytes(BAD_MODELS[kind])
    done = run("predict", "-m", "bad.npz", "7.png", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"bad.npz: expected ")
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "sprung").exists()


def test_a_truncated_model_is_one_line(run: Run, folder: Path) -> None:
    whole = (folder / "model.npz").read_bytes()
    (folder / "model.npz").write_bytes(whole[: len(whole) // 2])
    done = run("predict", "7.png", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"model.npz: expected ")
    assert len(done.stderr.splitlines()) == 1


def test_a_model_of_nan_is_one_line(run: Run, folder: Path) -> None:
    with np.load(folder / "model.npz") as file:
        arrays = dict(file)
    arrays["weights_1"] = arrays["weights_1"] * np.float32(np.nan)
    np.savez(folder / "model.npz", **arrays)
    done = run("predict", "7.png", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"model.npz: weights_1: expected finite numbers, found NaN or infinity\n"


@pytest.mark.parametrize("name", ["none.npz", ".", "/dev/zero", "7.png", "\udcff.npz"])
def test_a_model_path_without_a_model_is_one_line(run: Run, folder: Path, name: str) -> None:
    done = run("predict", "-m", name, "7.png", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(os.fsencode(name) + b": ")
    assert len(done.stderr.splitlines()) == 1


def test_huge_weights_give_an_answer(run: Run, folder: Path) -> None:
    with np.load(folder / "model.npz") as file:
        arrays = dict(file)
    for name in ("weights_0", "weights_1"):
        arrays[name] = np.full_like(arrays[name], 3e38)
    np.savez(folder / "model.npz", **arrays)
    done = run("predict", "7.png", "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sum(lines_of(done.stdout)[0]["probabilities"]) == pytest.approx(1)


@pytest.mark.parametrize("name", ["1" * 5000, "\ud800", "\x1b[31m\n", ""])
def test_any_class_name_gives_an_answer_or_an_error(run: Run, folder: Path, name: str) -> None:
    with np.load(folder / "model.npz") as file:
        arrays = dict(file)
    arrays["class_names"] = np.array([f"{name}{number}" for number in range(10)])
    np.savez(folder / "model.npz", **arrays)
    for form in ("text", "json"):
        done = run("predict", "7.png", "--format", form, cwd=folder)
        assert done.returncode in (0, 1)
        assert len(done.stdout.splitlines() + done.stderr.splitlines()) == 1
        assert b"\x1b" not in done.stdout + done.stderr


# Folders


def test_a_folder_stands_for_all_pictures_below_it_in_order(run: Run, folder: Path) -> None:
    for name in ("scans/b.png", "scans/a.PNG", "scans/z/1.png", "scans/c/2.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "7.png", folder / name)
    for name in ("scans/.hidden.png", "scans/.git/x.png", "scans/notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no picture")
    done = run("predict", "7.png", "scans", "-", cwd=folder, input=b"none")
    names = [line.split(b"\t")[0] for line in done.stdout.splitlines()]
    below = [b"scans/a.PNG", b"scans/b.png", b"scans/c/2.png", b"scans/z/1.png"]
    assert names == [b"7.png", *below]
    assert done.stderr.startswith(b"-: ")


# Pictures without a digit


def letter(folder: Path) -> Path:
    picture = Image.new("L", (100, 100), 255)
    draw = ImageDraw.Draw(picture)
    for line in ([20, 20, 80, 80], [80, 20, 20, 80]):
        draw.line(line, 0, 8)
    picture.save(folder / "x.png")
    return folder / "x.png"


def test_a_letter_is_a_question_mark_unless_min_confidence_is_0(run: Run, folder: Path) -> None:
    arguments = ("predict", "-m", SHIPPED, letter(folder))
    assert run(*arguments).stdout.split(b"\t")[1] == b"?"
    assert run(*arguments, "--min-confidence", "0").stdout.split(b"\t")[1] != b"?"
    (line,) = lines_of(run(*arguments, "--format", "json").stdout)
    assert line["digit"] is None
    assert line["doubt"].startswith("expected ")


def test_several_digits_are_reported(run: Run, folder: Path, seven: Path) -> None:
    sevens = np.tile(np.asarray(Image.open(seven)), (1, 2))
    Image.fromarray(sevens).save(folder / "77.png")
    done = run("predict", "-m", SHIPPED, "77.png", cwd=folder)
    assert (done.returncode, done.stdout.split(b"\t")[1]) == (0, b"?")
    doubt = "expected one digit, found 2 possible digits; to read numbers, use --digits any"
    assert done.stderr == f"77.png: {doubt}\n".encode()
    (line,) = lines_of(run("predict", "77.png", "--format", "json", cwd=folder).stdout)
    assert line["doubt"] == doubt
    done = run("predict", "-m", SHIPPED, "77.png", "--min-confidence", "0", cwd=folder)
    assert (done.stdout.split(b"\t")[1] != b"?", done.stderr) == (True, b"")


def test_a_line_is_reported_with_advice(run: Run, folder: Path) -> None:
    line = np.full((300, 300), 255, np.uint8)
    line[:, 20:40] = 0
    Image.fromarray(line).save(folder / "lines.png")
    done = run("predict", "-m", SHIPPED, "lines.png", cwd=folder)
    assert (done.returncode, done.stdout.split(b"\t")[1]) == (0, b"?")
    doubt = done.stderr.decode().removeprefix("lines.png: ").removesuffix("\n")
    assert doubt.startswith(
        "expected one digit, found a line, or a part of something larger; crop "
    )
    (line,) = lines_of(run("predict", "lines.png", "--format", "json", cwd=folder).stdout)
    assert line["doubt"] == doubt


# --show


def test_show_draws_pixels_probabilities_and_decisions(run: Run, folder: Path) -> None:
    done = run("predict", "--show", "7.png", cwd=folder)
    first, *lines = done.stdout.decode().splitlines()
    assert first.startswith("7.png\t7\t")
    assert len(lines) == 14
    assert not set("".join(line[:28] for line in lines)) - set(" ▄▀█")
    assert any("█" in line[:28] for line in lines)
    assert [line[30] for line in lines[:10]] == list("0123456789")
    assert "light on dark" in lines[0]
    with np.load(folder / "model.npz") as file:
        needed = float(file["min_evidence"])
    (evidence,) = re.findall(r"evidence ([0-9.]+), needed ([0-9.]+)$", lines[6])
    assert (float(evidence[0]) > needed, evidence[1]) == (True, f"{needed:.2f}")
    assert "\x1b" not in done.stdout.decode()


# --save-prepared


def prepared_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def sources(folder: Path) -> tuple[str, ...]:
    """Arguments that name a picture, a folder, an array, stdin and a list."""
    (folder / "scans" / "7").mkdir(parents=True)
    shutil.copy(folder / "7.png", folder / "scans" / "7" / "a.PNG")
    os.link(folder / "7.png", os.fsencode(folder) + b"/caf\xe9")
    np.save(folder / "x.npy", read_mnist("t10k", 3)[0])
    (folder / "list").write_bytes(b"none.png\ncaf\xe9\n")
    return "scans", "./7.png", "x.npy", "-", "--files-from", "list"


def test_prepared_pictures_are_saved_and_the_text_stays(
    run: Run, folder: Path, sources: tuple[str, ...]
) -> None:
    picture = (folder / "7.png").read_bytes()
    plain = run("predict", *sources, input=picture, cwd=folder)
    done = run("predict", *sources, "--save-prepared", "out", input=picture, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (1, plain.stdout, plain.stderr)
    arrays = {f"x.npy#{n}.png" for n in range(3)}
    names = arrays | {"scans/7/a.PNG", "7.png", "stdin.png", "caf\udce9.png"}
    assert prepared_files(folder / "out") == names
    with Image.open(folder / "out" / "x.npy#2.png") as image:
        assert (np.array(image) == np.load(folder / "x.npy")[2]).all()


def test_json_names_the_prepared_pictures_of_a_part(
    run: Run, folder: Path, sources: tuple[str, ...]
) -> None:
    files = [source for source in sources if source != "-"]
    command = "predict", *files, "--part", "2/2", "--format", "json"
    plain = lines_of(run(*command, cwd=folder).stdout)
    answers = lines_of(run(*command, "--save-prepared", "out/", cwd=folder).stdout)
    paths = [answer.pop("prepared", None) for answer in answers]
    assert answers == plain
    names = ["x.npy#1.png", "x.npy#2.png", None, "caf\udce9.png"]
    assert paths == [name and f"out/{name}" for name in names]
    assert prepared_files(folder / "out") == set(filter(None, names))


def test_many_prepared_pictures_are_saved(run: Run, folder: Path, pictures: Path) -> None:
    names = [f"{n % 20:02}.png" for n in range(200)]  # enough for several processes
    (folder / "list").write_text("".join(f"{pictures}/{name}\n" for name in names))
    command = "predict", "--files-from", "list", "--save-prepared", "out"
    assert run(*command, cwd=folder).returncode == 0
    saved = [folder / "out" / str(pictures)[1:] / f"{n:02}.png" for n in range(20)]
    assert prepared_files(folder) == {"7.png", "model.npz", "list"} | {
        str(path.relative_to(folder)) for path in saved
    }


@pytest.mark.parametrize("kind", ["picture", "file", "link"])
def test_no_file_is_changed_by_a_prepared_picture(run: Run, folder: Path, kind: str) -> None:
    before = (folder / "7.png").read_bytes()
    if kind == "link":
        (folder / "out").mkdir()
        (folder / "out" / "7.png").symlink_to("../7.png")
    out = {"picture": ".", "file": "7.png", "link": "out"}[kind]
    done = run("predict", "7.png", "--save-prepared", out, cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.endswith(b"name a new folder with --save-prepared\n")
    assert (folder / "7.png").read_bytes() == before


def test_a_resumed_run_saves_the_other_prepared_pictures(
    run: Run, folder: Path, pictures: Path
) -> None:
    command = "predict", pictures, "--format", "json", "-o", "answers"
    assert run(*command, "--save-prepared", "out", cwd=folder).returncode == 0
    whole = (folder / "answers").read_bytes()
    names = prepared_files(folder / "out")
    assert len(names) == 20
    lines = whole.splitlines(keepends=True)
    (folder / "answers").unlink()
    (folder / "answers.unfinished").write_bytes(b"".join(lines[:12]))
    for line in lines_of(b"".join(lines[15:])):
        (folder / line["prepared"]).unlink()
    for option in ((), ("--save-prepared", "other")):
        done = run(*command, *option, "--resume", cwd=folder)
        assert done.returncode == 1
        assert b"expected an answer of this model in this form" in done.stderr
    assert run(*command, "--save-prepared", "out", "--resume", cwd=folder).returncode == 0
    assert (folder / "answers").read_bytes() == whole
    assert prepared_files(folder / "out") == names


# Usage errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-0", "7.png"],
        ["-", "-"],
        ["-", "--files-from", "-"],
        ["--top", "0", "7.png"],
        ["--top", "three", "7.png"],
        ["--min-confidence", "2", "7.png"],
        ["--min-confidence", "-0.1", "7.png"],
        ["--min-confidence", "nan", "7.png"],
        ["--min-confidence", "high", "7.png"],
        ["--format", "xml", "7.png"],
        ["--nonsense", "7.png"],
        ["-m"],
        ["--show", "--format", "json", "7.png"],
        ["--save-prepared", "out", "--digits", "any", "7.png"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_one_line_and_status_2(
    run: Run, folder: Path, arguments: list[str]
) -> None:
    done = run("predict", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"digitnet")
    assert len(done.stderr.splitlines()) == 1


def test_the_environments_threads_do_not_change_the_answers(tmp_path: Path, run: Run) -> None:
    np.save(tmp_path / "digits.npy", read_mnist("t10k", 500)[0])
    one, two = (
        run("predict", "digits.npy", "--format", "json", cwd=tmp_path, env={"OMP_NUM_THREADS": n})
        for n in "12"
    )
    assert one.stdout.count(b"\n") == 500
    assert one.stdout == two.stdout
