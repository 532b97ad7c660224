"""Contender: PyTorch-StudioGAN's generator in eval mode (`--source CHECKOUT`)."""

import torch
from studiogan import prepare
from turns import peak_memory_mib, serve


def main():
    """Draw images of random weights."""
    options, generator, _ = prepare(__doc__)
    generator = generator.eval().requires_grad_(False)
    modes = options.mode.split("+")
    if "channels_last" in modes:
        generator = generator.to(memory_format=torch.channels_last)
    call = torch.compile(generator) if "compile" in modes else generator
    labels = torch.arange(options.batch) % options.classes

    @torch.inference_mode()
    def step():
        call(torch.randn(options.batch, 128), labels, eval=True).numpy()

    serve(step, before_mib=peak_memory_mib())


if __name__ == "__main__":
    main()
