"""`read` of an exported module answers a picture as `digitnet predict` answers its PNG."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.drawings import AWKWARD, digits
from numpy.typing import NDArray
from pads import drawn
from page_modules import as_rgba, in_node, needs_node
from PIL import Image

import digitnet
from digitnet.errors import ImageError
from digitnet.export.export import export_model

pytestmark = needs_node

Picture = NDArray[np.uint8]
DIGITS = [drawing for _, drawing in digits(10, seed=5)]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
MAX_SIDE = 320  # px


def on_paper(pad: Picture, ink: tuple[int, ...], paper: tuple[int, ...]) -> Picture:
    """Return a drawing as RGBA, opaque, with ink and paper of these colours."""
    share = pad[..., np.newaxis] / 255
    colours = np.rint(share * ink + (1 - share) * np.array(paper)).astype(np.uint8)
    return np.dstack([colours, np.full_like(pad, 255)])


def on_nothing(pad: Picture, ink: tuple[int, ...]) -> Picture:
    """Return a drawing as RGBA on a canvas that was never filled."""
    colours = np.full((*pad.shape, 3), ink, np.uint8) * (pad > 0)[..., np.newaxis]
    return np.dstack([colours, pad]).astype(np.uint8)


def scaled(pad: Picture, width: int, height: int) -> Picture:
    return np.asarray(Image.fromarray(pad).resize((width, height), Image.Resampling.BOX))


def pictures() -> Iterator[tuple[str, Picture]]:
    """Yield named pictures, uint8 (h, w, 4)."""
    pads = [drawn(drawing) for drawing in DIGITS]
    for digit, pad in enumerate(pads):
        yield f"{digit}", on_paper(pad, WHITE, BLACK)
        yield f"{digit}, black on nothing", on_nothing(pad, BLACK)
    for name, drawing in AWKWARD.items():
        yield name, on_paper(drawn(drawing), BLACK, WHITE)
    yield "white on nothing", on_nothing(pads[2], WHITE)
    yield "blue on nothing", on_nothing(pads[3], (20, 40, 200))
    yield "half transparent", on_nothing(pads[4] // 2, BLACK)
    yield "red on blue", on_paper(pads[5], (220, 30, 30), (20, 30, 160))
    yield "yellow on white", on_paper(pads[6], (250, 220, 0), WHITE)
    card = np.pad(on_paper(scaled(pads[7], 150, 150), (0, 0, 150), (230, 240, 180))[..., :3], 0)
    desk = np.full((220, 260, 4), (90, 60, 40, 255), np.uint8)
    desk[40:190, 60:210, :3] = card
    yield "a card on a desk", desk
    yield "largest", on_paper(scaled(pads[8], MAX_SIDE, MAX_SIDE), WHITE, BLACK)
    yield "wide", on_paper(np.pad(scaled(pads[9], 50, 60), ((0, 0), (90, 180))), BLACK, WHITE)
    yield "as MNIST's", on_paper(scaled(pads[2], 28, 28), WHITE, BLACK)
    yield "tiny", on_paper(scaled(pads[0], 9, 7), WHITE, BLACK)
    yield "a pixel", on_paper(pads[0][:1, :1], WHITE, BLACK)
    yield "an untouched canvas", np.zeros((60, 50, 4), np.uint8)
    yield "a blue canvas", np.full((60, 50, 4), (40, 40, 90, 255), np.uint8)
    yield "too faint", on_paper(pads[1], (250, 250, 250), WHITE)
    yield (
        "an empty card",
        np.dstack(
            [np.pad(np.full((130, 100), 255, np.uint8), 60)] * 3
            + [np.full((250, 220), 255, np.uint8)]
        ),
    )


def as_png(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("export") / "digits.mjs"
    export_model(digitnet.load(), path)
    return str(path)


def test_pictures_are_read_as_predict_reads_their_png(module: str) -> None:
    model, named = digitnet.load(), dict(pictures())
    found = in_node("read", module=module, pictures=as_rgba(named.values()))
    blank, doubtful = [], 0
    for (name, picture), answer in zip(named.items(), found, strict=True):
        try:
            expected = model.predict(as_png(picture))
        except ImageError:
            assert answer is None, name
            blank.append(name)
            continue
        assert answer is not None, name
        seen = np.rint(answer["pixels"]).astype(np.uint8)
        np.testing.assert_array_equal(seen, expected.reading.image.ravel(), err_msg=name)
        np.testing.assert_allclose(answer["pixels"], seen, atol=1e-4)
        np.testing.assert_allclose(
            answer["probabilities"], expected.probabilities, atol=1e-6, err_msg=name
        )
        assert answer["digit"] == expected.top(1)[0][0], name
        assert answer["confidence"] == max(answer["probabilities"])
        assert answer["isDoubtful"] != expected.is_digit, name
        doubtful += answer["isDoubtful"]
    assert blank[-4:] == ["an untouched canvas", "a blue canvas", "too faint", "an empty card"]
    assert 5 < doubtful < len(named) - 20


def test_without_thresholds_nothing_is_doubtful(tmp_path: Path) -> None:
    path = tmp_path / "digits.mjs"
    export_model(digitnet.load().with_thresholds(0, 0), path)
    picture = on_paper(drawn(AWKWARD["two digits"]), BLACK, WHITE)
    (answer,) = in_node("read", module=str(path), pictures=as_rgba([picture]))
    assert not digitnet.load().predict(as_png(picture)).is_digit
    assert not answer["isDoubtful"]


def test_what_surrounds_the_digit_is_subtracted_from_evidence(tmp_path: Path) -> None:
    picture = on_paper(drawn(AWKWARD["boxed"]), BLACK, WHITE)
    _, nats, _, prior = digitnet.load().predict(as_png(picture)).grounds
    doubts = []
    for share in (0.5, 1.5):
        path = tmp_path / f"{share}.mjs"
        export_model(digitnet.load().with_thresholds(0, nats - share * prior), path)
        (answer,) = in_node("read", module=str(path), pictures=as_rgba([picture]))
        doubts.append(answer["isDoubtful"])
    assert doubts == [True, False]


def test_other_objects_are_refused_in_one_sentence(module: str) -> None:
    canvas = "; of a canvas, take context.getImageData(0, 0, width, height)"
    sides = "RangeError: picture: expected 1 to 320 pixels wide and high"
    smaller = "; draw it on a smaller canvas with drawImage"
    byte = "expected a whole number from 0 to 255"
    names = ("undefined", "null", "Number", "String", "Float32Array", *["Object"] * 5)
    bytes_of_each = "24 bytes (red, green, blue, opacity of each pixel)"
    assert in_node("refusedPictures", module=module) == [
        *(f"TypeError: picture: expected an ImageData, found {name}{canvas}" for name in names),
        f"RangeError: picture.data: expected {bytes_of_each}, found 20",
        f"{sides}, found 0x3{smaller}",
        f"{sides}, found 1.5x4{smaller}",
        f"{sides}, found NaNx3{smaller}",
        f"{sides}, found 320x321{smaller}",
        f"TypeError: picture.data[0]: {byte}, found undefined",
        f"RangeError: picture.data[23]: {byte}, found 0.5",
        f"RangeError: picture.data[0]: {byte}, found 256",
        f"RangeError: picture.data[0]: {byte}, found NaN",
    ]
