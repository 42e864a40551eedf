"""WGAN with gradient penalty (Gulrajani et al., arXiv 1704.00028) of MNIST, their settings, with the paper's DCGAN."""

import timed_run  # before torch: it clears what would slow OpenBLAS

import torch
from torch import nn
from torch.nn import functional as F

LATENTS, BATCH, BETAS, CRITIC_STEPS, PENALTY = 100, 50, (0.5, 0.9), 5, 10
SLOPE = 0.2  # of the critic's leaky ReLU


class ConvTranspose(torch.autograd.Function):
    """The adjoint in x of conv2d(x, weight, stride=2): [B, O, h, w] -> [B, I, size, size].

    It is conv_transpose2d, which PyTorch 1.13 runs outside oneDNN; and autograd's own way to the penalty is slow.
    """

    @staticmethod
    def forward(context, y: torch.Tensor, weight: torch.Tensor, size: int, padding: int) -> torch.Tensor:
        context.save_for_backward(y, weight)
        context.padding = padding
        x = y.new_empty(len(y), weight.shape[1], size, size)
        return ConvTranspose._conv_backward(y, x, weight, padding, 0)

    @staticmethod
    def backward(context, gradient: torch.Tensor):
        y, weight = context.saved_tensors
        padding = context.padding
        in_y = F.conv2d(gradient, weight, stride=2, padding=padding) if context.needs_input_grad[0] else None
        return in_y, ConvTranspose._conv_backward(y, gradient, weight, padding, 1), None, None

    @staticmethod
    def _conv_backward(y: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, padding: int, which: int):
        """The gradient of <y, conv2d(x, weight)> in x (which = 0) or in the weight (1)."""
        mask = (which == 0, which == 1, False)
        return torch.ops.aten.convolution_backward(
            y, x, weight, None, (2, 2), (padding, padding), (1, 1), False, (0, 0), 1, mask)[which]


class Up(nn.Module):
    """nn.ConvTranspose2d(inputs, outputs, 3, stride=2, bias=False), with its initial weights."""

    def __init__(self, inputs: int, outputs: int, size: int, padding: int = 0) -> None:
        super().__init__()
        self.weight = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, bias=False).weight
        self.size, self.padding = size, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return ConvTranspose.apply(x, self.weight, self.size, self.padding)


class Generator(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            Up(LATENTS, 256, 3), nn.BatchNorm2d(256), nn.ReLU(),
            Up(256, 128, 7), nn.BatchNorm2d(128), nn.ReLU(),
            Up(128, 64, 15), nn.BatchNorm2d(64), nn.ReLU(),
            Up(64, 1, 28, padding=2), nn.Sigmoid())

    def sample(self, count: int) -> torch.Tensor:
        return self(torch.randn(count, LATENTS, 1, 1))


class Critic(nn.Module):
    """Its authors', or the generator's sizes backwards, as `semidual train --critic conv` has it."""

    def __init__(self, backwards: bool) -> None:
        super().__init__()
        kernel, paddings, side = (3, (2, 0, 0), 3) if backwards else (5, (2, 2, 2), 4)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride=2, padding=padding)
            for inputs, outputs, padding in zip((1, 64, 128), (64, 128, 256), paddings))
        self.out = nn.Linear(256 * side * side, 1)

    def layers(self, x: torch.Tensor) -> list[torch.Tensor]:
        """x and what each convolution makes of it."""
        values = [x]
        for convolution in self.convolutions:
            values.append(F.leaky_relu(convolution(values[-1]), SLOPE))
        return values

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.layers(x)[-1].flatten(1))

    def input_gradient(self, x: torch.Tensor) -> torch.Tensor:
        """The gradient of each f(x_i) in x_i, differentiable in the weights.

        f is piecewise linear: the slopes of its leaky ReLUs are constants, so a backward pass written out is enough.
        """
        with torch.no_grad():
            values = self.layers(x)
        gradient = self.out.weight.view(1, *values[-1].shape[1:])
        for convolution, before, after in zip(self.convolutions[::-1], values[-2::-1], values[:0:-1]):
            gradient = gradient * torch.where(after > 0, 1.0, SLOPE)
            gradient = ConvTranspose.apply(gradient, convolution.weight, before.shape[-1],
                                           convolution.padding[0])
        return gradient


def main() -> None:
    options = timed_run.parse_options(
        __doc__, rate=1e-4, backwards="a critic with the generator's kernels, 3x3 in place of 5x5",
        autograd="take the penalty by autograd's gradient of the gradient, as most codes do, not by a written one")
    generator = Generator().to(memory_format=torch.channels_last)
    critic = Critic(options.backwards).to(memory_format=torch.channels_last)
    generator_optimizer = torch.optim.Adam(generator.parameters(), options.rate, BETAS)
    critic_optimizer = torch.optim.Adam(critic.parameters(), options.rate, BETAS)
    batches = timed_run.batches(timed_run.read_images(options.data).view(-1, 1, 28, 28), BATCH)

    def critic_step() -> None:
        real = next(batches)
        with torch.no_grad():
            fake = generator.sample(BATCH)
        value_real, value_fake = critic(torch.cat((real, fake))).chunk(2)
        between = fake + torch.rand(BATCH, 1, 1, 1) * (real - fake)
        if options.autograd:
            between.requires_grad_(True)
            slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0]
        else:
            slope = critic.input_gradient(between)
        norms = (slope.square().sum((1, 2, 3)) + 1e-12).sqrt()
        critic_optimizer.zero_grad()
        (value_fake.mean() - value_real.mean() + PENALTY * (norms - 1).square().mean()).backward()
        critic_optimizer.step()

    def step() -> None:
        for _ in range(CRITIC_STEPS):
            critic_step()
        critic.requires_grad_(False)
        generator_optimizer.zero_grad()
        (-critic(generator.sample(BATCH)).mean()).backward()
        generator_optimizer.step()
        critic.requires_grad_(True)

    def sample(count: int) -> torch.Tensor:
        generator.eval()
        images = generator.sample(count).view(count, 784)
        generator.train()
        return images

    timed_run.train(options, step, sample)


if __name__ == "__main__":
    main()
