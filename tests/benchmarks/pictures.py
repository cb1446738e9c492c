"""Write MNIST's 10,000 test digits as PNG files, dark on white, or read them with Pillow only.

python pictures.py draw FOLDER        write the files to FOLDER and print their names
python pictures.py open < NAMES       open each file with Pillow, on one thread, convert it to grey
"""

import sys
from pathlib import Path

from PIL import Image


def draw(folder: Path) -> None:
    from mnist import read_mnist

    _, _, images, _ = read_mnist()
    for number, image in enumerate(images):
        path = folder / f"{number:05}.png"
        Image.fromarray(255 - image).save(path)
        print(path)


def open_each() -> None:
    for name in sys.stdin:
        with Image.open(name.rstrip("\n")) as picture:
            picture.convert("L")


if __name__ == "__main__":
    if sys.argv[1] == "draw":
        draw(Path(sys.argv[2]))
    else:
        open_each()
