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


def scores(x, y, psi, metric="sqeuclidean"):
    """psi_j - c(x_i, y_j) in double."""
    difference = x[:, None].astype(np.float64) - y[None].astype(np.float64)
    cost = {
        "sqeuclidean": (difference**2).sum(2),
        "euclidean": np.sqrt((difference**2).sum(2)),
        "cityblock": np.abs(difference).sum(2),
        "power": np.sqrt((difference**2).sum(2)) ** 1.5,
    }[metric]
    return psi - cost


def softmax(x, y, psi, reg, weights, metric="sqeuclidean"):
    """The responsibilities [n, J] and the c-transform [n] for reg > 0."""
    s = scores(x, y, psi, metric) / reg + np.log(weights)
    top = s.max(1, keepdims=True)
    e = np.exp(s - top)
    return e / e.sum(1, keepdims=True), -reg * (np.log(e.sum(1)) + top[:, 0])
