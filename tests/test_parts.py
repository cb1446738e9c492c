"""Parts of all pictures: disjoint, in order, complete, and of sizes that differ by at most one."""

from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digitnet.cli.lists import PathList, cut
from digitnet.cli.parts import Part, parse_part, part_batches, slurm_part
from digitnet.cli.sources import (
    ALL,
    ArrayFile,
    Arrays,
    Batch,
    Files,
    Folder,
    Source,
    all_batches,
    find_sources,
)

SLURM = "SLURM_ARRAY_TASK_"
LINES = st.lists(st.sampled_from([b"", b"a", b"b.png", b"\xff", b"c\r"]), max_size=12)


def names(batches: "chain[Batch] | list[Batch]") -> list[str]:
    """Return the names of the pictures in batches; an array's pictures are numbered."""
    found = []
    for batch in batches:
        if isinstance(batch, ArrayFile):
            found += [f"{batch.path}#{number}" for number in range(batch.first, batch.last)]
        else:
            found += [name for name, _ in batch]
    return found


def parts(sources: list[Source], n: int) -> list[list[str]]:
    return [names(part_batches(sources, Part(k, n))) for k in range(1, n + 1)]  # type: ignore[arg-type]


# Sizes


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_sizes_differ_by_at_most_one(total: int, n: int) -> None:
    some = {1, min(2, n), n // 2 + 1, n}
    sizes = {end - begin for begin, end in (Part(k, n).share(total) for k in some)}
    assert sizes <= {total // n, -(-total // n)}
    assert Part(1, n).share(total)[0] == 0
    assert Part(n, n).share(total)[1] == total


@given(st.integers(0, 1000), st.integers(1, 50))
def test_shares_follow_each_other(total: int, n: int) -> None:
    shares = [Part(k, n).share(total) for k in range(1, n + 1)]
    assert list(chain(*(range(*share) for share in shares))) == list(range(total))


# Lists


@given(
    LINES,
    st.booleans(),
    st.integers(0, 14),
    st.integers(0, 14),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_a_list_is_cut_at_its_line_ends(
    lines: list[bytes], ended: bool, first: int, last: int, at: list[int]
) -> None:
    content = b"\n".join(lines) + (b"\n" if lines and ended else b"")
    bounds = [0, *sorted(at), len(content)]
    chunks = [content[a:b] for a, b in pairwise(bounds)]
    expected = b"".join(content.splitlines(keepends=True)[first:last])
    if b"\r" not in content:  # another line end for `splitlines`
        assert b"".join(cut(chunks, b"\n", first, last)) == expected


@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\0"]), st.booleans(), st.integers(1, 9))
@example([b""], b"\n", False, 2)
@example([b"a", b"", b"", b"b"], b"\r\n", False, 3)
def test_parts_of_a_list_give_its_paths_in_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, ended: bool, n: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "list"
    path.write_bytes(b"\xef\xbb\xbf" + end.join(lines) + (end if lines and ended else b""))
    listed = PathList(str(path), end[-1:])
    whole = names(listed.batches(0, ALL))  # type: ignore[arg-type]
    assert len(whole) == sum(line.removesuffix(b"\r" * (end != b"\0")) != b"" for line in lines)
    each = parts([listed], n)
    assert list(chain(*each)) == whole
    if b"" not in lines:
        assert {len(some) for some in each} <= {listed.count() // n, -(-listed.count() // n)}


def test_long_paths_count_once(tmp_path: Path) -> None:
    long = b"x" * 70_000
    (tmp_path / "list").write_bytes(b"\n".join([b"a", long, b"b", long, long, b"c"]))
    listed = PathList(str(tmp_path / "list"), b"\n")
    assert listed.count() == 6
    assert list(chain(*parts([listed], 4))) == names(listed.batches(0, ALL))  # type: ignore[arg-type]


# All kinds of sources


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Files, two folders, one of them empty, files of arrays, one of them damaged, and a list."""
    for name in ("a/1.png", "a/0.png", "a/b/2.png", "a/b/3.png", "a/.hidden.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "7.npy", np.zeros((7, 28, 28), np.uint8))
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "list").write_bytes(b"x\n\ny\r\nz")
    images = ["1.png", "2.png", "a", "empty", "7.npy", "bad.npy", "3.png"]
    found = find_sources(
        [str(tmp_path / name) for name in images], str(tmp_path / "list"), b"\n", digits=1
    )
    return list(found)


@pytest.mark.parametrize("n", [*range(1, 24), 100])
def test_parts_of_all_kinds_of_sources_are_the_whole_in_order(
    sources: list[Source], tmp_path: Path, n: int
) -> None:
    kinds = [type(source) for source in sources]
    assert kinds == [Files, Folder, Folder, Arrays, Arrays, Files, PathList]
    assert [source.count() for source in sources] == [2, 4, 1, 7, 1, 1, 4]
    each = parts(sources, n)
    below = ["0.png", "1.png", "b/2.png", "b/3.png"]
    expected = ["1.png", "2.png", *(f"a/{name}" for name in below), "empty"]
    expected += [f"7.npy#{number}" for number in range(7)] + ["bad.npy#0", "3.png"]
    assert list(chain(*each)) == [f"{tmp_path}/{name}" for name in expected] + ["x", "y", "z"]
    assert max(map(len, each)) <= -(-20 // n)


def test_a_file_of_arrays_is_one_error_where_numbers_are_asked_for(tmp_path: Path) -> None:
    np.save(tmp_path / "7.npy", np.zeros((7, 28, 28), np.uint8))
    (source,) = find_sources([str(tmp_path / "7.npy")], None, b"\n", digits=None)
    assert source.count() == 1


def test_without_parts_nothing_is_counted(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in {type(source) for source in sources}:
        monkeypatch.setattr(kind, "count", lambda _: pytest.fail("counted"))
    assert len(list(all_batches(sources))) > 5


# K/N and Slurm


@pytest.mark.parametrize(
    "text", ["", "3", "0/3", "4/3", "1/0", "a/3", "1/3/5", "-1/3", "1 /3", "1/١"]
)
def test_a_bad_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected K/N with K from 1 to N"):
        parse_part(text)


def test_a_part_is_read() -> None:
    assert parse_part("3/8") == (3, 8)
    assert parse_part("1/1") == (1, 1)


def slurm(task: int, numbers: range) -> dict[str, str]:
    """Return what Slurm sets in a job of `--array=first-last:step`."""
    values = {
        "ID": task,
        "MIN": numbers[0],
        "MAX": numbers[-1],
        "STEP": numbers.step,
        "COUNT": len(numbers),
    }
    return {SLURM + name: str(value) for name, value in values.items()}


@pytest.mark.parametrize("numbers", [range(1, 9), range(8), range(1, 2)], ids=str)
def test_each_job_of_an_array_has_its_own_part(numbers: range) -> None:
    found = [slurm_part(slurm(task, numbers)) for task in numbers]
    assert found == [(k, len(numbers)) for k in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("name", ["ID", "MIN", "MAX", "STEP", "COUNT"])
def test_a_missing_or_wrong_variable_of_slurm_is_named(name: str) -> None:
    variables = slurm(3, range(1, 9))
    with pytest.raises(ValueError, match=f"in {SLURM}{name}, found 'x'"):
        slurm_part(variables | {SLURM + name: "x"})
    del variables[SLURM + name]
    with pytest.raises(ValueError, match=f"expected {SLURM}{name}, .* found none; use --part K/N"):
        slurm_part(variables)


@pytest.mark.parametrize(
    "change",
    [
        {"COUNT": "3"},
        {"ID": "9"},
        {"ID": "0"},
        {"STEP": "2"},
        {"ID": "8", "MIN": "8", "COUNT": "1"},
    ],
    ids=str,
)
def test_some_jobs_of_an_array_are_no_parts(change: dict[str, str]) -> None:
    variables = slurm(3, range(1, 9)) | {SLURM + name: value for name, value in change.items()}
    with pytest.raises(ValueError, match="expected a whole array from 0 or 1"):
        slurm_part(variables)
