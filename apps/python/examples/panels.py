"""Pictures of points and paths, and pictures side by side, for the examples."""

from typing import Any, Sequence, Tuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_FINER = 4  # drawn so many times larger, then shrunk, for smooth edges
_GAP, _LINE = 10, 20


def photograph(name: str) -> Image.Image:
    """china.jpg or flower.jpg, which come with scikit-learn (by danielbuechele and vultilion, CC BY 2.0)."""
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(name))


def drawn(width: int, height: int, *layers: Tuple[np.ndarray, float, str]) -> Image.Image:
    """Layers (array, size, colour), each over those before: discs of radius size about points [n, 2], or lines of width
    size along paths [n, steps, 2], in pixels (x, y) from the upper left corner."""
    picture = Image.new("RGB", (width * _FINER, height * _FINER), "#f7f7f7")
    draw = ImageDraw.Draw(picture)
    for array, size, colour in layers:
        size *= _FINER
        for shape in np.asarray(array, float) * _FINER:
            if array.ndim == 2:
                draw.ellipse([*(shape - size), *(shape + size)], fill=colour)
            else:
                draw.line(shape.ravel().tolist(), fill=colour, width=round(size))
    return picture.resize((width, height), Image.LANCZOS)


def _words(text: str, across: int) -> Image.Image:
    font: Any = ImageFont.load_default()
    try:
        font = ImageFont.truetype("DejaVuSans.ttf", 14)
    except OSError:
        pass
    strip = Image.new("RGB", (across, _LINE), "white")
    draw = ImageDraw.Draw(strip)
    left, _, right, _ = draw.textbbox((0, 0), text, font=font)
    draw.text(((across - left - right) / 2, 2), text, "#333333", font)
    return strip


def sheet(
    rows: Sequence[Sequence[Image.Image]], above: Sequence[str], beside: Sequence[str] = (), colours: int = 256
) -> Image.Image:
    """Rows of pictures of one size, with words above the columns and, upright, beside the rows; of few colours, for
    small files."""
    width, height = rows[0][0].size
    xs = [_GAP + (_LINE if beside else 0) + j * (width + _GAP) for j in range(len(rows[0]))]
    ys = [_GAP + _LINE + i * (height + _GAP) for i in range(len(rows))]
    result = Image.new("RGB", (xs[-1] + width + _GAP, ys[-1] + height + _GAP), "white")
    for x, text in zip(xs, above):
        result.paste(_words(text, width), (x, _GAP // 2))
    for y, text in zip(ys, beside):
        result.paste(_words(text, height).rotate(90, expand=True), (_GAP // 2, y))
    for y, row in zip(ys, rows):
        for x, picture in zip(xs, row):
            result.paste(picture, (x, y))
    return result.quantize(colours, kmeans=1)
