"""Algorithm 1 in PyTorch on a run's data, network and batches: seconds an iteration beside those of the run.

The vector psi, lambda = 0, ASGD with averaging: `semidual train --preset paper`. Prints the medians of both.
"""

import argparse
import ctypes
import json
import os
import subprocess
import time
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read as the library loads; they would choose slower kernels
    os.environ.pop(name, None)

import numpy as np
import torch
from torch import nn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a run of --preset paper, whose metrics.csv has the other's seconds")
    parser.add_argument("--data", type=Path, required=True, help="its images, uint8 .npy [J, h, w] or [J, h, w, c]")
    parser.add_argument("--program", default="build/semidual")
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    # Buffers that go back to the kernel at every step come again page by page: let malloc keep them.
    libc, trim_threshold, mmap_threshold = ctypes.CDLL(None), -1, -3
    libc.mallopt(mmap_threshold, 1 << 30)
    libc.mallopt(trim_threshold, (1 << 31) - 1)

    run = json.loads((options.run / "config.json").read_text())
    batch, inner, rate, latent = (run["options"][key] for key in ("batch", "inner", "dual-lr", "latent-dim"))
    info = subprocess.run([options.program, "info", options.run], capture_output=True, text=True, check=True).stdout
    network = info[info.index("nn.Sequential(") : info.index("\n)\n") + 2]
    generator = eval(network, {"nn": nn})  # as `semidual info` prints it
    images = np.load(options.data)
    images = images.reshape(*images.shape[:3], -1)
    y = torch.from_numpy(images).permute(0, 3, 1, 2).reshape(len(images), -1).float().div_(255)
    alpha = float((y * y).sum(1).mean())
    norms = (y * y).sum(1) / alpha
    psi, adam = torch.zeros(len(y)), torch.optim.Adam(generator.parameters())
    shape = (batch, latent, 1, 1) if run["options"]["generator"] == "dcgan" else (batch, latent)

    def points() -> torch.Tensor:
        return generator(torch.rand(shape) * 2 - 1).flatten(1)

    def least(x: torch.Tensor) -> torch.return_types.min:
        return torch.addmm(norms - psi, x, y.T, alpha=-2 / alpha).min(1)

    seconds = []
    for _ in range(options.iterations):
        start = time.perf_counter()
        mean = torch.zeros_like(psi)
        for k in range(1, inner + 1):
            with torch.no_grad():
                hit = torch.bincount(least(points()).indices, minlength=len(y)) / batch
                psi += rate / k**0.5 * (1 / len(y) - hit)
                mean += (psi - mean) / k
        psi = mean
        x = points()
        loss = ((x * x).sum(1) / alpha + least(x).values).mean() + psi.mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        seconds.append(time.perf_counter() - start)

    ours = np.loadtxt(options.run / "metrics.csv", delimiter=",", skiprows=3, usecols=2)
    theirs = float(np.median(seconds[1:]))
    print(f"PyTorch {theirs:.3f} s, semidual {np.median(ours):.3f} s an iteration, ratio {theirs / np.median(ours):.1f}")


if __name__ == "__main__":
    main()
