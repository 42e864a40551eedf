"""Transport between two sets of points: exact plans and values, Sinkhorn's, and the divergence."""

import itertools
import signal
import threading
import unittest

import numpy as np
import semidual
from formulas import costs, problem, sinkhorn


def setUpModule():
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


def two_sides(n=9, m=7, d=3, seed=0):
    """Points and weights of two sides that have nothing special."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.5, 1.5, n), rng.uniform(0.5, 1.5, m)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)), a / a.sum(), b / b.sum()


class Exact(unittest.TestCase):
    def test_equal_weights_make_the_best_of_all_permutations(self):
        x, y, _, _ = two_sides(6, 6)
        for metric in ("sqeuclidean", "euclidean", "cityblock", ("power", 1.5)):
            with self.subTest(metric=metric):
                c = costs(x, y, metric if isinstance(metric, str) else metric[0])
                best = min(c[np.arange(6), list(order)].sum() for order in itertools.permutations(range(6))) / 6
                found = semidual.solve_sample(x, y, metric=metric)
                self.assertAlmostEqual(found.value, best, delta=1e-12)
                self.assertEqual(found.value, found.value_linear)
                self.assertEqual(sorted(found.flows[1]), list(range(6)))

    def test_potentials_prove_the_plan_which_has_both_marginals(self):
        """phi_i + psi_j <= c_ij, with equality where mass flows: the plan is optimal, whatever found it."""
        for d in (1, 3):
            x, y, a, b = two_sides(40, 30, d)
            with self.subTest(d=d):
                found = semidual.solve_sample(x, y, a, b, reg=0)
                c = costs(x, y)
                slack = c - found.potential_a[:, None] - found.potential_b
                self.assertGreater(slack.min(), -1e-12)
                self.assertLess((found.plan * slack).sum(), 1e-12)
                self.assertGreaterEqual(found.plan.min(), 0)
                np.testing.assert_allclose(found.marginal_a, a, atol=1e-14)
                np.testing.assert_allclose(found.marginal_b, b, atol=1e-14)
                self.assertAlmostEqual((found.plan * c).sum(), found.value, delta=1e-12)
                self.assertAlmostEqual(a @ found.potential_a + b @ found.potential_b, found.value, delta=1e-12)
                self.assertLessEqual(len(found.flows[2]), 69)
                self.assertEqual((found.status, found.log["converged"]), ("Converged", True))

    def test_on_the_line_it_sorts_any_number(self):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(20000, 1)), rng.normal(size=(20000, 1))
        value = ((np.sort(x[:, 0]) - np.sort(y[:, 0])) ** 2).mean()
        self.assertAlmostEqual(semidual.solve_sample(x, y).value, value, delta=1e-10)

    def test_flows_are_the_plan(self):
        x, y, a, b = two_sides()
        found = semidual.solve_sample(x, y, a, b)
        source, target, mass = found.flows
        plan = np.zeros((9, 7))
        plan[source, target] = mass
        np.testing.assert_array_equal(found.plan, plan)
        try:
            import scipy.sparse
        except ImportError:
            self.skipTest("scipy is not installed")
        self.assertTrue(scipy.sparse.issparse(found.sparse_plan))
        np.testing.assert_array_equal(found.sparse_plan.toarray(), plan)

    def test_far_from_the_origin_double_still_tells(self):
        x, y, a, b = two_sides()
        near, far = (semidual.solve_sample(x + shift, y + shift, a, b).value for shift in (0, 1e5))
        self.assertAlmostEqual(near, far, delta=1e-9)


class Sinkhorn(unittest.TestCase):
    def test_plan_potentials_and_values_are_those_of_the_formulas(self):
        x, y, a, b = two_sides()
        for metric in ("sqeuclidean", "euclidean", "cityblock", ("power", 1.5)):
            for reg in (5.0, 0.3):
                with self.subTest(metric=metric, reg=reg):
                    c = costs(x, y, metric if isinstance(metric, str) else metric[0])
                    phi, psi, plan = sinkhorn(c, a, b, reg)
                    found = semidual.solve_sample(x, y, a, b, metric, reg)
                    np.testing.assert_allclose(found.plan, plan, atol=3e-6)
                    np.testing.assert_allclose(found.plan.sum(1), a, atol=1e-12)
                    np.testing.assert_allclose(found.plan.sum(0), b, atol=1e-12)
                    np.testing.assert_allclose(found.potential_a - found.potential_a[0], phi - phi[0], atol=1e-4)
                    np.testing.assert_allclose(found.potential_b - found.potential_b[0], psi - psi[0], atol=1e-4)
                    value = (plan * c).sum() + reg * (plan * np.log(plan / np.outer(a, b))).sum()
                    self.assertAlmostEqual(found.value, value, delta=1e-6)
                    self.assertAlmostEqual(found.value_linear, (found.plan * c).sum(), delta=1e-12)
                    self.assertLessEqual(found.value, value + 1e-9)
                    self.assertGreaterEqual(found.log["primal"], value - 1e-9)
                    self.assertEqual((found.status, found.flows, found.sparse_plan), ("Converged", None, None))

    def test_the_plan_is_that_of_the_points_as_they_were(self):
        x, y, a, b = two_sides()
        found = semidual.solve_sample(x, y, a, b, reg=0.5)
        expected = semidual.solve_sample(x, y, a, b, reg=0.5).plan
        x += 1
        np.testing.assert_array_equal(found.plan, expected)

    def test_too_few_iterations_are_told(self):
        x, y, a, b = two_sides()
        found = semidual.solve_sample(x, y, a, b, reg=0.01, max_iter=2)
        self.assertRegex(found.status, r"^the marginal error is \S+ after 2 iterations$")
        self.assertFalse(found.log["converged"])
        np.testing.assert_allclose(found.plan.sum(0), b, atol=1e-12)

    def test_the_divergence_is_that_of_its_definition(self):
        x, y, a, b = two_sides()
        reg = 0.5

        def value(x, y, a, b):
            phi, psi, _ = sinkhorn(costs(x, y), a, b, reg)
            return a @ phi + b @ psi

        expected = value(x, y, a, b) - (value(x, x, a, a) + value(y, y, b, b)) / 2
        self.assertAlmostEqual(semidual.sinkhorn_divergence(x, y, a, b, reg=reg), expected, delta=1e-6)
        self.assertAlmostEqual(semidual.sinkhorn_divergence(x, x, a, a, reg=reg), 0, delta=1e-6)
        exact = semidual.solve_sample(x, y, a, b).value
        self.assertEqual(semidual.sinkhorn_divergence(x, y, a, b, reg=0), exact)


class Arguments(unittest.TestCase):
    def test_points_of_other_types_give_what_doubles_give(self):
        x, y, a, b = two_sides()
        x, y = np.round(8 * x), np.round(8 * y)
        expected = semidual.solve_sample(x, y, a, b).value
        wide = np.zeros((18, 6))
        wide[::2, ::2] = x
        for other in (x.astype(np.float32), x.astype(np.int8), x.tolist(), wide[::2, ::2], np.asfortranarray(x)):
            self.assertEqual(semidual.solve_sample(other, y, 3 * a, 7 * b).value, expected)
        levels = np.arange(9, dtype=np.uint8)[:, None]
        self.assertAlmostEqual(semidual.solve_sample(levels, [[0.0]]).value, ((levels / 255) ** 2).mean(), delta=1e-12)

    def test_what_will_not_do_is_said_in_one_line_with_its_name(self):
        x, y, a, b = two_sides()
        nan = y.copy()
        nan[2, 1] = np.nan
        solve = semidual.solve_sample
        cases = [
            ("X_a: shape (9,), where 2 axes", lambda: solve(x[:, 0], y)),
            ("X_a: shape (0, 3), where at least one", lambda: solve(x[:0], y)),
            ("X_b: shape (7, 2), where points of X_a have 3", lambda: solve(x, y[:, :2])),
            ("X_b: row 2 is not finite", lambda: solve(x, nan)),
            ("X_b: dtype complex128", lambda: solve(x, y + 0j)),
            ("a: shape (8,), where X_a has 9", lambda: solve(x, y, a[1:])),
            ("b: least -", lambda: solve(x, y, a, -b)),
            ("metric: 'cosine'", lambda: solve(x, y, metric="cosine")),
            ("reg: -1", lambda: solve(x, y, reg=-1)),
            ("tol: nan", lambda: solve(x, y, reg=1, tol=np.nan)),
            ("max_iter: 0", lambda: solve(x, y, reg=1, max_iter=0)),
            ("lazy: POT's", lambda: solve(x, y, lazy=True)),
            ("lambda must be positive and finite", lambda: solve(x, y, reg=1e-300)),
        ]
        for message, attempt in cases:
            with self.subTest(message):
                with self.assertRaises(ValueError) as caught:
                    attempt()
                self.assertIn(message, str(caught.exception))
                self.assertNotIn("\n", str(caught.exception))
        with self.assertRaises(TypeError):
            solve(x, y, regularization=1)

    def test_a_divergence_that_is_ended_early_warns(self):
        x, y, _, _ = two_sides(20, 30, 2)
        with self.assertWarnsRegex(RuntimeWarning, "marginal error is .* after 2 iterations: raise max_iter or tol$"):
            semidual.sinkhorn_divergence(x, y, reg=1e-3, max_iter=2)

    def test_a_tolerance_below_what_rounding_allows_warns_to_raise_it(self):
        x, y, _, _ = two_sides(20, 30, 2)
        with self.assertWarnsRegex(RuntimeWarning, r"after \d+ iterations, and rounding allows no less: raise tol$"):
            semidual.sinkhorn_divergence(x, y, reg=0.5, tol=1e-300, max_iter=10**6)

    @unittest.skipUnless(hasattr(signal, "raise_signal"), "signals")
    def test_ctrl_c_ends_a_long_solve(self):
        x, y, _, _ = two_sides(2000, 2000, 20)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
        try:
            timer.start()
            with self.assertRaises(KeyboardInterrupt):
                semidual.solve_sample(x, y, reg=1e-4, tol=0, max_iter=10**9)
        finally:
            timer.join()
            signal.signal(signal.SIGINT, before)
