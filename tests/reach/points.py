#!/usr/bin/env python3
"""points.py LAW COUNT SEED FILE.npy: draws points of a law in the plane: ring, moons, eight or grid."""
import sys

import numpy


def ring():
    """8 Gaussians of deviation 0.02 on a circle of radius 2."""
    angle = 2 * numpy.pi * numpy.arange(8) / 8
    return 2 * numpy.stack([numpy.cos(angle), numpy.sin(angle)], 1), numpy.full(8, 0.02), numpy.full(8, 1 / 8)


def eight():
    """8 Gaussians here and there, of deviations from 0.02 to 0.16 and weights from 1/16 to 3/16."""
    rng = numpy.random.default_rng(8)
    weights = numpy.linspace(1, 3, 8)
    return 4 * rng.random((8, 2)), numpy.geomspace(0.02, 0.16, 8), weights / weights.sum()


def grid():
    """25 Gaussians of deviation 0.05, 2 apart."""
    return numpy.array([[x, y] for x in range(-4, 5, 2) for y in range(-4, 5, 2)]), numpy.full(25, 0.05), numpy.full(25, 1 / 25)


mixtures = {"ring": ring, "eight": eight, "grid": grid}


def moons(rng, count):
    """Two half circles of radius 1 that interlock, with noise of deviation 0.05."""
    angle, upper = numpy.pi * rng.random(count), rng.random(count) < 0.5
    points = numpy.stack([numpy.cos(angle), numpy.sin(angle)], 1)
    return numpy.where(upper[:, None], points, [1, 0.5] - points) + 0.05 * rng.standard_normal((count, 2))


def draw(law, count, seed):
    rng = numpy.random.default_rng(seed)
    if law == "moons":
        return moons(rng, count)
    centres, deviations, weights = mixtures[law]()
    mode = rng.choice(len(weights), size=count, p=weights)
    return centres[mode] + deviations[mode, None] * rng.standard_normal((count, 2))


if __name__ == "__main__":
    law, count, seed, path = sys.argv[1:]
    numpy.save(path, draw(law, int(count), int(seed)).astype(numpy.float32))
