#!/usr/bin/env python3
"""Flow matching in the plane, with noise and data paired in three ways.

A network v is fitted to x1 - x0 at x_t = (1 - t) x0 + t x1, so that dx = v(x, t) dt takes noise x0 ~ N(0, I) to the
data (Lipman et al. 2023). x0 and x1 may be paired in any way: the less the pairs cross, the straighter are the paths,
and the fewer Euler steps follow them. Here they are independent, or each batch's noise is assigned to its data at the
least cost (Tong et al. 2024, torchcfm), or they come from the plan between N(0, I) and all the data, solved once.
"""

import argparse
import time

import numpy as np
import panels
import semidual
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

BATCH, EULER_STEPS = 256, (1, 2, 4, 16)


def moons(n, rng):
    """Points [n, 2] of two moons of equal weight about 0, each the other's mirror image."""
    angle = np.pi * rng.random(n)
    moon = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], 1) * np.where(np.arange(n) % 2, 1, -1)[:, None]
    return (2 * moon + 0.1 * rng.standard_normal((n, 2))).astype(np.float32)


def independent(y, rng):
    """A function of n that returns pairs x0, x1 [n, 2]."""
    return lambda n: (rng.standard_normal((n, 2), np.float32), y[rng.integers(len(y), size=n)])


def best_in_batch(y, rng):
    def pairs(n):
        x0, x1 = independent(y, rng)(n)
        return x0, x1[linear_sum_assignment(cdist(x0, x1, "sqeuclidean"))[1]]

    return pairs


def semi_discrete(y, rng):
    coupling = semidual.Coupling(y).fit("normal", tolerance=0.02)

    def pairs(n):
        x0, index = coupling.pairs(n, seed=rng.integers(2**63))
        return x0, y[index]

    return pairs


def train(pairs, steps):
    """The network v of (x, t), and the seconds that its pairs took."""
    torch.manual_seed(0)
    layers = [layer for inputs in (3, 128, 128) for layer in (torch.nn.Linear(inputs, 128), torch.nn.SiLU())]
    v = torch.nn.Sequential(*layers, torch.nn.Linear(128, 2))
    optimizer = torch.optim.Adam(v.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    seconds = 0.0
    for _ in range(steps):
        start = time.process_time()
        x0, x1 = map(torch.from_numpy, pairs(BATCH))
        seconds += time.process_time() - start
        t = torch.rand(BATCH, 1)
        loss = (v(torch.cat([(1 - t) * x0 + t * x1, t], 1)) - (x1 - x0)).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return v, seconds


@torch.no_grad()
def follow(v, x0, steps):
    """The points [n, steps + 1, 2] on the way from x0 [n, 2] by Euler steps of dx = v(x, t) dt."""
    x = [torch.from_numpy(x0)]
    for k in range(steps):
        t = torch.full((len(x0), 1), k / steps)
        x.append(x[-1] + v(torch.cat([x[-1], t], 1)) / steps)
    return torch.stack(x, 1).numpy()


def squared_distance(x, y):
    """W_2^2 between as many points."""
    cost = cdist(x, y, "sqeuclidean")
    return cost[linear_sum_assignment(cost)].mean()


def curvature(paths):
    """The mean of |velocity - x_1 + x_0|^2 along paths, over that of |x_1 - x_0|^2: 0 where they are straight."""
    chord = (paths[:, -1] - paths[:, 0])[:, None]
    velocity = np.diff(paths, axis=1) * (paths.shape[1] - 1)
    return np.square(velocity - chord).sum(2).mean() / np.square(chord).sum(2).mean()


def panel(data, made, *paths):
    """What was made in red over the data in grey, with paths in blue."""
    place = lambda points: points * [28, -28] + [90, 70]
    lines = [(place(array), 0.7, "#2b5c9e") for array in paths]
    return panels.drawn(180, 140, (place(data), 0.8, "#cccccc"), *lines, (place(made), 0.8, "#c84232"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="flow_matching.png", help="the picture [%(default)s]")
    parser.add_argument("--small", action="store_true", help="seconds in place of minutes, for a test")
    asked = parser.parse_args()
    points, steps, count = (300, 100, 300) if asked.small else (5000, 4000, 2000)

    semidual.set_threads(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    y, held_out = moons(points, rng), moons(count, rng)
    noise = rng.standard_normal((count // 2, 2), np.float32)
    noise = np.concatenate([noise, -noise])  # as the moons mirror each other: distances are less by chance
    floor = squared_distance(moons(count, rng), held_out)
    print(f"{points} points, {steps} batches of {BATCH}. By Euler steps: W_2^2 of {count} points to as many that were")
    print(f"held out; of fresh points it is {floor:.4f}\n")
    print("pairs           cost  seconds  curvature" + "".join(f"{n:8}" for n in EULER_STEPS))
    ways = {"independent": independent, "best in batch": best_in_batch, "semi-discrete": semi_discrete}
    rows = []
    for name, way in ways.items():
        start = time.process_time()
        pairs = way(y, rng)
        ready = time.process_time() - start
        v, seconds = train(pairs, steps)
        cost = np.mean([np.square(np.subtract(*pairs(BATCH))).sum(1).mean() for _ in range(50)])
        paths = follow(v, noise, 100)
        made = [follow(v, noise, n)[:, -1] for n in EULER_STEPS]
        distances = "".join(f"{squared_distance(x, held_out):8.4f}" for x in made)
        print(f"{name:14} {cost:5.2f} {ready + seconds:8.1f} {curvature(paths):10.4f}{distances}", flush=True)
        rows.append([panel(held_out, paths[:100, -1], paths[:100])] + [panel(held_out, x) for x in made])
    above = ["paths", "1 Euler step"] + [f"{n} Euler steps" for n in EULER_STEPS[1:]]
    panels.sheet(rows, above, list(ways), colours=64).save(asked.out)
    print(f"\n{asked.out}")


if __name__ == "__main__":
    main()
