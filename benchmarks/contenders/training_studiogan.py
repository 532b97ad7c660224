"""Contender: PyTorch-StudioGAN's SAGAN on a data set, trained in slices of time.

Networks, loss and optimizers are those of its `configs/CIFAR10/SAGAN.yaml` and the
defaults of its `config.py`: hinge, Adam with 2e-4 and betas 0.5 and 0.999, five updates
of D a step, no moving average. Width and batch are given; images of its generator in
evaluation mode.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from arguments import parse
from slices import serve
from studiogan import networks

_D_UPDATES = 5
_ROWS = 250  # generated at once


def main():
    """Train on the arrays of `--arrays`, an `.npz` file with `images` and `labels`."""
    options = parse(
        __doc__,
        source={"required": True},
        arrays={"required": True},
        d_filters={"type": int, "required": True},
        seed={"type": int, "required": True},
    )
    torch.manual_seed(options.seed)
    with np.load(options.arrays) as content:
        pictures = torch.from_numpy(content["images"].transpose(0, 3, 1, 2).copy())
        labels = torch.from_numpy(content["labels"].astype(np.int64))
    generator, discriminator = networks(options)
    for network in (generator, discriminator):
        network.to(memory_format=torch.channels_last)  # its fastest way on a processor
    step = training_step(generator, discriminator, pictures, labels, options)

    def train(seconds):
        count, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            step()
            count += 1
        return count

    @torch.no_grad()
    def generate(wanted):
        generator.eval()
        torch_state = torch.get_rng_state()
        torch.manual_seed(1_000_000)
        images = [
            generator(torch.randn(len(rows), 128), rows, eval=True)
            for rows in torch.from_numpy(wanted).split(_ROWS)
        ]
        torch.set_rng_state(torch_state)
        generator.train()
        grey_levels = (torch.cat(images) * 127.5 + 127.5).round().clamp(0, 255)
        return grey_levels.to(torch.uint8).permute(0, 2, 3, 1).numpy()

    serve(train, generate)


def training_step(generator, discriminator, pictures, labels, options):
    """Function that updates D five times and G once."""
    betas = (0.5, 0.999)
    g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, betas)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas)
    order = torch.empty(0, dtype=torch.int64)

    def real():
        nonlocal order
        if len(order) < options.batch:
            order = torch.randperm(len(pictures))
        rows, order = order[: options.batch], order[options.batch :]
        images = pictures[rows].float() / 127.5 - 1
        return images.contiguous(memory_format=torch.channels_last), labels[rows]

    def fakes():
        y = torch.randint(0, options.classes, (options.batch,))
        return generator(torch.randn(options.batch, 128), y), y

    def score(x, y):
        return discriminator(x, y)["adv_output"]

    def step():
        generator.requires_grad_(False)
        discriminator.requires_grad_(True)
        for _ in range(_D_UPDATES):
            d_optimizer.zero_grad()
            loss = F.relu(1 - score(*real())) + F.relu(1 + score(*fakes()))
            loss.mean().backward()
            d_optimizer.step()
        generator.requires_grad_(True)
        discriminator.requires_grad_(False)
        g_optimizer.zero_grad()
        (-score(*fakes())).mean().backward()
        g_optimizer.step()

    return step


if __name__ == "__main__":
    main()
