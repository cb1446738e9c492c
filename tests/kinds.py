"""Rendered pictures: a digit of MNIST as people may draw and photograph it."""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

SIDE = 200  # px: side of the digit
HEIGHT, WIDTH = 300, 260  # px: of the page
WHITE, BLACK = 0.95, 0.15  # brightness of paper and ink

Kind = Callable[[np.ndarray, np.random.Generator], Image.Image]


def drawn(digit: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the ink of a digit (28, 28) enlarged to `side` pixels with sharp edges, 0 to 1."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return np.clip((np.asarray(large) / 255 - 0.5) * 8 + 0.5, 0, 1)


def filtered(ink: np.ndarray, kind: ImageFilter.Filter, times: int = 1) -> np.ndarray:
    """Return ink, 0 to 1, after a Pillow filter has been applied `times` times."""
    image = Image.fromarray(np.uint8(np.rint(ink * 255)))
    for _ in range(times):
        image = image.filter(kind)
    return np.asarray(image) / 255


def middle_line(digit: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the skeleton of a drawn digit's strokes, with small gaps closed (Lantuéjoul 1978)."""
    return _middle_line(digit.tobytes(), side)


@lru_cache
def _middle_line(digit: bytes, side: int) -> np.ndarray:
    """Return a skeleton, read-only: several kinds draw the same digits."""
    ink = drawn(np.frombuffer(digit, np.uint8).reshape(28, 28), side)
    line = np.zeros(ink.shape, np.bool_)
    while (ink > 0.5).any():
        thinner = filtered(ink, ImageFilter.MinFilter(3))
        line |= (ink > 0.5) & (filtered(thinner, ImageFilter.MaxFilter(3)) < 0.5)
        ink = thinner
    joined = filtered(filtered(line, ImageFilter.MaxFilter(9)), ImageFilter.MinFilter(9))
    joined.setflags(write=False)
    return joined


def page(
    ink: np.ndarray, rng: np.random.Generator, height: int = HEIGHT, width: int = WIDTH
) -> np.ndarray:
    """Return the ink at a random position on an empty page."""
    whole = np.zeros((height, width))
    y, x = (int(rng.integers(n - m + 1)) for n, m in zip(whole.shape, ink.shape))
    whole[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    return whole


def light(ink: np.ndarray, paper: float = WHITE, full: float = BLACK) -> np.ndarray:
    """Return the brightness of ink, 0 to 1, on paper; full: the brightness of full ink."""
    return paper * (1 - ink) + full * ink


def noisy(brightness: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    return brightness + rng.normal(0, spread, brightness.shape)


def image(brightness: np.ndarray) -> Image.Image:
    """Return a picture of mode L; brightness is clipped to 0 to 1."""
    return Image.fromarray(np.uint8(np.rint(np.clip(brightness, 0, 1) * 255)))


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the column of each pixel, scaled to 0 to 1."""
    y, x = np.mgrid[:height, :width]
    return y / height, x / width


def plain(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return image(light(page(drawn(digit), rng)))


def thin_pen(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return image(noisy(light(page(middle_line(digit), rng)), 0.02, rng))


def thin_pen_on_a_large_page(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = page(middle_line(digit), rng, 3 * HEIGHT, 3 * WIDTH)
    _, x = grid(*ink.shape)
    return image(noisy(light(ink), 0.01, rng) * (1 - 0.6 * x))


def marker(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    thick = filtered(drawn(digit), ImageFilter.MaxFilter(3), times=6)
    return image(light(page(thick, rng)))


def faint_pencil(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    line = filtered(middle_line(digit), ImageFilter.MaxFilter(3))
    return image(noisy(light(page(line, rng), 0.9, 0.72), 0.03, rng))


def sharp_shadow(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    y, x = grid(HEIGHT, WIDTH)
    return image(
        noisy(light(page(drawn(digit), rng)), 0.01, rng) * np.where(x > 0.6 - y / 3, 1, 0.55)
    )


def soft_shadow(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    y, x = grid(HEIGHT, WIDTH)
    shade = 0.55 + 0.45 / (1 + np.exp(-(x + y / 3 - 0.6) * 25))
    return image(noisy(light(page(drawn(digit), rng)), 0.01, rng) * shade)


def light_from_the_side(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    _, x = grid(HEIGHT, WIDTH)
    return image(noisy(light(page(drawn(digit), rng)), 0.01, rng) * (1 - 0.65 * x))


def spot_light(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    y, x = grid(HEIGHT, WIDTH)
    spot = 0.35 + 0.65 * np.exp(-((y - 0.3) ** 2 + (x - 0.7) ** 2) / 0.3)
    return image(noisy(light(page(drawn(digit), rng)), 0.01, rng) * spot)


def blurred(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return plain(digit, rng).filter(ImageFilter.GaussianBlur(6))


def jpeg_noise(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return as_jpeg(plain(digit, rng), 10)


def specks(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = page(drawn(digit), rng)
    for y, x in rng.integers((HEIGHT - 3, WIDTH - 3), size=(25, 2)):
        ink[y : y + 3, x : x + 3] = 1
    return image(light(ink))


def ruled_paper(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = page(drawn(digit), rng)
    for y in range(20, HEIGHT, 70):
        ink[y : y + 3] = np.maximum(ink[y : y + 3], 0.3)
    return image(light(ink))


def squares(side: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return the lines of squared paper, slightly rotated; side: of a square, px."""
    y, x = np.mgrid[:height, :width]
    angle = rng.uniform(-0.1, 0.1)
    across, down = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (across % side < 0.06 * side) | (down % side < 0.06 * side)


def squared_paper(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    _, x = grid(HEIGHT, WIDTH)
    lines = 0.45 * squares(50, HEIGHT, WIDTH, rng)
    ink = np.maximum(page(drawn(digit, 130), rng), lines)
    return image(noisy(light(ink), 0.01, rng) * (1 - 0.4 * x))


def small_on_squared_paper(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    _, x = grid(1000, 800)
    lines = 0.3 * squares(36, 1000, 800, rng)
    ink = np.maximum(page(drawn(digit, 100), rng, 1000, 800), lines)
    return image(noisy(light(ink), 0.01, rng) * (1 - 0.4 * x))


def box_around(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(page(drawn(digit), rng, 240, 240), ((4, 4), (4, 4)), constant_values=1)
    return image(light(np.pad(ink, 15)))


def box_at_border(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(page(drawn(digit), rng, 240, 240), 10)
    return image(light(np.pad(ink, 4, constant_values=1)))


def in_a_box(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(page(drawn(digit, 150), rng, 200, 200), 5, constant_values=1)
    return image(noisy(light(np.pad(ink, ((200, 150), (150, 200)))), 0.01, rng))


def shadow_edge_across_the_digit(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    sheet = noisy(light(page(drawn(digit), rng)), 0.01, rng)
    y, x = grid(*sheet.shape)
    return image(sheet * np.where(x > 0.55 - 0.2 * y, 1, 0.4))


def corner_far_from_the_lamp(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.zeros((800, 600))
    ink[650:730, 60:140] = drawn(digit, 80)
    y, x = grid(800, 600)
    lamp = np.clip(1.25 - np.hypot(600 * x - 150, 800 * y - 200) / 700, 0.25, 1.2)
    return as_jpeg(image(np.clip(noisy(light(ink), 0.01, rng) * lamp, 0, 1)), 88)


def edge_of_a_box(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = page(drawn(digit), rng)
    return image(light(np.pad(ink, ((0, 0), (6, 0)), constant_values=1)))


def small_on_a_large_page(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = page(drawn(digit, 150), rng, 1200, 1600)
    _, x = grid(*ink.shape)
    return as_jpeg(image(noisy(light(ink), 0.02, rng) * (1 - 0.4 * x)), 70)


def cropped(ink: np.ndarray) -> np.ndarray:
    """Return ink cropped to its bounding box."""
    return ink[(ink > 0.5).any(axis=1)][:, (ink > 0.5).any(axis=0)]


def filling_the_picture(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return image(light(cropped(drawn(digit))))


def light_and_filling_the_picture(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return image(noisy(light(np.pad(cropped(drawn(digit, 60)), 1), BLACK, WHITE), 0.01, rng))


def blurred_and_filling_the_picture(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = Image.fromarray(digit[digit.any(axis=1)][:, digit.any(axis=0)])
    large = ink.resize((6 * ink.width, 6 * ink.height), Image.Resampling.BICUBIC)
    return image(noisy(light(np.asarray(large) / 255), 0.01, rng))


def shadow_on_little_paper(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(cropped(drawn(digit, 120)), 10)
    y, x = grid(*ink.shape)
    angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
    lit = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) > place
    return image(noisy(light(ink), 0.01, rng) * np.where(lit, 1, 0.55))


def between_other_digits(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Cropped from a number: a third of the digit on each side is visible too."""
    ink = cropped(drawn(digit, 140))
    third, gap = ink.shape[1] // 3, np.zeros((len(ink), 25))
    row = np.concatenate([ink[:, -third:], gap, ink, gap, ink[:, :third]], axis=1)
    return image(noisy(light(np.pad(row, ((30, 30), (0, 0)))), 0.01, rng))


def underlined(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(cropped(drawn(digit)), ((40, 70), (40, 40)))
    ink[-50:-42, 30:-30] = 1
    return image(light(ink))


def bar(ink: np.ndarray, y: float, slope: float, thickness: float, length: float) -> np.ndarray:
    """Return the ink with a bar whose middle is in row `y`; length: of the picture's width."""
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    away = columns - ink.shape[1] / 2
    is_bar = np.abs(rows - y - slope * away) < thickness / 2
    return np.maximum(ink, is_bar & (np.abs(away) <= length * ink.shape[1] / 2))


def slanted_underline(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(cropped(drawn(digit)), ((40, 90), (60, 60)))
    slope = rng.uniform(0.05, 0.15) * rng.choice([-1, 1])
    return image(light(bar(ink, ink.shape[0] - 55, slope, 9, 0.8)))


def between_dark_lines(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Slanted lines, through the digit's top and bottom or beyond them."""
    ink = np.pad(cropped(drawn(digit)), ((70, 70), (90, 90)))
    slope, apart = rng.uniform(-0.15, 0.15), rng.uniform(90, 130)
    for y in (-apart, apart):
        ink = bar(ink, ink.shape[0] / 2 + y, slope, 4, 1)
    return image(noisy(light(ink), 0.01, rng))


def in_a_cell(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """In a cell of a form, open at the top; its sides are lower than the digit."""
    ink = np.pad(drawn(digit, 160), 20)
    ink[-6:-3, 3:-3] = ink[80:-3, 3:6] = ink[80:-3, -6:-3] = 1
    return image(noisy(light(ink), 0.01, rng))


def circled(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(drawn(digit), 40)
    y, x = grid(*ink.shape)
    away = np.hypot((y - 0.5) * rng.uniform(1, 1.2), x - 0.5)
    return image(noisy(light(np.where(np.abs(away - 0.48) < 0.01, 1, ink)), 0.01, rng))


def shadow_of_a_finger(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    sheet = light(page(drawn(digit), rng))
    y, x = grid(*sheet.shape)
    aside = np.abs(x - 0.5 + rng.uniform(-0.6, 0.6) * (y - 0.5))
    return image(noisy(sheet, 0.01, rng) * np.where(aside < 0.15, 0.55, 1))


def sheet_between_tables(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    sheet = noisy(light(page(drawn(digit), rng)), 0.01, rng)
    return image(np.pad(sheet, ((0, 0), (45, 45)), constant_values=0.25))


def deep_shadow_on_most(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    sheet = np.pad(light(page(drawn(digit), rng)), ((0, 0), (0, 90)), constant_values=WHITE)
    _, x = grid(*sheet.shape)
    return image(sheet * np.where(x < 0.8, 0.55, 1))


def at_the_edge(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return image(light(np.pad(cropped(drawn(digit)), ((0, 60), (0, 60)))))


def blue_on_yellow(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return coloured(digit, (0.95, 0.9, 0.4), (0.2, 0.3, 0.8), rng)


def red_on_green(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The ink and the paper are about equally light."""
    return coloured(digit, (0.3, 0.62, 0.3), (0.85, 0.3, 0.3), rng)


def coloured(
    digit: np.ndarray,
    paper: tuple[float, float, float],
    ink: tuple[float, float, float],
    rng: np.random.Generator,
) -> Image.Image:
    cover = page(drawn(digit), rng)[:, :, np.newaxis]
    return image(noisy(np.array(paper) * (1 - cover) + np.array(ink) * cover, 0.02, rng))


def chalk(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    _, x = grid(HEIGHT, WIDTH)
    board = light(page(drawn(digit), rng), 0.15, 0.85) * (1 - 0.4 * x)
    return image(noisy(board, 0.03, rng))


def grey_on_grey(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return image(light(digit / 255, 0.8, 0.4))


def eight_pixels(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    tight = Image.fromarray(digit[4:24, 4:24]).resize((8, 8), Image.Resampling.BICUBIC)
    return image(light(np.asarray(tight) / 255))


def one_bit(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    return plain(digit, rng).convert("1")


def white_on_transparent(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """White ink on transparent paper."""
    cover = image(page(drawn(digit), rng))
    drawing = Image.new("LA", cover.size, 255)
    drawing.putalpha(cover)
    return drawing


def sheet_on_a_table(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    sheet = noisy(light(page(drawn(digit), rng)), 0.01, rng)
    return image(np.pad(sheet, ((60, 40), (50, 70)), constant_values=0.25))


def tilted_sheet(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    table = sheet_on_a_table(digit, rng)
    return table.rotate(rng.choice([-8, 8]), fillcolor=64, expand=True)


def lined_sheet_on_a_desk(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The desk is of wood with a grain, the sheet is tilted, and light falls off to the right."""
    sheet = light(np.pad(drawn(digit), 80))
    sheet[20::25] -= 0.2
    sheet[21::25] -= 0.2
    tilted = Image.fromarray(np.float32(sheet)).rotate(rng.uniform(-6, 6), expand=True)
    paper = np.pad(np.asarray(tilted), 70)
    desk = np.repeat(0.25 + rng.normal(0, 0.03, (len(paper) // 4 + 1, 1)), 4, axis=0)[: len(paper)]
    _, x = grid(*paper.shape)
    return image(noisy(np.where(paper > 0, paper, desk), 0.01, rng) * (1 - 0.4 * x))


def round_card(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The card lies on wood, with light from the side."""
    ink = np.pad(drawn(digit), 60)
    y, x = grid(*ink.shape)
    wood = np.repeat(rng.normal(0.3, 0.03, (len(ink), 1)), len(ink), axis=1)
    shades = np.where(np.hypot(y - 0.5, x - 0.5) < 0.45, light(ink), wood)
    return image(noisy(shades, 0.01, rng) * (1 - 0.3 * x))


def edge_of_a_table(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    sheet = noisy(light(page(drawn(digit), rng)), 0.01, rng)
    return image(np.pad(sheet, ((0, 40), (0, 50)), constant_values=0.25))


def tilted(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the brightness of a slightly tilted sheet with ink; 0 outside the sheet."""
    sheet = Image.fromarray(np.float32(np.pad(light(ink), 35)))
    return np.asarray(sheet.rotate(rng.uniform(-7, 7)))


def sheet_among_objects(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Beside the sheet lie a blank card, a coin and a pen, all lighter than the desk."""
    sheet = tilted(page(drawn(digit, 130), rng, 230, 180), rng)
    desk = np.full((340, 400), 0.25)
    desk[:300, :250] = np.where(sheet > 0, sheet, 0.25)
    y, x = np.mgrid[:340, :400] - rng.uniform(-10, 10, (2, 1, 1))
    desk[(y > 30) & (y < 110) & (x > 280) & (x < 370)] = 0.8
    desk[np.hypot(y - 180, x - 340) < 22] = 0.6
    desk[np.abs(x - 280 - 0.2 * (y - 180)) < 5] = 0.7
    return image(noisy(desk, 0.01, rng))


def held_sheet(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """A thumb holds the sheet by one side."""
    sheet = np.pad(tilted(np.pad(page(drawn(digit, 110), rng, 200, 130), 30), rng), 30)
    y, x = np.mgrid[: sheet.shape[0], : sheet.shape[1]]
    middle, tip = rng.uniform(120, 240), rng.uniform(228, 240)
    thumb = ((np.abs(y - middle) < 25) & (x > tip)) | (np.hypot(y - middle, x - tip) < 25)
    shades = np.where(thumb, 0.65, np.where(sheet > 0, sheet, 0.2))
    return image(noisy(shades, 0.01, rng))


def shadow_over_sheet_and_desk(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The sheet is far away; the edge of the shadow crosses the whole picture."""
    desk = np.full((600, 560), 0.28)
    desk[40:550, 40:500] = light(page(drawn(digit, 90), rng, 510, 460))
    y, x = np.mgrid[:600, :560] - 290
    turn = rng.uniform(0, 2 * np.pi)
    edge = x * np.cos(turn) + y * np.sin(turn) - rng.uniform(-90, 90)
    shade = np.clip(edge / 8 + 0.5, 0, 1)
    return image(noisy(desk, 0.01, rng) * (1 - rng.uniform(0.25, 0.5) * shade))


def highlighted(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(drawn(digit), 20)
    return image(np.pad(light(ink, paper=0.75), 60, constant_values=0.95))


def dotted_pen(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[:SIDE, :SIDE] % 12 - 6
    return image(light(page(drawn(digit) * (np.hypot(y, x) < 5), rng)))


def dry_pen(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = filtered(middle_line(digit, 100), ImageFilter.MaxFilter(3)) > 0.5
    y, x = grid(*ink.shape)
    turn = rng.uniform(0, 2 * np.pi)
    density = 0.6 + 0.7 * ((x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn))
    return image(light(page(ink & (rng.random(ink.shape) < density), rng, 150, 130)))


def dashed(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = filtered(middle_line(digit), ImageFilter.MaxFilter(5))
    y, x = np.mgrid[:SIDE, :SIDE]
    turn = rng.uniform(0, 2 * np.pi)
    return image(light(page(ink * ((x * np.cos(turn) + y * np.sin(turn)) % 9 < 5), rng)))


def crayon(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    grain = filtered(rng.random((SIDE, SIDE)), ImageFilter.GaussianBlur(1.5))
    ink = drawn(digit) * (grain > np.median(grain))
    return image(noisy(light(page(ink, rng), full=0.3), 0.02, rng))


def box_touched(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    ink = np.pad(cropped(drawn(digit)), ((25, 25), rng.permutation([0, 25])))
    ink[:4] = ink[-4:] = ink[:, :4] = ink[:, -4:] = 1
    return image(light(np.pad(ink, 40)))


def shaded(ink: np.ndarray, shape: np.ndarray, soft: float, rng: np.random.Generator) -> np.ndarray:
    """Return the brightness of ink on paper under a shadow.

    shape: where the shadow is. soft: standard deviation of its blurred edge, px.
    """
    shade = filtered(shape, ImageFilter.GaussianBlur(soft))
    return noisy(light(ink, full=0.25), 0.012, rng) * (1 - rng.uniform(0.3, 0.5) * shade)


def shadow_of_a_phone(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The shadow lies in the middle of the page."""
    ink = page(drawn(digit, 160), rng, 400, 400)
    y, x = np.mgrid[-200:200, -200:200] - rng.uniform(-25, 25, (2, 1, 1))
    angle = rng.uniform(0, np.pi)
    across, along = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    phone = (np.abs(across) < 75) & (np.abs(along) < 140)
    return image(shaded(ink, phone, rng.uniform(2, 12), rng))


def shadow_of_a_hand(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The shadow reaches into the page from below, with its fingers."""
    ink = page(drawn(digit, 160), rng, 400, 400)
    y, x = np.mgrid[:400, :400] - rng.uniform(240, 300, (2, 1, 1))
    hand = (np.hypot(y, x) < 90) | ((np.abs(x) < 60) & (y > 0))
    for angle in np.deg2rad([-125, -105, -85, -65]):
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        hand |= (along > 0) & (along < 165) & (np.abs(across) < 15)
    return image(shaded(ink, hand, rng.uniform(2, 8), rng))


def many_effects_at_once(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Random effects of a photo: plain, ruled or squared paper, not flat, slightly rotated, on a
    light or dark background; lamps, shadows, vignetting, blur, noise and JPEG.
    """
    height, width = (int(n) for n in rng.integers(240, 900, 2))
    side = int(min(height, width) * rng.uniform(0.2, 0.7))
    ink = page(drawn(digit, side), rng, height, width) * rng.uniform(0.7, 1)
    every = int(rng.uniform(0.1, 0.2) * side) + 12
    lines = np.zeros((height, width), np.bool_)
    lines[every // 2 :: every, :] = rng.random() < 0.5
    lines[:, every // 2 :: every] = lines[every // 2, 0] and rng.random() < 0.5
    shades = light(np.maximum(ink, 0.2 * lines), rng.uniform(0.75, 0.95), rng.uniform(0.05, 0.25))
    waves = Image.fromarray(np.float32(rng.normal(0, 0.03, (9, 9))))
    shades *= 1 + np.asarray(waves.resize((width, height), Image.Resampling.BICUBIC))
    beside = float(rng.choice([0.15, 0.4, 1]))
    turned = Image.fromarray(np.float32(shades)).rotate(rng.normal(0, 3), fillcolor=beside)
    y, x = grid(height, width)
    lamp, shadow = (
        (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn) for turn in rng.uniform(0, 7, 2)
    )
    lit = (1 - rng.uniform(0, 0.5) * (lamp + 0.5)) * (1 - np.hypot(x - 0.5, y - 0.5) ** 2 / 2)
    if rng.random() < 0.3:
        lit *= 1 - rng.uniform(0.2, 0.5) / (1 + np.exp(-shadow / rng.uniform(0.01, 0.1)))
    lit *= rng.uniform(0.6, 1)
    taken = image(noisy(np.asarray(turned) * lit, rng.uniform(0, 0.03), rng))
    blurry = ImageFilter.GaussianBlur(side / 200 * rng.uniform(0, 2))
    return as_jpeg(taken.filter(blurry), int(rng.integers(30, 95)))


KINDS: list[Kind] = [
    plain,
    thin_pen,
    thin_pen_on_a_large_page,
    marker,
    faint_pencil,
    sharp_shadow,
    in_a_box,
    shadow_edge_across_the_digit,
    corner_far_from_the_lamp,
    soft_shadow,
    light_from_the_side,
    spot_light,
    blurred,
    jpeg_noise,
    specks,
    ruled_paper,
    squared_paper,
    small_on_squared_paper,
    box_around,
    box_at_border,
    edge_of_a_box,
    small_on_a_large_page,
    between_other_digits,
    underlined,
    slanted_underline,
    between_dark_lines,
    in_a_cell,
    circled,
    shadow_of_a_finger,
    sheet_between_tables,
    deep_shadow_on_most,
    at_the_edge,
    filling_the_picture,
    light_and_filling_the_picture,
    blurred_and_filling_the_picture,
    shadow_on_little_paper,
    blue_on_yellow,
    red_on_green,
    chalk,
    grey_on_grey,
    eight_pixels,
    one_bit,
    white_on_transparent,
    sheet_on_a_table,
    tilted_sheet,
    lined_sheet_on_a_desk,
    round_card,
    edge_of_a_table,
    highlighted,
    dotted_pen,
    dry_pen,
    dashed,
    crayon,
    box_touched,
    shadow_of_a_phone,
    shadow_of_a_hand,
    sheet_among_objects,
    held_sheet,
    shadow_over_sheet_and_desk,
    many_effects_at_once,
]
