"""Semi-discrete transport from N(0, I) to MNIST: POT's loop (ot.semidiscrete, by its documented formulas) in PyTorch, and
Faiss's flat index, beside `import semidual`, on the same cores and in turns.

    PYTHONPATH=apps/python /usr/bin/python3 tests/bench/peers/semidiscrete.py fit|pairs|value|small --data DATA
"""

import argparse
import time
from pathlib import Path
from statistics import median

import timed_run  # first: it keeps OpenBLAS from slower kernels
import numpy as np
import semidual
import torch


def pot_loop(y, reg, batch, seconds, dtype=torch.float32, check=None, seed=0):
    """DRAG as in POT: g += lr0 / t^(2/3) (1/J - mean softmax) at reg_t = max(reg, 0.1 / sqrt(t)), clipped to the largest
    cost, averaged. check(g, seconds), which doesn't count, is called at each 1.3 of them and ends the loop if true."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.as_tensor(y, dtype=dtype)
    count, squares = len(y), (y * y).sum(1)
    draw = lambda: torch.randn(batch, y.shape[1], generator=generator, dtype=dtype)
    cost = lambda x: (x * x).sum(1, keepdim=True) - 2 * x @ y.T + squares
    largest, rate = float(cost(draw()).max()), (count * batch) ** 0.5
    g, mean, spent, following, step = torch.zeros(count, dtype=dtype), torch.zeros(count, dtype=dtype), 0.0, 1.0, 0
    while True:
        start = time.perf_counter()
        step += 1
        reg_now = max(reg, 0.1 / step**0.5)
        share = torch.softmax((g - cost(draw())) / reg_now, 1).mean(0)
        g = (g + rate / step ** (2 / 3) * (1 / count - share)).clamp(-largest, largest)
        mean += (g - mean) / step
        spent += time.perf_counter() - start
        if spent >= following or spent >= seconds:
            following = 1.3 * spent
            if (check and check(mean.numpy(), spent)) or spent >= seconds:
                return mean.numpy(), step, spent


def chi_squared(y, psi, reg, draws=65536, seed=99):
    """Without bias, by the shares of draws points: sum_j (q_j^2 of distinct pairs) J - 1."""
    source = np.random.default_rng(seed)
    count, total = len(y), np.zeros(len(y))
    squares = 0.0
    coupling = semidual.Coupling(y, reg)
    coupling.psi = psi
    for _ in range(draws // 2048):
        x = source.standard_normal((2048, y.shape[1]), dtype=np.float32)
        total += np.bincount(coupling.assign(x, source), minlength=count)
    squares = (total * total - total).sum()
    return squares * count / (draws * (draws - 1)) - 1


def fit(y, options):
    for reg in options.reg:
        def told(psi, seconds, name):
            chi2 = chi_squared(y, psi, reg)
            print(f"reg {reg:g} {name}: {seconds:.1f} s, chi2 {chi2:.3g}", flush=True)
            return chi2 <= 0.3

        start = time.perf_counter()
        psi, log = semidual.solve_semidiscrete(y, "normal", reg=reg, max_iter=10**6, tolerance=0.3, log=True)
        told(psi, time.perf_counter() - start, f"semidual, {log['samples']} samples")
        floats = y.astype(np.float32) / 255
        for batch in options.batch:
            pot_loop(floats, reg, batch, options.seconds, check=lambda g, s: told(g, s, f"POT's loop, batches of {batch}"))


def pairs(y, options):
    import faiss

    faiss.omp_set_num_threads(options.threads)
    psi = np.load(options.psi) if options.psi else np.zeros(len(y))
    floats = y.astype(np.float32) / 255
    centre = floats.mean(0)
    lifted = np.hstack([floats - centre, np.sqrt(psi.max() - psi)[:, None].astype(np.float32)])
    index = faiss.IndexFlatL2(lifted.shape[1])
    index.add(np.ascontiguousarray(lifted))
    coupling = semidual.Coupling(y)
    coupling.psi = psi
    times = {"faiss": [], "semidual": []}
    for turn in range(options.turns):
        x = np.random.default_rng(turn).standard_normal((options.queries, y.shape[1]), dtype=np.float32)
        query = np.hstack([x - centre, np.zeros((len(x), 1), np.float32)])
        start = time.perf_counter()
        theirs = index.search(query, 1)[1][:, 0]
        middle = time.perf_counter()
        ours = coupling.assign(x)
        times["faiss"].append(middle - start)
        times["semidual"].append(time.perf_counter() - middle)
        assert (ours == theirs).mean() > 0.99
    for name, seconds in times.items():
        print(f"{name}: {median(seconds) / options.queries * 200 * 1000:.1f} ms for 200")


def value(y, options):
    """The semi-dual of both at the same points, in units of the mean cost."""
    floats = y.astype(np.float32) / 255
    mean_cost = y.shape[1] + float((floats.astype(np.float64) ** 2).sum(1).mean())
    x = np.random.default_rng(5).standard_normal((16384, y.shape[1]), dtype=np.float32)
    for share in options.reg:
        reg = share * mean_cost
        both = {
            "semidual": semidual.solve_semidiscrete(y, "normal", reg=reg, max_iter=options.steps),
            "POT's loop": pot_loop(floats, reg, 200, options.seconds, torch.float64)[0],
        }
        for name, psi in both.items():
            at_points = semidual.c_transform(x, y, psi, reg).astype(np.float64) + psi.mean()
            error = at_points.std() / len(x) ** 0.5
            print(f"lambda {share:g} {name}: {at_points.mean():.4f} +- {error:.4f}", flush=True)


def small(y, options):
    """Exact transport between 50 x 50 points of the plane, and between two batches of 256 images, in turns."""
    images = y[:512].reshape(512, -1) / 255.0
    cases = {"50 x 50 points": np.random.default_rng(0).standard_normal((2, 50, 2)),
             "256 x 256 images": (images[:256], images[256:])}
    tasks = {"semidual.solve_sample": lambda a, b: semidual.solve_sample(a, b).value}
    try:
        import ot

        tasks["ot.emd2"] = lambda a, b: ot.emd2([], [], ot.dist(a, b))
    except ImportError:
        print("POT is not installed")
    for case, (a, b) in cases.items():
        seconds, values = {name: [] for name in tasks}, {}
        for _ in range(100):
            for name, task in tasks.items():
                start = time.perf_counter()
                values[name] = task(a, b)
                seconds[name].append(time.perf_counter() - start)
        for name in tasks:
            print(f"{case}, {name}: {median(seconds[name]) * 1e6:.0f} us, value {values[name]:.9g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["fit", "pairs", "value", "small"])
    parser.add_argument("--data", type=Path, required=True, help="the folder that has mnist/")
    parser.add_argument("--points", type=int, default=60000, help="the first of the images")
    parser.add_argument("--reg", type=float, nargs="+", default=[0.0, 0.01])
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 200], help="of POT's loop")
    parser.add_argument("--seconds", type=float, default=600, help="of POT's loop at most")
    parser.add_argument("--steps", type=int, default=1000, help="of semidual, for value")
    parser.add_argument("--psi", help="an .npy file with a potential, for pairs")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    semidual.set_threads(options.threads)
    images = (timed_run.read_images(options.data).numpy() * 255).round().astype(np.uint8)[: options.points]
    {"fit": fit, "pairs": pairs, "value": value, "small": small}[options.part](images, options)


if __name__ == "__main__":
    main()
