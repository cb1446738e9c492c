"""Draw a trained network with its activations for one digit, for the README.

    python tests/pictures/network.py 3blue1brown.npz data/pictures/mnist-four.png network.png

On the left are the 28×28 pixels of the input. Each circle is a neuron; brightness is its
activation. Lines are weight × activation, blue if positive and red if negative.
"""

import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import digitnet
from digitnet.image.reading import prepare

SCALE = 2  # the drawing is made larger, then reduced, so that lines are smooth
WIDTH, HEIGHT = 1000 * SCALE, 480 * SCALE
INK, PAPER = (235, 235, 235), (17, 17, 20)
POSITIVE, NEGATIVE = np.array((88, 166, 255)), np.array((255, 106, 93))
RADIUS = 11 * SCALE
FIELD = 300 * SCALE  # px: side of the input


def draw(model: digitnet.Model, picture: str) -> Image.Image:
    """Return a drawing of the model's network with its activations for a picture."""
    pixels = prepare(picture)
    _, *activations = (a[0] for a in model.network.activations(pixels[None]))
    canvas = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(canvas)
    top = (HEIGHT - FIELD) // 2
    canvas.paste(
        Image.fromarray(pixels).resize((FIELD, FIELD), Image.Resampling.NEAREST), (40, top)
    )
    places = [
        (WIDTH * (0.46 + 0.2 * l), np.linspace(0.07, 0.93, len(a)) * HEIGHT)
        for l, a in enumerate(activations)
    ]
    edge = 40 + FIELD
    for y in places[0][1]:
        for corner in (top, top + FIELD):
            pen.line((edge, corner, places[0][0], y), fill=(45, 45, 52), width=1)
    for l, W in enumerate(model.network.weights[1:]):
        (x_in, ys_in), (x_out, ys_out) = places[l], places[l + 1]
        contributions = W * activations[l]
        strengths = np.abs(contributions) / np.abs(contributions).max()
        for j, i in sorted(np.ndindex(W.shape), key=lambda place: strengths[place]):
            colour = POSITIVE if contributions[j, i] > 0 else NEGATIVE
            strength = strengths[j, i]
            shade = tuple((colour * strength + np.array(PAPER) * (1 - strength)).astype(int))
            pen.line((x_in, ys_in[i], x_out, ys_out[j]), fill=shade, width=SCALE)
    font = ImageFont.load_default(15 * SCALE)
    for (x, ys), a in zip(places, activations):
        for y, activation in zip(ys, a):
            box = (x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS)
            level = round(255 * min(max(float(activation), 0), 1))
            pen.ellipse(box, fill=(level, level, level), outline=INK, width=SCALE)
    x, ys = places[-1]
    for name, y, activation in zip(model.class_names, ys, activations[-1]):
        text = f"{name}   {activation:.2f}"
        pen.text((x + 2 * RADIUS, y), text, fill=INK, font=font, anchor="lm")
    smooth = canvas.resize((WIDTH // SCALE, HEIGHT // SCALE), Image.Resampling.LANCZOS)
    return smooth.quantize(256, kmeans=3)


if __name__ == "__main__":
    model_path, picture_path, output = sys.argv[1:]
    draw(digitnet.load(model_path), picture_path).save(output, optimize=True)
