"""Draw a terminal in which digitnet reads pictures: the picture in the README.

    python tests/pictures/terminal.py data/pictures/terminal.svg

Runs the commands below with the model that ships, in a terminal of 256 colours, and draws what they
print, cell by cell.
"""

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

REPOSITORY = Path(__file__).absolute().parents[2]
COMMANDS = (
    "digitnet predict data/pictures/four.png data/pictures/seven.png",
    "digitnet predict --show data/pictures/seven.png",
    "digitnet predict --digits any data/pictures/numbers.png",
)
WIDTH, HEIGHT = 8, 16  # px: a cell
MARGIN = 16  # px
INK, PAPER, FRAME, PROMPT = "#e6e6e6", "#16181d", "#4a4f59", "#7ee787"
BAR = " ▏▎▍▌▋▊▉█"  # a character covers as many eighths of its cell as its index
HALVES = "▀"  # the upper half in the foreground colour, the lower in the background colour
COLOURS = re.compile("\x1b\\[([0-9;]*)m")

Cell = tuple[str, str, str]  # character, foreground, background
Box = tuple[float, float, float, float]  # x, y, width, height in px


def run(command: str) -> list[str]:
    """Return the lines that a command prints in a terminal, tabs expanded."""
    environment = os.environ | {"TERM": "xterm-256color", "DIGITNET_MODEL": "digitnet/model.npz"}
    environment.pop("NO_COLOR", None)
    name, *arguments = shlex.split(command)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [Path(sys.executable).with_name(name), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=REPOSITORY,
    )
    os.close(theirs)
    printed = b""
    try:
        while chunk := os.read(ours, 65536):
            printed += chunk
    except OSError:  # Linux reports the end of a terminal as EIO
        pass
    os.close(ours)
    if process.wait():
        raise SystemExit(f"{command}: {printed.decode()}")
    return printed.decode().expandtabs().splitlines()


def cells(line: str) -> Iterator[Cell]:
    """Yield the characters of a line with their colours."""
    foreground, background = INK, PAPER
    for number, part in enumerate(COLOURS.split(line)):
        if number % 2 == 0:
            yield from ((character, foreground, background) for character in part)
        elif part in ("", "0"):
            foreground, background = INK, PAPER
        else:
            _, _, front, _, _, back = map(int, part.split(";"))  # 38;5;FRONT;48;5;BACK
            foreground, background = grey(front), grey(back)


def grey(number: int) -> str:
    """Return one of the greys 232 to 255 of the 256 colours."""
    return f"#{8 + 10 * (number - 232):02x}" + 2 * f"{8 + 10 * (number - 232):02x}"


def draw_line(line: str, top: float) -> Iterator[str]:
    """Yield the SVG elements of a line whose cells begin at `top`."""
    row = list(cells(line))
    boxes: list[tuple[str, Box]] = []
    for column, (character, foreground, background) in enumerate(row):
        left = MARGIN + column * WIDTH
        if character == HALVES:
            for y, colour in ((top, foreground), (top + HEIGHT / 2, background)):
                boxes.append((colour, (left, y, WIDTH, HEIGHT / 2)))
        elif character in BAR[1:]:
            share = BAR.index(character) / 8
            boxes.append((foreground, (left, top + 2, WIDTH * share, HEIGHT - 4)))
    boxes.sort(key=lambda box: (box[1][1], box[1][0]))
    for (colour, _), some in groupby(boxes, key=lambda box: (box[0], box[1][1])):
        group = [box for _, box in some]  # boxes of a colour side by side become one
        (x, y, _, height), (last, _, width, _) = group[0], group[-1]
        yield rectangle(colour, (x, y, last + width - x, height))
    text = "".join(" " if cell[0] in HALVES + BAR else cell[0] for cell in row)
    for match in re.finditer(r"\S+(?: \S+)*", text):
        x, length = MARGIN + match.start() * WIDTH, len(match[0]) * WIDTH
        colour = f' fill="{PROMPT}"' if match.start() == 0 and text.startswith("$ ") else ""
        place = f'x="{x}" y="{top + 12:g}" textLength="{length}"'
        yield f"<text {place}{colour}>{escape(match[0])}</text>"


def rectangle(colour: str, box: Box) -> str:
    x, y, width, height = (f"{value:g}" for value in box)
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'


def draw() -> str:
    """Return the SVG of a terminal after COMMANDS."""
    lines: list[str] = []
    for command in COMMANDS:
        lines += ["", f"$ {command}", *run(command)]
    del lines[0]
    columns = max(len(COLOURS.sub("", line)) for line in lines)
    width, height = columns * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    elements = [
        element
        for number, line in enumerate(lines)
        for element in draw_line(line, MARGIN + number * HEIGHT)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="ui-monospace, SFMono-Regular, Menlo, '
            f'Consolas, DejaVu Sans Mono, monospace" font-size="13" fill="{INK}" '
            'shape-rendering="crispEdges">',
            "<title>digitnet reads three pictures in a terminal</title>",
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" '
            f'fill="{PAPER}" stroke="{FRAME}" shape-rendering="auto"/>',
            *elements,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw())
