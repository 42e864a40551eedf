"""What the peers share: their options, MNIST's training images, and a clock that counts training alone."""

import argparse
import ctypes
import gzip
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read as the library loads; they would choose slower kernels
    os.environ.pop(name, None)

import numpy as np
import torch

SAMPLES = 2000


def parse_options(description: str, rate: float, **flags: str) -> argparse.Namespace:
    """The command line, with the named flags and their helps; also seeds PyTorch and sets its threads."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--minutes", type=float, default=10, help="of training (default 10)")
    parser.add_argument("--checkpoints", default="1,3,10", help="minutes that end with samples (default 1,3,10)")
    parser.add_argument("--rate", type=float, default=rate, help=f"Adam's (default {rate:g})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="(default 2); OpenBLAS takes all cores")
    parser.add_argument("--data", type=Path, required=True, help="the folder that has mnist/")
    parser.add_argument("--out", type=Path, required=True, help="the folder for samples_Nmin.npy")
    for name, text in flags.items():
        parser.add_argument("--" + name.replace("_", "-"), action="store_true", help=text)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    # Buffers that go back to the kernel at every step come again page by page: let malloc keep them.
    libc, trim_threshold, mmap_threshold = ctypes.CDLL(None), -1, -3
    libc.mallopt(mmap_threshold, 1 << 30)
    libc.mallopt(trim_threshold, (1 << 31) - 1)
    print(torch.__config__.parallel_info(), flush=True)
    return options


def read_images(data: Path) -> torch.Tensor:
    """MNIST's training images, float [60000, 784] in [0, 1]."""
    with gzip.open(data / "mnist" / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return torch.from_numpy(pixels.reshape(-1, 784).astype(np.float32)).div_(255)


def batches(images: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Batches of shuffled images, epoch after epoch without end; what fills no batch at an epoch's end is dropped."""
    while True:
        for chosen in torch.randperm(len(images)).split(size)[: len(images) // size]:
            yield images[chosen]


def train(options: argparse.Namespace, step: Callable[[], None], sample: Callable[[int], torch.Tensor]) -> None:
    """Repeats step() for options.minutes; writes sample(2000), [2000, 784] in [0, 1], at checkpoints, off the clock."""
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoints = {float(minutes) for minutes in options.checkpoints.split(",")} | {options.minutes}
    iterations, seconds = 0, 0.0
    for minutes in sorted(c for c in checkpoints if c <= options.minutes):
        while seconds < 60 * minutes:
            begin = time.perf_counter()
            step()
            seconds += time.perf_counter() - begin
            iterations += 1
        with torch.no_grad():
            np.save(options.out / f"samples_{minutes:g}min.npy", sample(SAMPLES).numpy())
        print(f"{minutes:g} min: {iterations} iterations in {seconds:.1f} s of training", flush=True)
