"""Tables (CSV) as people have them, plain and packed."""

import gzip
import io
import re
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_dataset import (
    HEADER,
    IMAGES,
    LABELS,
    assert_holds,
    assert_refused,
    csv_rows,
    write_csv,
)
from test_shapes import resized

from digitnet.dataset.reader import read_data
from digitnet.dataset.tables import read_table
from digitnet.errors import DataError

PIXEL_NAMES = [f"pixel{i}" for i in range(784)]
Row = list[Any]


def write(
    path: Path, rows: list[Row], header: list[Any] | None = None, separator: str = ","
) -> Path:
    lines = [header, *rows] if header else rows
    path.write_text("".join(separator.join(map(str, line)) + "\n" for line in lines))
    return path


def assert_reads(path: Path, n: int = 3) -> None:
    training = read_data(path).training
    assert_holds(training, IMAGES[:n], LABELS[:n])
    assert training.remarks == ()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("header", [None, HEADER.split(",")])
def test_separators_are_recognised(
    separator: str, header: list[str] | None, tmp_path: Path
) -> None:
    assert_reads(write(tmp_path / "digits.csv", csv_rows(), header, separator))


@pytest.mark.parametrize("name", ["label", "Class", "digit", "target"])
@pytest.mark.parametrize("at", [0, 5, 784])
def test_the_label_may_be_in_any_column(name: str, at: int, tmp_path: Path) -> None:
    rows = [[*pixels[:at], label, *pixels[at:]] for label, *pixels in csv_rows()]
    header = [*PIXEL_NAMES[:at], name, *PIXEL_NAMES[at:]]
    assert_reads(write(tmp_path / "digits.csv", rows, header))


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index", "id"])
@pytest.mark.parametrize("values", [[0, 1, 2], ["a.png", "b.png", "5e"]], ids=["numbers", "text"])
@pytest.mark.parametrize("numbered", [False, True])
def test_an_index_column_is_ignored(
    name: str, values: list[Any], numbered: bool, tmp_path: Path
) -> None:
    header = [name, *(range(785) if numbered else HEADER.split(","))]
    rows = [[value, *row] for value, row in zip(values, csv_rows())]
    assert_reads(write(tmp_path / "digits.csv", rows, header))


@pytest.mark.parametrize("form", ["{}.0", "{}.", "{:.18e}", "+{}", '"{}"', " {} "])
def test_whole_numbers_may_be_written_as_floats(form: str, tmp_path: Path) -> None:
    rows = [[form.format(cell) for cell in row] for row in csv_rows()]
    assert_reads(write(tmp_path / "digits.csv", rows))


def test_fractions_from_0_to_1_are_converted_with_a_remark(tmp_path: Path) -> None:
    rows = [[f"{label}.0", *(f"{p / 255:.5g}" for p in pixels)] for label, *pixels in csv_rows()]
    training = read_data(write(tmp_path / "digits.csv", rows)).training
    assert_holds(training, IMAGES[:3], LABELS[:3])
    assert "found 0 to 1; digitnet multiplies them by 255" in training.remarks[0]


def test_an_error_names_a_wrong_cell_among_fractions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitnet.dataset.tables.LINES_PER_CHUNK", 2)
    rows = [[label, *(p / 255 for p in pixels)] for label, *pixels in csv_rows()]
    path = write(tmp_path / "digits.csv", rows)
    lines = path.read_text().splitlines()
    lines[2] = re.sub(",[^,]*$", ",1.5", lines[2])
    path.write_text("\n".join(lines))
    assert_refused(path, "line 3, column 785: expected a number from -1 to 1, found '1.5'")


@pytest.mark.parametrize("side", [8, 16, 32])
@pytest.mark.parametrize("has_header", [False, True])
def test_pictures_may_have_another_side(side: int, has_header: bool, tmp_path: Path) -> None:
    squares = resized(side, IMAGES)
    rows = [[*image.ravel(), label] for image, label in zip(squares, LABELS)]
    header = [*(f"p{i}" for i in range(side * side)), "target"]
    if not has_header:
        rows = [[row[-1], *row[:-1]] for row in rows]
    training = read_data(write(tmp_path / "a.csv", rows, header if has_header else None)).training
    np.testing.assert_array_equal(training.labels, LABELS)
    assert f"found {side}×{side}; digitnet draws them" in training.remarks[0]


def test_labels_in_the_last_column_without_a_header_are_refused(tmp_path: Path) -> None:
    """Optdigits of the UCI repository has its labels last and no header."""
    small = resized(8, IMAGES) // 16
    small[:, 0, 0] = 0
    rows = [[*image.ravel(), label] for image, label in zip(small, LABELS)]
    assert_refused(
        write(tmp_path / "optdigits.csv", rows),
        "expected labels in the first column, found 0 in each, and other digits in the last",
    )


def test_names_of_lines_count_blank_lines_and_the_header(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "digits.csv", csv_rows(), HEADER)
    path.write_text(path.read_text().replace("\n", "\n\n"))
    training = read_data(path).training
    assert [training.name_of(i) for i in range(3)] == [f"{path}:{line}" for line in (3, 5, 7)]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (["label", *PIXEL_NAMES, "more"], "line 1: expected 785 columns .*, found 786"),
        (PIXEL_NAMES, "line 1: expected a column called label, found none"),
        (["id", *PIXEL_NAMES], "line 1: expected a column called label, found none"),
        (["number", *PIXEL_NAMES], "line 1: expected a column called label, found none"),
        (list(range(784)), "line 1: expected a column called label, found none"),
    ],
)
def test_a_header_without_label_or_pixels_is_refused(
    header: list[str], problem: str, tmp_path: Path
) -> None:
    assert_refused(write(tmp_path / "digits.csv", csv_rows(), header), problem)


def test_rows_of_64_pixels_without_labels_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", resized(8, IMAGES).reshape(20, 64).tolist())
    assert_refused(path, "line 1: expected 65 columns with commas between them, found 64")


def test_a_letter_as_label_is_refused_with_advice(tmp_path: Path) -> None:
    rows = csv_rows()
    rows[1][0] = 26
    problem = (
        "line 2, column 1: .* 0 to 9, found '26'; for letters .* a folder of pictures for each"
    )
    assert_refused(write(tmp_path / "a.csv", rows), problem)


def test_a_cell_of_many_digits_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "digits.csv"
    path.write_text("1" * 60_000 + "x\n")
    started = time.perf_counter()
    assert_refused(path, "line 1: expected 785 columns .* found 1$")
    assert time.perf_counter() - started < 5


def test_a_wrong_cell_is_named_under_a_header_with_an_index(tmp_path: Path) -> None:
    rows = [["name", *row] for row in csv_rows()]
    rows[2][400] = "x"
    path = write(tmp_path / "a.csv", rows, ["id", *HEADER.split(",")])
    assert_refused(path, "line 4, column 401: expected a whole number from 0 to 255, found 'x'")


@pytest.mark.parametrize("lines", [1, 2])
def test_the_shared_kinds_of_one_line_are_read(lines: int, tmp_path: Path) -> None:
    """One dark digit on paper 255, and one of 0 and 1, each the only line of its file."""
    ink = (IMAGES[:lines] > 127).astype(int)
    for pixels, remark in ((255 - 255 * ink, "inverts"), (ink, "multiplies them by 255/1")):
        rows = [[label, *image.ravel()] for label, image in zip(LABELS, pixels)]
        training = read_data(write(tmp_path / "a.csv", rows)).training
        assert_holds(training, 255 * ink, LABELS[:lines])
        assert [remark in each for each in training.remarks] == [True]


# --- Packed tables ---


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def table(tmp_path: Path) -> bytes:
    return write_csv(tmp_path / "plain.csv", csv_rows(), HEADER).read_bytes()


@pytest.mark.parametrize("name", ["digits.csv.gz", "digits.CSV.GZ", "digits.tsv.gz"])
def test_a_gzipped_table_is_read(name: str, table: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(gzip.compress(table))
    assert_reads(tmp_path / name)


@pytest.mark.parametrize("others", [{}, {"__MACOSX/._train.csv": b"x", "README.txt": b"x"}])
def test_the_only_table_in_a_zip_archive_is_read(
    others: dict[str, bytes], table: bytes, tmp_path: Path
) -> None:
    (tmp_path / "digits.zip").write_bytes(zipped({"data/train.csv": table, **others}))
    assert_reads(tmp_path / "digits.zip")


def test_a_zip_archive_of_two_tables_is_refused(table: bytes, tmp_path: Path) -> None:
    (tmp_path / "kaggle.zip").write_bytes(zipped({"test.csv": table, "train.csv": table}))
    assert_refused(tmp_path / "kaggle.zip", "one table .*, found test.csv, train.csv; unpack it")


def test_another_compression_is_refused(table: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a.csv": table}, zipfile.ZIP_LZMA))
    assert_refused(tmp_path / "a.zip", "found another compression than DEFLATE; unpack it")


def test_an_encrypted_archive_is_refused(table: bytes, tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": table}))
    content[content.index(b"PK\1\2") + 8] |= 1
    content[6] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert_refused(tmp_path / "a.zip", "expected no password, found an encrypted archive")


@pytest.mark.parametrize("name", ["a.csv.gz", "a.zip"])
def test_a_damaged_archive_is_refused(name: str, table: bytes, tmp_path: Path) -> None:
    content = gzip.compress(table) if name.endswith("gz") else zipped({"a.csv": table})
    middle = len(content) // 2
    for damaged in (content[:middle], content[:middle] + b"\xff" * 9 + content[middle + 9 :]):
        (tmp_path / name).write_bytes(damaged)
        assert_refused(tmp_path / name, "found a damaged (file|one)|unpacked|expected ")


@pytest.mark.parametrize("pack", [gzip.compress, lambda table: zipped({"a.csv": table})])
def test_a_bomb_is_refused_with_little_memory(
    pack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitnet.dataset.unpacking.UNPACKED_FREELY", 1 << 20)
    monkeypatch.setattr("digitnet.dataset.unpacking.MAX_RATIO", 1)
    row = ",".join(["0"] * 785) + "\n"
    packed = pack((row * 10_000).encode())  # 16 MB
    path = tmp_path / ("a.zip" if packed.startswith(b"PK") else "a.csv.gz")
    path.write_bytes(packed)
    tracemalloc.start()
    assert_refused(path, r"expected at most [\d,]+ bytes unpacked, found more")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_an_endless_line_in_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0," * 100_000))
    assert_refused(tmp_path / "a.csv.gz", "line 1: expected at most 65,536 characters, found more")


# --- Tables without labels ---


@pytest.mark.parametrize("header", [None, PIXEL_NAMES, ["id", *PIXEL_NAMES], list(range(784))])
def test_a_table_without_labels_is_read(header: list[Any] | None, tmp_path: Path) -> None:
    extra = [7] if header and header[0] == "id" else []
    rows = [[*extra, *pixels] for _, *pixels in csv_rows()]
    table = read_table(write(tmp_path / "test.csv", rows, header))
    np.testing.assert_array_equal(table.pixels, IMAGES[:3].reshape(3, 784))
    assert table.labels is None


def test_a_packed_file_of_blank_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blank.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"\n" * 20_000)
    with pytest.raises(DataError, match="expected at most 10,000 blank lines, found more"):
        read_data(path)
