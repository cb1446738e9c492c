"""A picture of a digit, of any kind, to 28×28 pixels the way MNIST made its own.

A release that changes what comes out needs a new name for it, `checkpoint.PREPARATION`.
"""

from digitnet.image.evidence import Judged, Score
from digitnet.image.field import SIDE
from digitnet.image.files import MAX_BYTES, Picture, name_of, open_picture, pictures_below
from digitnet.image.look import Look, Reading
from digitnet.image.reading import CLEARER, first_look, look_closer, prepare, read

__all__ = [
    "CLEARER",
    "MAX_BYTES",
    "SIDE",
    "Judged",
    "Look",
    "Picture",
    "Reading",
    "Score",
    "first_look",
    "look_closer",
    "name_of",
    "open_picture",
    "pictures_below",
    "prepare",
    "read",
]
