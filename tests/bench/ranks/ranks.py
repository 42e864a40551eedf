"""What an iteration of `train` takes by ranks of an MPI, and what a model of it says.

    make MPI=1 && python3 tests/bench/ranks/ranks.py

MNIST, the paper's MLP at lambda = 0. The time of one rank with half the inner steps gives what all ranks do alike, that
at a quarter of the points what each point takes; the rest are the inner steps' batches. slow_network.cpp counts the
messages of an iteration, and makes them slower. Prints medians of 30 iterations beside the model's, then the model for
many ranks. Each rank has one thread."""

import csv
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

PROGRAM = "build/mpi/semidual"
CORES = len(os.sched_getaffinity(0))
SKIPPED, MEASURED = 5, 30
NETWORKS = {"2 us, 10 GB/s": (2e-6, 10e9), "30 us, 1 GB/s": (30e-6, 1e9)}


def depth(ranks):
    return (ranks - 1).bit_length()


class Model:
    """Seconds of an iteration on one core: alike on all ranks, of batches, of each point; and its messages."""

    def __init__(self, alike, batches, per_point, messages):
        self.alike, self.batches, self.per_point, self.messages = alike, batches, per_point, messages

    def seconds(self, points, ranks, latency, bandwidth=float("inf"), cores=None):
        """Of ranks with a core each, or that share so many."""
        crowd = 1 if cores is None else max(1, ranks / cores)
        computing = crowd * (self.alike + (self.batches + self.per_point * points) / ranks)
        if ranks == 1:
            return computing
        steps = (depth(ranks) * (2 * self.messages["reductions"] + self.messages["broadcasts"])
                 + (ranks - 1) * self.messages["receipts"])
        return computing + latency * steps + 2 * depth(ranks) * self.messages["bytes"] / bandwidth


def run(ranks, folder, shim, points=0, iterations=SKIPPED + MEASURED, latency=0, inner=10):
    """The median seconds of an iteration, and the messages of all."""
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "OMPI_MCA_mpi_yield_when_idle": "1", "NETWORK_LATENCY": str(latency * 1e6),
                   "NETWORK_COUNTS": str(folder / "counts.json")}
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(name, None)
    options = ["--data", "mnist", "--points", points, "--preset", "paper", "--lambda", 0, "--inner", inner,
               "--iterations", iterations, "--threads", 1, "--samples-every", 10**6, "--checkpoint-every", 10**6]
    command = ["mpirun", "--bind-to", "none", "--oversubscribe", "-n", ranks, "env", f"LD_PRELOAD={shim}", PROGRAM,
               "train", *options, "--out", folder / "run", "--force"]
    subprocess.run([str(word) for word in command], env=environment, check=True, stdout=subprocess.DEVNULL)
    with open(folder / "run/metrics.csv", encoding="utf-8") as file:
        seconds = [float(row["iteration_seconds"]) for row in csv.DictReader(file)]
    return statistics.median(seconds[SKIPPED:]), json.loads((folder / "counts.json").read_text())


def measured(folder, shim):
    whole, few_points, few_steps = (run(1, folder, shim, points, inner=inner)[0]
                                    for points, inner in ((60000, 10), (15000, 10), (60000, 5)))
    print(f"one rank: {whole:.4f} s, {few_points:.4f} s at 15000 points, {few_steps:.4f} s with 5 inner steps")
    alike, per_point = 2 * few_steps - whole, (whole - few_points) / 45000
    few, many = (run(2, folder, shim, iterations=n)[1] for n in (10, 30))
    messages = {kind: (many[kind] - few[kind]) / 20 for kind in few}
    print("messages of an iteration:", messages)
    return Model(alike, whole - alike - 60000 * per_point, per_point, messages)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shim = folder / "slow_network.so"
        source = pathlib.Path(__file__).with_name("slow_network.cpp")
        flags = ["-std=c++20", "-DOMPI_SKIP_MPICXX", "-O2", "-shared", "-fPIC"]
        subprocess.run(["mpicxx", *flags, source, "-o", shim], check=True)
        model = measured(folder, shim)
        print("\n| ranks | added to a message | measured | model |\n|---|---|---|---|")
        for ranks in (1, 2, 4):
            for latency in (0, 200e-6, 1e-3) if ranks > 1 else (0,):
                seconds = run(ranks, folder, shim, latency=latency)[0]
                told = model.seconds(60000, ranks, latency, cores=CORES)
                print(f"| {ranks} | {latency * 1e6:.0f} us | {seconds:.4f} s | {told:.4f} s |", flush=True)
    counts = (1, 2, 8, 32, 128, 1000)
    for network, (latency, bandwidth) in NETWORKS.items():
        print(f"\n| {network} | " + " | ".join(f"{ranks} ranks" for ranks in counts) + " |")
        print("|---" * (1 + len(counts)) + "|")
        for points in (10**5, 10**6, 10**7, 10**8, 10**9):
            cells = (f"{model.seconds(points, ranks, latency, bandwidth):.3g}" for ranks in counts)
            print(f"| {points:.0e} points | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
