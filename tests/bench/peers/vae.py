"""Variational autoencoder (Kingma and Welling, arXiv 1312.6114) of MNIST: an MLP and its mirror, Bernoulli pixels."""

import timed_run  # before torch: it clears what would slow OpenBLAS

import torch
from torch import nn
from torch.nn import functional as F

LATENTS, BATCH = 20, 128


def main() -> None:
    options = timed_run.parse_options(__doc__, rate=1e-3)
    encoder = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 2 * LATENTS))
    decoder = nn.Sequential(
        nn.Linear(LATENTS, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], options.rate)
    batches = timed_run.batches(timed_run.read_images(options.data), BATCH)

    def step() -> None:
        images = next(batches)
        mean, log_variance = encoder(images).chunk(2, dim=1)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        reconstruction = F.binary_cross_entropy_with_logits(decoder(z), images, reduction="sum")
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        optimizer.zero_grad()
        ((reconstruction + divergence) / BATCH).backward()
        optimizer.step()

    timed_run.train(options, step, lambda count: torch.sigmoid(decoder(torch.randn(count, LATENTS))))


if __name__ == "__main__":
    main()
