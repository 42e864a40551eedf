"""semidual.torch: values as without torch, and gradients by finite differences of the formulas in double."""

import unittest

import numpy as np
import semidual
from formulas import costs, problem, scores, sinkhorn, softmax

try:
    import torch
    from semidual import torch as transport
except ImportError:
    torch = None


def setUpModule():
    if torch is None:
        raise unittest.SkipTest("torch is not installed")
    semidual.set_threads(1)  # these problems are small, and two threads wait long for each other on a busy machine


def differences(value, at, step=1e-5):
    """The gradient of a function of an array by central differences."""
    at = at.astype(np.float64)
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (value(up) - value(down)) / (2 * step)
    return gradient


def differentiable(array):
    return torch.tensor(np.asarray(array, np.float32), requires_grad=True)


class Transport(unittest.TestCase):
    def test_gradients_are_right_where_reg_is_far_below_the_costs(self):
        """From one point all mass goes as the weights say: d/dx sum b_j (x - y_j)^2 = 2 (x - sum b_j y_j) = -3998."""
        x = torch.tensor([[5001.0]], dtype=torch.float64, requires_grad=True)
        y = torch.tensor([[0.0], [10000.0]], dtype=torch.float64)
        transport.transport_cost(x, y, b=[0.3, 0.7], reg=1.0).backward()
        self.assertAlmostEqual(x.grad.item(), -3998, delta=1e-3)

    def test_and_so_are_those_of_the_divergence(self):
        """Mass stays where it is in transport from x, and from the far points of y, to themselves, which then has
        gradient 0: d/dy_j is 2 b_j (y_j - x)."""
        x = torch.tensor([[5001.0]], dtype=torch.float64, requires_grad=True)
        y = torch.tensor([[0.0], [10000.0]], dtype=torch.float64, requires_grad=True)
        transport.sinkhorn_divergence(x, y, b=[0.3, 0.7], reg=1.0).backward()
        self.assertAlmostEqual(x.grad.item(), -3998, delta=1e-3)
        np.testing.assert_allclose(y.grad, [[-3000.6], [6998.6]], atol=1e-3)

    def test_an_iteration_that_is_ended_early_warns(self):
        x, y = torch.rand(20, 2), torch.rand(30, 2)
        with self.assertWarnsRegex(RuntimeWarning, "marginal error is .* after 2 iterations"):
            transport.transport_cost(x, y, reg=1e-3, max_iter=2)


class CTransform(unittest.TestCase):
    def test_gradients_in_x_and_psi_are_those_of_the_formulas(self):
        x, y, psi, weights = problem(n=6, count=9)
        g = np.random.default_rng(1).normal(size=6)  # differs from x to x
        for metric in ("sqeuclidean", "euclidean", "cityblock", ("power", 1.5)):
            name = metric if isinstance(metric, str) else metric[0]
            for reg in (0.0, 0.5):
                with self.subTest(metric=metric, reg=reg):

                    def value(x, psi):
                        if reg == 0:
                            return g @ -scores(x, y, psi, name).max(1)
                        return g @ softmax(x, y, psi, reg, weights, name)[1]

                    tensors = differentiable(x), differentiable(psi)
                    found = transport.c_transform(tensors[0], torch.from_numpy(y), tensors[1], reg, weights, metric)
                    self.assertEqual((found.shape, found.dtype), ((6,), torch.float32))
                    (found * torch.tensor(g, dtype=torch.float32)).sum().backward()
                    self.assertAlmostEqual(g @ found.detach().numpy(), value(x, psi), delta=1e-5)
                    in_x, in_psi = differences(lambda x: value(x, psi), x), differences(lambda psi: value(x, psi), psi)
                    np.testing.assert_allclose(tensors[0].grad, in_x, rtol=1e-3, atol=1e-3)
                    np.testing.assert_allclose(tensors[1].grad, in_psi, rtol=1e-3, atol=1e-4)

    def test_in_psi_it_is_minus_the_winners_at_reg_0(self):
        x, y, psi, _ = problem()
        potential = differentiable(psi)
        transport.c_transform(torch.from_numpy(x), y, potential).sum().backward()
        winners = np.bincount(scores(x, y, psi).argmax(1), minlength=len(y))
        np.testing.assert_array_equal(potential.grad, -winners)

    def test_types_are_kept_and_no_gradient_costs_nothing(self):
        x, y, psi, _ = problem()
        doubles = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        found = transport.c_transform(doubles, y, torch.tensor(psi, requires_grad=True), 0.5)
        found.mean().backward()
        self.assertEqual((found.dtype, doubles.grad.dtype), (torch.float64, torch.float64))
        plain = transport.c_transform(torch.from_numpy(x), y, psi)
        self.assertFalse(plain.requires_grad)
        np.testing.assert_array_equal(plain, semidual.c_transform(x, y, psi))

    def test_what_has_no_gradient_and_what_will_not_do_is_refused(self):
        x, y, psi, weights = (differentiable(array) for array in problem())
        cases = [
            ("y: it asks for a gradient", lambda: transport.c_transform(x, y, psi)),
            ("weights: it asks", lambda: transport.c_transform(x, y.detach(), psi, weights=weights)),
            ("b: it asks", lambda: transport.transport_cost(x, y, b=weights)),
            ("a: it asks", lambda: transport.sinkhorn_divergence(x, y, torch.ones(40, requires_grad=True))),
            ("x: shape (40, 2), where points of y", lambda: transport.c_transform(x[:, :2], y.detach(), psi)),
            ("y: shape (30, 2), where points of x", lambda: transport.transport_cost(x, y[:, :2])),
            ("reg: -1", lambda: transport.c_transform(x, y.detach(), psi, -1)),
        ]
        for message, attempt in cases:
            with self.subTest(message), self.assertRaises(ValueError) as caught:
                attempt()
            self.assertIn(message, str(caught.exception))


class Losses(unittest.TestCase):
    def sides(self):
        x, _, _, _ = problem(n=6, seed=1)
        y, _, _, _ = problem(n=5, seed=2)
        a, b = np.arange(1.0, 7) / 21, np.arange(1.0, 6) / 15
        return x, y, a, b

    def compare(self, loss, value, metric, reg):
        x, y, a, b = self.sides()
        tensors = differentiable(x), differentiable(y)
        found = loss(*tensors, a, b, reg, metric)
        self.assertEqual((found.shape, found.dtype), ((), torch.float32))
        self.assertAlmostEqual(found.item(), value(x, y), delta=1e-5)
        (3 * found).backward()
        in_x, in_y = differences(lambda x: value(x, y), x), differences(lambda y: value(x, y), y)
        np.testing.assert_allclose(tensors[0].grad, 3 * in_x, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(tensors[1].grad, 3 * in_y, rtol=1e-3, atol=1e-4)

    def test_the_cost_and_its_gradients_by_finite_differences(self):
        _, _, a, b = self.sides()
        for metric in ("sqeuclidean", "euclidean", "cityblock", ("power", 1.5)):
            name = metric if isinstance(metric, str) else metric[0]
            with self.subTest(metric=metric):
                exact = lambda x, y: semidual.solve_sample(x, y, a, b, metric).value  # noqa: E731
                self.compare(transport.transport_cost, exact, metric, 0.0)

                def regularized(x, y):
                    phi, psi, _ = sinkhorn(costs(x, y, name), a, b, 0.5, 300)
                    return a @ phi + b @ psi

                self.compare(transport.transport_cost, regularized, metric, 0.5)

    def test_the_divergence_and_its_gradients_by_finite_differences(self):
        _, _, a, b = self.sides()
        reg = 0.5

        def value(x, y, a, b):
            phi, psi, _ = sinkhorn(costs(x, y), a, b, reg, 300)
            return a @ phi + b @ psi

        def divergence(x, y):
            return value(x, y, a, b) - (value(x, x, a, a) + value(y, y, b, b)) / 2

        self.compare(transport.sinkhorn_divergence, divergence, "sqeuclidean", reg)
        x = self.sides()[0]
        points = differentiable(x)
        transport.sinkhorn_divergence(points, torch.from_numpy(x)).backward()
        self.assertLess(points.grad.abs().max(), 1e-4)
