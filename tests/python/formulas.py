"""What the tests of the Python face share: a problem that has nothing special, and the formulas in NumPy's doubles."""

import numpy as np

two_points = np.array([[0.25], [0.75]])  # in the middle of the halves of [0, 1]


def problem(n=40, count=30, d=3, seed=0):
    """Sources, targets, a potential and weights that have nothing special."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)).astype(np.float32)
    y = rng.normal(size=(count, d)).astype(np.float32)
    weights = rng.uniform(0.5, 1.5, count)
    return x, y, rng.normal(size=count) / 4, weights / weights.sum()


def costs(x, y, metric="sqeuclidean"):
    """c(x_i, y_j) in double."""
    difference = x[:, None].astype(np.float64) - y[None].astype(np.float64)
    return {
        "sqeuclidean": (difference**2).sum(2),
        "euclidean": np.sqrt((difference**2).sum(2)),
        "cityblock": np.abs(difference).sum(2),
        "power": np.sqrt((difference**2).sum(2)) ** 1.5,
    }[metric]


def scores(x, y, psi, metric="sqeuclidean"):
    """psi_j - c(x_i, y_j) in double."""
    return psi - costs(x, y, metric)


def softmax(x, y, psi, reg, weights, metric="sqeuclidean"):
    """The responsibilities [n, J] and the c-transform [n] for reg > 0."""
    s = scores(x, y, psi, metric) / reg + np.log(weights)
    top = s.max(1, keepdims=True)
    e = np.exp(s - top)
    return e / e.sum(1, keepdims=True), -reg * (np.log(e.sum(1)) + top[:, 0])


def softmin(c, weights, reg):
    """-reg log sum_j weights_j exp(-c_ij / reg) for each row i."""
    least = c.min(1)
    return least - reg * np.log((weights * np.exp((least[:, None] - c) / reg)).sum(1))


def sinkhorn(c, a, b, reg, iterations=5000):
    """Potentials [n] and [m], and the plan [n, m], of entropic transport with costs c: alternate softmins in double."""
    psi = np.zeros(len(b))
    for _ in range(iterations):
        phi = softmin(c - psi, b, reg)
        psi = softmin((c - phi[:, None]).T, a, reg)
    return phi, psi, a[:, None] * b * np.exp((phi[:, None] + psi - c) / reg)
