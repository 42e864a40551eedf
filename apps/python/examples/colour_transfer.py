#!/usr/bin/env python3
"""Colour transfer: each of two photographs in the colours of the other.

The colours of all pixels of one are the source, those of some pixels of the other the target, points in [0, 1]^3. Then
each pixel takes the mean of the colours that the plan gives it, its barycentric projection. reg makes that smooth, so
that pixels that were alike stay so: much less of it leaves noise, much more greys the colours.
"""

import argparse
import time

import numpy as np
import panels
import semidual
from PIL import Image


def colours(picture):
    """The colours [h w, 3] of a picture."""
    return np.asarray(picture, np.float32).reshape(-1, 3) / 255


def recolour(picture, palette, reg):
    """The picture in the colours of a palette [J, 3], and what the solve came to."""
    x, rng = colours(picture), np.random.default_rng(0)
    some = lambda n: x[rng.integers(len(x), size=n)]
    psi, log = semidual.solve_semidiscrete(palette, some, reg=reg, tolerance=0.02, log=True)
    moved = semidual.semidiscrete_ot_map(palette, x, psi, reg=reg)
    moved = np.rint(255 * moved.clip(0, 1)).astype(np.uint8)
    return Image.fromarray(moved.reshape(picture.height, picture.width, 3)), log


def noise(low, rng):
    """A picture of colours from low [3] to 80 above it."""
    return Image.fromarray((low + 80 * rng.random((40, 60, 3))).astype(np.uint8))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs=2, metavar="FILE", help="[scikit-learn's flower.jpg and china.jpg]")
    parser.add_argument("--palette", type=int, default=2000, help="pixels whose colours are the target [%(default)s]")
    parser.add_argument("--reg", type=float, default=0.01, help="regularization [%(default)s]")
    parser.add_argument("--out", default="colour_transfer.png", help="the picture [%(default)s]")
    parser.add_argument("--small", action="store_true", help="two small pictures of noise, for a test")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    if asked.small:
        pictures = noise([150, 60, 20], rng), noise([20, 90, 170], rng)
    elif asked.pictures:
        pictures = tuple(Image.open(file).convert("RGB") for file in asked.pictures)
    else:
        pictures = panels.photograph("flower.jpg"), panels.photograph("china.jpg")

    semidual.set_threads(1)
    shown = []
    for a, b in pictures, pictures[::-1]:
        start = time.process_time()
        palette = rng.choice(colours(b), asked.palette)
        recoloured, log = recolour(a, palette, asked.reg)
        shown += [a, recoloured]
        before, after = (np.linalg.norm(colours(p).mean(0) - colours(b).mean(0)) for p in (a, recoloured))
        print(
            f"{a.width} x {a.height} pixels, {len(palette)} colours: cost {log['value']:.3f}, chi2 {log['chi2']:.3f}, "
            f"means {before:.3f} apart before, {after:.3f} after, {time.process_time() - start:.1f} s",
            flush=True,
        )
    height = round(230 * pictures[0].height / pictures[0].width)
    row = [picture.resize((230, height), Image.LANCZOS) for picture in shown]
    above = ["a photograph", "in the other's colours"] * 2
    panels.sheet([row], above).save(asked.out)
    print(asked.out)


if __name__ == "__main__":
    main()
