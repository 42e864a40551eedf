"""c-transforms, maps and shares against the formulas, and what may be passed as arrays."""

import unittest

import numpy as np
import semidual
from semidual import _arrays
from formulas import problem, scores, softmax


def setUpModule():
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


class Elsewhere:
    """An array of another library: NumPy sees it by DLPack alone."""

    def __init__(self, array, device=1):
        self._array, self._device = array, device

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._device, 0


class CTransform(unittest.TestCase):
    def test_at_reg_0_it_is_the_minimum_and_its_gradient_that_of_the_winner(self):
        x, y, psi, weights = problem()
        value, gradient = semidual.c_transform(x, y, psi, weights=weights, gradient=True)
        s = scores(x, y, psi)
        winner = s.argmax(1)
        np.testing.assert_allclose(value, -s.max(1), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(gradient, 2 * (x - y[winner]), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(semidual.semidiscrete_c_transform(y, x, psi, weights), value)
        np.testing.assert_allclose(semidual.semidiscrete_ot_map(y, x, psi, weights), y[winner])
        mass = np.bincount(winner, minlength=len(y)) / len(x)
        np.testing.assert_allclose(semidual.marginal(x, y, psi, weights=weights), mass, atol=1e-6)
        shares = semidual.semidiscrete_atom_weights(y, x, psi, weights)
        np.testing.assert_array_equal(shares, np.eye(len(y))[winner])

    def test_for_reg_above_0_it_is_the_weighted_soft_minimum(self):
        x, y, psi, weights = problem()
        reg = 0.05
        shares, expected = softmax(x, y, psi, reg, weights)
        value, gradient = semidual.c_transform(x, y, psi, reg, weights, gradient=True)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(gradient, 2 * (x - shares @ y), rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(semidual.semidiscrete_c_transform(y, x, psi, weights, reg=reg), value)
        np.testing.assert_allclose(semidual.marginal(x, y, psi, reg, weights), shares.mean(0), atol=1e-4)
        found = semidual.semidiscrete_atom_weights(y, x, psi, weights, reg=reg)
        np.testing.assert_allclose(found, shares, atol=1e-3)
        found = semidual.semidiscrete_ot_map(y, x, psi, weights, reg=reg)
        np.testing.assert_allclose(found, shares @ y, atol=1e-3)

    def test_other_metrics_follow_their_formulas(self):
        x, y, psi, weights = problem()
        for name in ("euclidean", "cityblock", "power"):
            metric = (name, 1.5) if name == "power" else name
            with self.subTest(metric=metric):
                value = semidual.c_transform(x, y, psi, metric=metric)
                np.testing.assert_allclose(value, -scores(x, y, psi, name).max(1), rtol=1e-4, atol=1e-5)
                shares, expected = softmax(x, y, psi, 0.05, weights, name)
                value = semidual.c_transform(x, y, psi, 0.05, weights, metric)
                np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
                found = semidual.semidiscrete_ot_map(y, x, psi, weights, metric, 0.05)
                np.testing.assert_allclose(found, shares @ y, atol=1e-3)

    def test_weights_are_divided_by_their_sum(self):
        x, y, psi, weights = problem()
        a = semidual.c_transform(x, y, psi, 0.05, weights)
        np.testing.assert_allclose(semidual.c_transform(x, y, psi, 0.05, 7 * weights), a, rtol=1e-6)


class Arrays(unittest.TestCase):
    def test_other_types_and_strides_give_what_float32_gives(self):
        x, y, psi, _ = problem()
        x, y = np.round(8 * x).astype(np.float32), np.round(8 * y).astype(np.float32)
        expected = semidual.c_transform(x, y, psi)
        wide = np.zeros((2 * len(y), 2 * y.shape[1]), np.float32)
        wide[::2, ::2] = y
        others = {
            "float64": y.astype(np.float64),
            "float16": y.astype(np.float16),
            "int64": y.astype(np.int64),
            "int8": y.astype(np.int8),
            "list": y.tolist(),
            "strided": wide[::2, ::2],
            "columns first": np.asfortranarray(y),
            "other byte order": y.astype(">f4"),
        }
        for name, other in others.items():
            with self.subTest(name):
                np.testing.assert_array_equal(semidual.c_transform(x, other, psi), expected)
        np.testing.assert_array_equal(semidual.c_transform(x.astype(np.int32), y, psi.astype(np.float32)), expected)

    def test_bytes_stand_for_their_255th(self):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 256, (20, 5)).astype(np.uint8)
        x = rng.integers(0, 256, (10, 5)).astype(np.uint8)
        psi = np.zeros(20)
        expected = semidual.c_transform(x / 255, y / 255, psi)
        np.testing.assert_allclose(semidual.c_transform(x, y, psi), expected, atol=1e-5)
        winner = scores(x / 255, y / 255, psi).argmax(1)
        np.testing.assert_allclose(semidual.semidiscrete_ot_map(y, x, psi), y[winner] / 255, rtol=1e-6)

    def test_no_rows_give_no_values(self):
        _, y, psi, _ = problem()
        x = np.empty((0, 3))
        self.assertEqual(semidual.c_transform(x, y, psi).shape, (0,))
        for reg in (0, 0.05):
            self.assertEqual(semidual.semidiscrete_ot_map(y, x, psi, reg=reg).shape, (0, 3))

    def test_tensors_of_torch_are_taken(self):
        try:
            import torch
        except ImportError:
            self.skipTest("torch is not installed")
        x, y, psi, _ = problem()
        found = semidual.c_transform(torch.tensor(x, requires_grad=True), torch.tensor(y), torch.tensor(psi))
        np.testing.assert_array_equal(found, semidual.c_transform(x, y, psi))
        self.assertTrue(np.shares_memory(_arrays.sources("x", torch.from_numpy(x), 3, "y"), x))
        with self.assertRaisesRegex(ValueError, "^x: "):
            semidual.c_transform(torch.tensor(x, dtype=torch.bfloat16), y, psi)

    def test_what_speaks_dlpack_is_taken_without_a_copy(self):
        if not hasattr(np, "from_dlpack"):
            self.skipTest("this NumPy has no DLPack")
        x, y, psi, _ = problem()
        given = Elsewhere(x)
        taken = _arrays.sources("x", given, 3, "y")
        self.assertTrue(np.shares_memory(taken, x))
        expected = semidual.c_transform(x, y, psi)
        found = semidual.c_transform(given, Elsewhere(y.astype(np.float64)), Elsewhere(psi))
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(semidual.c_transform(Elsewhere(x[::2]), y, psi), expected[::2])
        with self.assertRaisesRegex(ValueError, "^x: it lies in the memory of a device"):
            semidual.c_transform(Elsewhere(x, device=2), y, psi)

    def test_what_will_not_do_is_said_in_one_line_with_its_name(self):
        x, y, psi, weights = problem()
        nan = y.copy()
        nan[2, 1] = np.nan
        infinite, flat = x.copy(), x[:, :2]
        infinite[3, 2] = np.inf
        far, steep = np.full((1, 3), 1e20), np.full((1, 3), 20.0)
        fitted = semidual.Coupling(y, 0.1)
        fitted.psi = psi
        cases = [
            ("x: shape (40,), where 2 axes", lambda: semidual.c_transform(x[:, 0], y, psi)),
            ("x: shape (40, 2), where points of y have 3", lambda: semidual.c_transform(flat, y, psi)),
            ("y: shape (1, 30, 3)", lambda: semidual.c_transform(x, y[None], psi)),
            ("y: shape (0, 3), where at least one", lambda: semidual.c_transform(x, y[:0], psi[:0])),
            ("psi: shape (29,), where y has 30", lambda: semidual.c_transform(x, y, psi[1:])),
            ("psi: number 0 is not finite", lambda: semidual.c_transform(x, y, psi * np.inf)),
            ("weights: shape (29,)", lambda: semidual.c_transform(x, y, psi, weights=weights[1:])),
            ("weights: least -", lambda: semidual.c_transform(x, y, psi, weights=-weights)),
            ("weights: least 0, sum 0", lambda: semidual.c_transform(x, y, psi, weights=0 * weights)),
            ("weights: least nan", lambda: semidual.c_transform(x, y, psi, weights=np.nan * weights)),
            ("x: dtype complex64", lambda: semidual.c_transform(x + 0j, y, psi)),
            ("y: dtype object", lambda: semidual.c_transform(x, y.astype(object), psi)),
            ("x: dtype bool", lambda: semidual.c_transform(x > 0, y, psi)),
            ("x: dtype <U", lambda: semidual.c_transform(x.astype(str), y, psi)),
            ("x: ", lambda: semidual.c_transform([[1, 2, 3], [1]], y, psi)),
            ("x: row 3 is not finite", lambda: semidual.c_transform(infinite, y, psi)),
            ("x: shape (0, 3), where at least one", lambda: semidual.marginal(x[:0], y, psi)),
            ("x: row 0 is not finite", lambda: semidual.c_transform(x.astype(np.float64) * 1e300, y, psi)),
            ("x: some numbers are masked", lambda: semidual.c_transform(np.ma.masked_greater(x, 0), y, psi)),
            ("psi: number 0 is not finite, or more than float32", lambda: semidual.c_transform(x, y, psi + 1e39)),
            ("x: the costs from point 0 are more than float", lambda: semidual.c_transform(far, y, psi)),
            ("x: the costs from point 0", lambda: semidual.semidiscrete_ot_map(y, steep, psi, metric=("power", 40))),
            ("x: the costs from point 0", lambda: semidual.semidiscrete_atom_weights(y, 3e18 * far, psi, reg=0.1)),
            ("x: the costs from point 0", lambda: fitted.assign(3e18 * far)),
            ("y: [target] squared distances must not overflow", lambda: semidual.Coupling([[1e30], [0]])),
            ("psi, or its value, is not finite", lambda: semidual.solve_semidiscrete(y, lr0=1e39, max_iter=3)),
            ("init_potential: number 0", lambda: semidual.solve_semidiscrete(y, init_potential=psi + 1e300)),
            ("y: row 2 is not finite", lambda: semidual.c_transform(x, nan, psi)),
            ("reg: -1", lambda: semidual.c_transform(x, y, psi, -1)),
            ("reg: nan", lambda: semidual.c_transform(x, y, psi, float("nan"))),
            ("reg: 'much'", lambda: semidual.c_transform(x, y, psi, "much")),
            ("metric: 'cosine'", lambda: semidual.c_transform(x, y, psi, metric="cosine")),
            ("metric: ", lambda: semidual.c_transform(x, y, psi, metric=lambda x, y: 0)),
            ("metric: 0.5, where 1", lambda: semidual.c_transform(x, y, psi, metric=("power", 0.5))),
            ("X_source: shape (40, 2), where points of X_target", lambda: semidual.semidiscrete_ot_map(y, flat, psi)),
            ("semi_dual_potential: shape", lambda: semidual.semidiscrete_ot_map(y, x, psi[1:])),
            ("a_target: shape", lambda: semidual.solve_semidiscrete(y, a_target=weights[1:])),
            ("solver: 'newton'", lambda: semidual.solve_semidiscrete(y, solver="newton")),
            ("sampler_source: 'cauchy'", lambda: semidual.solve_semidiscrete(y, "cauchy")),
            ("max_iter: 0", lambda: semidual.solve_semidiscrete(y, max_iter=0)),
            ("batch_size: 1.5", lambda: semidual.solve_semidiscrete(y, batch_size=1.5)),
            ("seed: -1", lambda: semidual.solve_semidiscrete(y, seed=-1)),
            ("tolerance: -1", lambda: semidual.solve_semidiscrete(y, tolerance=-1)),
            ("lr0: inf", lambda: semidual.solve_semidiscrete(y, lr0=float("inf"))),
            ("decreasing_reg: POT's", lambda: semidual.solve_semidiscrete(y, decreasing_reg=False)),
            ("n: 65, where a number of threads is needed, 0 to 64", lambda: semidual.set_threads(65)),
            ("n: -1", lambda: semidual.set_threads(-1)),
        ]
        for message, attempt in cases:
            with self.subTest(message):
                with self.assertRaises(ValueError) as caught:
                    attempt()
                self.assertIn(message, str(caught.exception))
                self.assertNotIn("\n", str(caught.exception))
        with self.assertRaises(TypeError):
            semidual.solve_semidiscrete(y, max_iterations=3)
