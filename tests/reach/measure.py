#!/usr/bin/env python3
"""measure.py points SECONDS SEEDS or measure.py table FILE.csv SECONDS SEEDS: trains with the defaults and prints, a line
a seed, how far samples are from points that were not trained on, beside how far as many points of the data are.

Needs numpy and SciPy. SEMIDUAL names the program [build/semidual], TRAIN what goes before it, such as "taskset -c 0",
and MORE what goes after, such as "--threads 1".
"""
import csv
import json
import os
import shlex
import subprocess
import sys
import tempfile

import numpy
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import points

program = os.environ.get("SEMIDUAL", "build/semidual")


def run(*arguments, before=""):
    words = shlex.split(before) + [program, *map(str, arguments)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout)
    return done.stdout


def train(data, seconds, seed, out):
    run("train", "--data", data, "--minutes", seconds / 60, "--seed", seed, "--out", out,
        *shlex.split(os.environ.get("MORE", "")), before=os.environ.get("TRAIN", ""))


def distance(x, y, power):
    """W_p between as many points."""
    cost = cdist(x, y) ** power
    return cost[linear_sum_assignment(cost)].mean() ** (1 / power)


def samples_of(out, count, folder):
    file = os.path.join(folder, "samples.npy")
    run("sample", out, "--count", count, "--seed", 1, "--out", file)
    return numpy.load(file).astype(float)


def measure_law(law, seconds, seeds, folder, count=5000, training=20000):
    data = os.path.join(folder, law + ".npy")
    numpy.save(data, points.draw(law, training, 1).astype(numpy.float32))
    held_out = points.draw(law, count, 2)
    fresh = numpy.array([distance(points.draw(law, count, 3 + k), held_out, 2) for k in range(5)])
    for seed in range(seeds):
        out = os.path.join(folder, f"{law}-{seed}")
        train(data, seconds, seed, out)
        x = samples_of(out, count, folder)
        line = f"{law:6} seed {seed}: W2 {distance(x, held_out, 2):.4f}, of fresh points {fresh.mean():.4f} ± {fresh.std():.4f}"
        if law in points.mixtures:
            centres = points.mixtures[law]()[0]
            nearest = lambda some: numpy.bincount(cdist(some, centres).argmin(1), minlength=len(centres))
            shares = nearest(x) / (count / training) / nearest(numpy.load(data))
            line += f", {shares.min():.2f} to {shares.max():.2f} of the points that are nearest to each mode"
        print(line, flush=True)


def coordinates(table, config):
    """The rows of a table as evaluate compares them: texts as 0 and 1, scaled; rows with other texts are left out."""
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    found = []
    for row in rows:
        point = []
        for cell, column in zip(row, config["data"]["columns"]):
            kinds = column.get("categories")
            point += [float(cell)] if not kinds else [float(cell == kind) for kind in kinds] if cell in kinds else [float("nan")] * len(kinds)
        found.append(point)
    found = scaled(numpy.array(found), config)
    return found[numpy.isfinite(found).all(1)]


def scaled(x, config):
    scaling = config.get("scaling")
    return x if scaling is None else (x - scaling["shift"]) / scaling["scale"]


def split(table, folder, share=0.7):
    with open(table, newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    order = numpy.random.default_rng(0).permutation(len(rows))
    names = []
    for name, part in ("training", order[: int(share * len(rows))]), ("held_out", order[int(share * len(rows)) :]):
        names.append(os.path.join(folder, name + ".csv"))
        with open(names[-1], "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header] + [rows[i] for i in part])
    return names


def measure_table(table, seconds, seeds, folder):
    training, held_out = split(table, folder)
    name = os.path.splitext(os.path.basename(table))[0]
    for seed in range(seeds):
        out = os.path.join(folder, f"run-{seed}")
        train(training, seconds, seed, out)
        with open(os.path.join(out, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        y, data = coordinates(held_out, config), coordinates(training, config)
        rng = numpy.random.default_rng(1)
        floor = [distance(data[rng.permutation(len(data))[: len(y)]], y, 1) for _ in range(10)]
        x = scaled(samples_of(out, 10 * len(y), folder), config).reshape(10, len(y), -1)
        rounded = os.path.join(folder, "samples.csv")
        run("sample", out, "--count", len(y), "--seed", 1, "--out", rounded)
        print(f"{name:16} seed {seed}: {len(data)} rows of {data.shape[1]} coordinates, W1 {numpy.mean([distance(part, y, 1) for part in x]):.4f}"
              f" (as a table {distance(coordinates(rounded, config), y, 1):.4f}), of training rows {numpy.mean(floor):.4f}", flush=True)


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if kind == "points":
            for law in ("ring", "moons", "eight", "grid"):
                measure_law(law, float(rest[0]), int(rest[1]), folder)
        else:
            measure_table(rest[0], float(rest[1]), int(rest[2]), folder)
