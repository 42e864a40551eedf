#!/usr/bin/env python3
"""Stippling: a picture in dots that each stand for as much of its ink.

N points of equal weight approximate the ink best, in the transport cost, where each lies at the barycentre of its cell
in the plan (de Goes, Breeden, Ostromoukhov, Desbrun, Blue noise through optimal transport, 2012). In turn the plan is
solved, and each point moved to its barycentre; dots come to be as far apart as they can.
"""

import argparse
import time

import numpy as np
import panels
import semidual
from PIL import Image


def sampler(ink, rng):
    """A function of n that draws points (x, y) [n, 2] by the ink [h, w] of a picture of width 1: pixels by the inverse
    of the distribution function, then anywhere within them."""
    cumulative, width = np.cumsum(ink) / ink.sum(), ink.shape[1]

    def draw(n):
        row, column = np.divmod(np.searchsorted(cumulative, rng.random(n), side="right"), width)
        return (np.stack([column, row], 1) + rng.random((n, 2))) / width

    return draw


def barycentres(points, x, index):
    """The mean [N, 2] of what of x [n, 2] each point got; one that got nothing stays."""
    mass = np.bincount(index, minlength=len(points))[:, None]
    sums = np.stack([np.bincount(index, coordinate, len(points)) for coordinate in x.T], 1)
    return np.where(mass > 0, sums / np.maximum(mass, 1), points)


def panel(points, shape, width=470):
    return panels.drawn(width, round(width * shape[0] / shape[1]), (points * width, 90 / len(points) ** 0.5, "#222222"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", metavar="FILE", help="a picture, dark on light [scikit-learn's china.jpg]")
    parser.add_argument("--points", type=int, default=5000, help="dots [%(default)s]")
    parser.add_argument("--rounds", type=int, default=8, help="solves [%(default)s]")
    parser.add_argument("--out", default="stippling.png", help="the picture [%(default)s]")
    parser.add_argument("--small", action="store_true", help="100 dots for a grey wedge, for a test")
    asked = parser.parse_args()
    if asked.small:
        asked.points, grey = 100, np.tile(np.linspace(0, 230, 60), (40, 1))
    else:
        picture = Image.open(asked.picture) if asked.picture else panels.photograph("china.jpg")
        grey = np.asarray(picture.convert("L"), float)

    semidual.set_threads(1)
    ink = (1 - grey / 255) ** 1.5
    draw = sampler(ink, np.random.default_rng(0))
    first = points = draw(asked.points)
    hexagons = 5 / (18 * 3**0.5) * ink.shape[0] / ink.shape[1] / asked.points  # the cost of regular ones on even ink
    for k in range(asked.rounds):
        start = time.process_time()
        coupling = semidual.Coupling(points).fit(draw, tolerance=0.02)
        x = draw(200 * asked.points)
        index = coupling.assign(x)
        cost = np.square(x - points[index]).sum(1).mean()
        points = barycentres(points, x, index)
        print(
            f"round {k + 1}: cost {cost:.3e}, {cost / hexagons:.3f} of hexagons', chi2 {coupling.chi2:.3f}, "
            f"{time.process_time() - start:.1f} s",
            flush=True,
        )
    above = ["drawn by the ink", f"after {asked.rounds} rounds"]
    panels.sheet([[panel(first, ink.shape), panel(points, ink.shape)]], above, colours=16).save(asked.out)
    print(asked.out)


if __name__ == "__main__":
    main()
