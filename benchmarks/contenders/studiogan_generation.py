"""Contender: PyTorch-StudioGAN's generator in eval mode (`--source CHECKOUT`)."""

import torch
from arguments import parse
from studiogan import networks
from turns import peak_memory_mib, serve


def main():
    """Draw images of random weights."""
    options = parse(
        __doc__,
        source={"required": True},
        mode={"default": "eager"},
    )
    torch.manual_seed(0)
    generator, _ = networks(options)
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
