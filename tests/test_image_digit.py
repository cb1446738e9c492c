"""Which of the marks on a picture are taken for the digit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.digit import find_digit

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(Masks)
def test_a_digit_is_found_wherever_there_are_sure_marks(marked: np.ndarray) -> None:
    if not marked.any():
        return
    digit = find_digit(marked, marked)
    assert digit.mask.any()
    assert not (digit.mask & ~marked).any()
    inside = np.zeros(marked.shape, np.bool_)
    inside[digit.box] = True
    assert not (digit.mask & ~inside).any()
    assert digit.digits >= 1


def canvas(*boxes: tuple[slice, slice]) -> np.ndarray:
    marked = np.zeros((100, 100), np.bool_)
    for box in boxes:
        marked[box] = True
    return marked


BODY = (slice(30, 70), slice(40, 50))


@pytest.mark.parametrize(
    ("other", "belongs"),
    [
        ((slice(28, 32), slice(52, 70)), True),  # the bar of a 5
        ((slice(35, 36), slice(60, 61)), False),  # a speck
        ((slice(35, 36), slice(52, 53)), False),  # a speck close to it
        ((slice(35, 36), slice(52, 73, 3)), True),  # a dotted stroke
        ((slice(35, 36), slice(60, 81, 3)), False),  # a row of dots beside it
        ((slice(78, 79), slice(30, 70, 3)), False),  # a dotted line below it
        ((slice(71, 72), slice(38, 54, 3)), False),  # and close below
        ((slice(10, 90, 3), slice(52, 53)), False),  # a dotted line from side to side
        ((slice(5, 25), slice(80, 95)), False),  # far away
        ((slice(0, 3), slice(0, 100)), False),  # a line along the border
        ((slice(80, 82), slice(0, 100)), False),  # a ruled line
    ],
)
def test_what_belongs_to_the_digit(other: tuple[slice, slice], belongs: bool) -> None:
    marked = canvas(BODY, other)
    digit = find_digit(marked, marked)
    assert digit.mask[BODY].all()
    assert digit.mask[other].any() == belongs


def test_a_dotted_stroke_may_go_on_from_another_part_and_specks_do_not() -> None:
    bar = slice(28, 32), slice(54, 66)
    written = canvas(BODY, bar, (slice(30, 31), slice(68, 80, 3)))
    marked = written | canvas((slice(50, 60, 9), slice(60, 80, 9)))
    np.testing.assert_array_equal(find_digit(marked, marked).mask, written)


def test_dots_around_a_digit_are_no_other_one() -> None:
    dots = canvas((slice(2, 98, 3), slice(2, 98, 3)))
    dots[5:95, 5:95] = False
    digit = find_digit(dots | canvas(BODY), dots | canvas(BODY))
    assert (digit.box, digit.digits) == (BODY, 1)


def test_two_digits_that_are_close_and_broken_are_two() -> None:
    first = canvas((slice(30, 50), slice(20, 40)), (slice(52, 70), slice(20, 40)))
    both = first | np.roll(first, 26, axis=1)
    assert find_digit(both, both).digits == 2


def test_a_box_around_does_not_belong() -> None:
    marked = canvas((slice(10, 90), slice(10, 90)))
    marked[13:87, 13:87] = False
    marked[BODY] = True
    digit = find_digit(marked, marked)
    assert digit.mask.sum() == marked[BODY].sum()
    assert digit.box == BODY


def test_a_circle_around_does_not_belong() -> None:
    y, x = np.mgrid[-50:50, -50:50]
    radius = np.hypot(1.1 * y, x)
    marked = (radius < 48) & (radius > 45) | canvas(BODY)
    digit = find_digit(marked, marked)
    assert digit.mask.sum() == marked[BODY].sum()
    assert digit.box == BODY


def test_a_curl_inside_a_zero_belongs_to_it() -> None:
    y, x = np.mgrid[-50:50, -50:50]
    radius = np.hypot(y, x)
    marked = (radius < 40) & (radius > 36) | canvas((slice(25, 43), slice(40, 62)))
    digit = find_digit(marked, marked)
    assert digit.mask.sum() == marked.sum()


def test_a_mark_in_a_zero_that_is_higher_than_a_circle_is_no_digit() -> None:
    y, x = np.mgrid[-50:50, -50:50]
    radius = np.hypot(y, 1.5 * x)
    ring = (radius < 42) & (radius > 37)
    marked = ring | canvas((slice(30, 70), slice(48, 52)))
    assert find_digit(marked, marked).mask[ring].all()


def test_a_box_may_go_on_outside_the_picture() -> None:
    marked = canvas((slice(10, 90), slice(10, 100)))
    marked[13:87, 13:] = False
    marked[BODY] = True
    assert find_digit(marked, marked).box == BODY


@pytest.mark.parametrize(("top", "bottom", "is_form"), [(20, 80, True), (29, 71, False)])
def test_lines_between_the_cells_of_a_form_do_not_belong(
    top: int, bottom: int, is_form: bool
) -> None:
    lines = canvas((slice(top, bottom), slice(30, 33)), (slice(top, bottom), slice(58, 61)))
    marked = lines | canvas(BODY)
    assert find_digit(marked, marked).mask[lines].any() != is_form


@pytest.mark.parametrize(("width", "is_cell"), [(80, True), (50, False)])
def test_a_cell_of_a_form_may_be_open_above(width: int, is_cell: bool) -> None:
    left, right = 50 - width // 2, 50 + width // 2
    sides = (slice(60, 92), slice(left, left + 2)), (slice(60, 92), slice(right - 2, right))
    cell = canvas(*sides, (slice(90, 92), slice(left, right)))
    marked = cell | canvas((slice(30, 80), slice(45, 55)))
    assert find_digit(marked, marked).mask[cell].any() != is_cell


def test_a_round_digit_that_fills_the_page_is_no_frame() -> None:
    y, x = np.mgrid[-50:50, -50:50]
    radius = np.hypot(y, x)
    ring = (radius < 48) & (radius > 40)
    marked = ring | canvas((slice(48, 52), slice(48, 52)))
    assert find_digit(marked, marked).mask[ring].all()


def test_strokes_stay_where_a_ruled_line_crosses_them() -> None:
    marked = canvas(BODY, (slice(50, 52), slice(0, 100)))
    digit = find_digit(marked, marked)
    assert digit.mask.sum() == marked[BODY].sum()


def test_marks_that_are_not_sure_are_left_out() -> None:
    other = (slice(30, 60), slice(52, 60))
    marked = canvas(BODY, other)
    digit = find_digit(marked, canvas(BODY))
    assert not digit.mask[other].any()
    assert digit.mask[BODY].all()


def test_the_bar_of_a_five_may_lie_along_the_border() -> None:
    bar = (slice(0, 4), slice(40, 70))
    marked = canvas((slice(8, 70), slice(40, 50)), bar)
    assert find_digit(marked, marked).mask[bar].all()


@pytest.mark.parametrize(
    ("top", "bottom", "belongs"),
    [
        (70, 71, True),  # one row is missing between both
        (70, 73, False),  # a bar so thick is not broken so finely
        (80, 81, False),
    ],
)
@pytest.mark.parametrize("main", [69, 50])  # the last row before the stroke is broken, too
def test_a_fine_bar_below_belongs_to_the_digit_only_beyond_a_break(
    top: int, bottom: int, belongs: bool, main: int
) -> None:
    bar = (slice(top, bottom), slice(40, 75))
    body = (slice(20, main), slice(40, 44)), (slice(main + 1, 69), slice(40, 44))
    marked = canvas(*body, bar)
    digit = find_digit(marked, marked)
    assert digit.mask[20, 40]
    assert digit.mask[bar].all() == belongs


def test_very_many_parts_are_no_hindrance() -> None:
    marked = np.zeros((320, 320), np.bool_)
    marked[::2, ::2] = True
    assert find_digit(marked, marked).mask.any()


def test_a_digit_that_lies_along_the_border_is_no_surroundings_of_a_speck() -> None:
    stroke = (slice(90, 100), slice(15, 85))
    marked = canvas(stroke, (slice(40, 41), slice(80, 81)))
    digit = find_digit(marked, marked)
    assert digit.mask[stroke].all()
    assert not digit.mask[40, 80]


@pytest.mark.parametrize(
    ("other", "digits"),
    [
        ((slice(30, 70), slice(60, 70)), 2),  # beside it
        ((slice(32, 66), slice(90, 95)), 2),  # far off
        ((slice(75, 99), slice(40, 50)), 1),  # half as high
        ((slice(28, 32), slice(52, 70)), 1),  # the bar of a 5
        ((slice(30, 70), slice(53, 60)), 1),  # a broken stroke
        ((slice(30, 70), slice(60, 61)), 1),  # a scratch
    ],
)
def test_digits_of_about_one_height_are_counted(other: tuple[slice, slice], digits: int) -> None:
    marked = canvas(BODY, other)
    assert find_digit(marked, marked).digits == digits


def test_three_digits_are_three() -> None:
    marked = canvas(*((slice(30, 70), slice(left, left + 10)) for left in (10, 40, 70)))
    assert find_digit(marked, marked).digits == 3


def page_with(*lines: tuple[int, int, int, int]) -> np.ndarray:
    """A 4 of 60 pixels in the middle of 200×300, and rectangles of ink: rows, columns."""
    marked = np.zeros((200, 300), np.bool_)
    for top, bottom, left, right in (
        (70, 110, 130, 134),
        (106, 110, 130, 165),
        (70, 130, 155, 159),
    ):
        marked[top:bottom, left:right] = True
    for top, bottom, left, right in lines:
        marked[top:bottom, left:right] = True
    return marked


FOUR = slice(70, 130), slice(130, 165)


@pytest.mark.parametrize(
    "thing",
    [
        (0, 200, 230, 250),  # a pen from side to side
        (0, 200, 60, 75),
        (150, 200, 220, 300),  # a finger in the corner
        (90, 200, 5, 60),  # one from below
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_what_goes_on_outside_is_no_digit_beside_a_whole_one(
    thing: tuple[int, int, int, int], turned: bool
) -> None:
    marked = page_with(thing)
    marked = marked[:, ::-1] if turned else marked
    rows, columns = find_digit(marked, marked).box
    assert rows == FOUR[0]
    assert columns.stop - columns.start == 35


@pytest.mark.parametrize("cells", [2, 3])
@pytest.mark.parametrize("top", [55, 115])  # below that, they are ticks on a line
def test_a_digit_in_a_row_of_cells_is_found(cells: int, top: int) -> None:
    left, right = 22, 22 + 100 * cells
    lines = [(top, 150, x, x + 2) for x in range(left, right + 1, 50)]
    lines += [(148, 150, left, right + 2)] + [(55, 57, left, right + 2)] * (top == 55)
    marked = page_with(*lines)
    found = find_digit(marked, marked)
    assert (found.box, found.digits) == (FOUR, 1)


def test_a_digit_in_one_of_several_boxes_is_found() -> None:
    boxes = []
    for left in (20, 120, 220):
        boxes += [(55, 57, left, left + 60), (145, 147, left, left + 60)]
        boxes += [(55, 147, left, left + 2), (55, 147, left + 58, left + 60)]
    marked = page_with(*boxes)
    found = find_digit(marked, marked)
    assert (found.box, found.digits) == (FOUR, 1)


@pytest.mark.parametrize("thing", [(40, 160, 210, 218), (150, 158, 60, 240)])
def test_a_whole_pen_beside_a_digit_is_no_1(thing: tuple[int, int, int, int]) -> None:
    marked = page_with(thing)
    assert find_digit(marked, marked).box == FOUR


@pytest.mark.parametrize(("top", "bottom"), [(40, 56), (48, 58), (150, 166)])
def test_filled_blocks_are_no_digit_even_with_a_word_cut_out(top: int, bottom: int) -> None:
    marked = page_with((top, bottom, 70, 145), (top, bottom, 155, 230))
    marked[top + 4 : bottom - 4, 85:130:2] = False
    marked[top : top + 3, 70:82] = marked[bottom - 3 : bottom, 133:145] = False  # rounded
    assert find_digit(marked, marked).box == FOUR


def test_a_block_much_wider_than_a_bold_digit_is_none() -> None:
    marked = np.zeros((200, 300), np.bool_)
    marked[60:130, 138:152] = marked[145:168, 90:190] = True
    assert find_digit(marked, marked).box == (slice(60, 130), slice(138, 152))


def test_a_line_to_write_on_is_no_block_and_the_digit_is_above_it() -> None:
    line, *word = (145, 148, 40, 260), (165, 175, 30, 70), (175, 185, 70, 110)
    assert find_digit(page_with(line, *word), page_with(line, *word)).box == FOUR


@pytest.mark.parametrize(
    "bar",
    [
        (55, 60, 130, 175),  # as thick as a stroke
        (52, 67, 130, 175),  # close to the rest
        (47, 62, 130, 185),  # of a 7, its stem farther below
        (22, 62, 125, 172),  # not much wider than high
    ],
)
def test_a_bar_of_a_digit_is_no_block(bar: tuple[int, int, int, int]) -> None:
    top, bottom, left, right = bar
    marked = page_with(bar)
    assert find_digit(marked, marked).mask[top:bottom, left:right].all()


def test_what_does_not_fill_its_box_is_no_block() -> None:
    steps = page_with((22, 62, 100, 140), (42, 62, 140, 180))
    assert find_digit(steps, steps).mask[22:62, 100:140].all()
    bowl = page_with((140, 170, 110, 114), (166, 170, 110, 190), (140, 170, 186, 190))
    assert find_digit(bowl, bowl).mask.all(where=bowl)


@pytest.mark.parametrize("aslant", [0, 0.12])
@pytest.mark.parametrize("down", [1, -1])
@pytest.mark.parametrize("across", [1, -1])
def test_the_corner_of_a_note_around_a_digit_is_no_part_of_it(
    aslant: float, down: int, across: int
) -> None:
    marked = page_with()[::down, ::across]
    for along in range(100):
        raised = round(aslant * along)
        marked[::down, ::across][155 - raised : 158 - raised, 95 + along] = True
        left = 195 - raised
        marked[::down, ::across][157 - round(aslant * 100) - along, left : left + 3] = True
    rows, columns = find_digit(marked, marked).box
    assert (rows.stop - rows.start, columns.stop - columns.start) == (60, 35)


def test_three_sides_of_a_box_around_a_digit_are_no_part_of_it_and_an_open_ring_may_be() -> None:
    marked = page_with((40, 44, 90, 200), (156, 160, 90, 200), (40, 160, 90, 94))
    assert find_digit(marked, marked).box == FOUR
    y, x = np.mgrid[:200, :300]
    ring = (abs(np.hypot(y - 100, x - 150) - 80) < 3) & (x < 200)
    marked = page_with() | ring
    assert find_digit(marked, marked).mask[ring].all()


def test_a_dot_in_a_0_of_straight_lines_does_not_make_it_a_box() -> None:
    marked = np.zeros((200, 300), np.bool_)
    marked[40:160, 110:190] = True
    marked[46:154, 116:184] = False
    marked[90:110, 140:160] = True
    assert find_digit(marked, marked).mask.all(where=marked)


@pytest.mark.parametrize("half", [90, 130])
def test_a_box_with_round_corners_may_be_much_larger_than_the_digit(half: int) -> None:
    marked = np.zeros((300, 300), np.bool_)
    marked[50:250] = page_with()
    y, x = abs(np.mgrid[-150:150, -150:150])
    past = np.hypot(np.maximum(y - half + 20, 0), np.maximum(x - half + 20, 0))
    box = (past > 18) & (past < 21) & (np.maximum(y, x) <= half)
    assert not find_digit(marked | box, marked | box).mask[box].any()


@pytest.mark.parametrize(
    "piece",
    [
        (42, 100, 140, 144),  # of a 4 whose stem is broken where it crosses
        (55, 100, 140, 144),  # and lower
        (50, 59, 120, 150),  # the bar of a 5
    ],
)
def test_a_corner_around_a_piece_of_a_stroke_is_a_stroke(piece: tuple[int, int, int, int]) -> None:
    marked = np.zeros((200, 300), np.bool_)
    for top, bottom, left, right in ((40, 110, 100, 104), (106, 110, 100, 160), piece):
        marked[top:bottom, left:right] = True
    assert find_digit(marked, marked).mask.all(where=marked)


def test_dashes_to_both_sides_of_a_digit_are_no_part_of_it() -> None:
    dashes = page_with((98, 102, 105, 120), (100, 104, 175, 190))
    assert find_digit(dashes, dashes).box == FOUR


@pytest.mark.parametrize(
    "left",
    [
        (140, 144, 105, 120),  # none on that side of it, but below
        (60, 64, 105, 120),  # higher
        (88, 92, 105, 120),  # not level
        (98, 102, 90, 120),  # longer
        (98, 102, 112, 127),  # close
        (99, 100, 105, 107),  # a speck
    ],
)
def test_other_pieces_beside_a_digit_are_no_dashes(left: tuple[int, int, int, int]) -> None:
    marked = page_with(left, (98, 102, 175, 190))
    assert find_digit(marked, marked).mask[98:102, 175:190].all()


def test_high_digits_to_both_sides_of_another_are_no_dashes() -> None:
    three = page_with((75, 130, 80, 85), (75, 130, 205, 210))
    assert find_digit(three, three).digits == 3


@pytest.mark.parametrize("height", [50, 60])
def test_a_1_beside_another_digit_is_a_digit(height: int) -> None:
    marked = page_with((130 - height, 130, 190, 195))
    assert find_digit(marked, marked).digits == 2


def test_a_1_between_pieces_of_other_digits_is_no_pen() -> None:
    marked = np.zeros((100, 60), np.bool_)
    marked[10:90, 28:33] = True
    for columns in (slice(0, 2), slice(58, 60)):
        marked[30:34, columns] = marked[60:64, columns] = True
    marked[30:64, 0] = marked[30:64, 59] = True
    assert find_digit(marked, marked).box == (slice(10, 90), slice(28, 33))


@pytest.mark.parametrize("top", [48, 136])
def test_a_line_of_text_beside_a_digit_is_no_part_of_it(top: int) -> None:
    letters = [(top, top + 16, left, left + 9) for left in range(80, 220, 13)]
    marked = page_with(*letters)
    assert find_digit(marked, marked).box == FOUR


@pytest.mark.parametrize(
    ("mark", "belongs"),
    [
        ((120, 132, 182, 194), False),  # a stop
        ((115, 135, 180, 187), False),  # a comma
        ((120, 132, 105, 117), False),  # a stop of what was before
        ((120, 130, 168, 178), True),  # where a stroke is broken
        ((64, 72, 182, 194), True),  # high beside it: of the bar of a 5
        ((120, 128, 170, 200), True),  # too long
        ((132, 142, 172, 182), True),  # below
    ],
)
def test_a_stop_or_a_comma_is_no_part_of_a_digit(
    mark: tuple[int, int, int, int], belongs: bool
) -> None:
    marked = page_with(mark)
    assert (find_digit(marked, marked).box != FOUR) == belongs


def test_a_comb_below_a_digit_is_no_part_of_it() -> None:
    ticks = [(118, 138, left, left + 3) for left in (20, 90, 210, 237)]
    marked = page_with((138, 141, 20, 240), *ticks)
    found = find_digit(marked, marked)
    assert (found.box, found.digits) == (FOUR, 1)


@pytest.mark.parametrize(
    ("top", "digits"), [(150, 2), (140, 1)], ids=["another digit", "the lower loop of an 8"]
)
def test_a_digit_below_is_counted(top: int, digits: int) -> None:
    marked = page_with((top, top + 5, 130, 165), (top + 40, top + 45, 130, 165))
    marked[top : top + 45, 130:135] = marked[top : top + 45, 160:165] = True
    assert find_digit(marked, marked).digits == digits


def test_three_digits_above_each_other_are_three() -> None:
    marked = np.zeros((300, 200), np.bool_)
    for top in (30, 110, 190):
        marked[top : top + 60, 80:120] = True
    assert find_digit(marked, marked).digits == 3


def test_dots_above_each_other_are_one_line() -> None:
    marked = np.zeros((300, 200), np.bool_)
    for top in range(100, 200, 15):
        marked[top : top + 10, 90:100] = True
    assert find_digit(marked, marked).digits == 1


def test_halves_of_a_broken_digit_are_not_counted() -> None:
    halves = np.zeros((200, 200), np.bool_)
    for top in (50, 90):
        halves[top : top + 30, 60:100] = True
    assert find_digit(halves, halves).digits == 1


def dashed(*lines: tuple[slice, slice]) -> np.ndarray:
    """Lines on a page of 200×200, of dashes of 8 pixels and 4 between."""
    whole, there = np.zeros((2, 200, 200), np.bool_)
    for line in lines:
        whole[line] = True
    y, x = np.mgrid[:200, :200]
    there[(y % 12 < 8) & (x % 12 < 8)] = True
    return whole & there


def test_a_dashed_digit_is_one_and_its_dashes_are_no_text() -> None:
    level = [(slice(row, row + 6), slice(60, 128)) for row in (36, 84, 132)]
    upright = (slice(36, 90), slice(60, 66)), (slice(84, 138), slice(120, 126))
    marked = dashed(*level, *upright)  # a 5
    marked[upright[1]] = True
    digit = find_digit(marked, marked)
    assert digit.mask.sum() == marked.sum()
    assert digit.digits == 1


@pytest.mark.parametrize("gap", [0, 20])
def test_a_digit_that_touches_its_box_is_cut_out_of_it(gap: int) -> None:
    box = canvas((slice(10, 90), slice(10, 90)))
    box[12:88, 12:88] = False
    digit = slice(30, 88 - gap), slice(40, 50)
    assert find_digit(box | canvas(digit), box | canvas(digit)).box == digit


def test_the_foot_of_a_broken_2_is_no_comb() -> None:
    upper = (slice(20, 60), slice(55, 59)), (slice(20, 24), slice(34, 59))
    broken = canvas(*upper, (slice(63, 68), slice(20, 80)))
    assert find_digit(broken, broken).box == (slice(20, 68), slice(20, 80))


def test_a_digit_in_a_grid_is_found() -> None:
    grid = np.zeros((200, 200), np.bool_)
    for at in (25, 75, 125, 175):
        grid[at : at + 2, 25:177] = grid[25:177, at : at + 2] = True
    digit = slice(82, 120), slice(92, 110)
    grid[digit] = True
    found = find_digit(grid, grid)
    assert (found.box, found.digits) == (digit, 1)


def test_a_triangle_around_does_not_belong_and_an_oval_may() -> None:
    y, x = np.mgrid[:200, :200]
    inside = np.minimum(180 - y, (y - 20) / 2 - abs(x - 100))
    oval = np.hypot((y - 100) / 1.5, x - 100)
    digit = slice(100, 160), slice(90, 110)
    for frame, belongs in (((inside >= 0) & (inside < 4), False), (abs(oval - 50) < 3, True)):
        frame[digit] = True
        assert (find_digit(frame, frame).box != digit) == belongs


def test_pieces_of_a_fine_broken_stroke_are_not_counted() -> None:
    pieces = np.zeros((300, 200), np.bool_)
    for top in (50, 128):
        pieces[top : top + 60, 60:62] = pieces[top + 58 : top + 60, 60:120] = True
    assert find_digit(pieces, pieces).digits == 1


def test_lines_above_and_below_that_the_picture_cuts_off_are_no_part_of_it() -> None:
    marked = page_with((0, 50, 130, 150), (150, 200, 140, 160))
    found = find_digit(marked, marked)
    assert (found.box, found.digits) == (FOUR, 1)


def test_a_bar_at_the_upper_side_is_a_digits_own_where_it_is_close() -> None:
    marked = page_with()[64:]
    marked[0:3, 140:170] = True
    assert find_digit(marked, marked).box == (slice(0, 66), slice(130, 170))


@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_dots_take_no_time(seed: int) -> None:
    marked = np.random.default_rng(seed).random((320, 320)) > 0.93
    marked[100:200, 150] = True
    assert find_digit(marked, marked).mask.any()


def test_a_digit_cropped_to_its_ink_is_alone() -> None:
    y, x = np.mgrid[:60, :50]
    ring = abs(np.hypot((y - 29.5) / 30, (x - 24.5) / 25) - 0.9) < 0.1
    assert ring[0].any()
    assert ring[:, 0].any()
    assert find_digit(ring, ring).alone
