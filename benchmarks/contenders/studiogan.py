"""Contender: a training step of PyTorch-StudioGAN's networks (`--source CHECKOUT`).

Its `models/resnet.py` and `utils/ops.py` as they are, and the order of its
`worker.py`: D on real and on fake images, G, then its moving average. Its data
loading, logging and mixed-precision scaler (CUDA only) are left out.
"""

import contextlib
import copy
import inspect
import sys
import types

import torch
import torch.nn.functional as F
from arguments import parse
from turns import serve


def main():
    """Train on random images."""
    options, generator, discriminator = prepare(__doc__)
    average = copy.deepcopy(generator)
    step = training_step(generator, discriminator, average, options)
    serve(step)


def prepare(description):
    """What the command line asks for: its options, a generator, a discriminator."""
    options = parse(description, source={"required": True}, mode={"default": "eager"})
    torch.manual_seed(0)
    return options, *networks(options)


def networks(options):
    """Its generator and discriminator with the modules that its SAGAN recipe names."""
    sys.path.insert(0, f"{options.source}/src")
    misc = types.ModuleType("utils.misc")  # the real one imports plotting libraries
    misc.dummy_context_mgr = contextlib.nullcontext
    sys.modules["utils.misc"] = misc
    from models import resnet
    from utils import ops

    relu = torch.nn.ReLU(inplace=True)
    modules = types.SimpleNamespace(
        g_bn=ops.ConditionalBatchNorm2d, d_bn=ops.batchnorm_2d,
        g_act_fn=relu, d_act_fn=relu,
        g_conv2d=ops.snconv2d, g_linear=ops.snlinear, g_embedding=ops.sn_embedding,
        d_conv2d=ops.snconv2d, d_linear=ops.snlinear, d_embedding=ops.sn_embedding,
    )  # fmt: skip
    model = types.SimpleNamespace(
        info_type="N/A", g_info_injection="N/A", info_num_discrete_c="N/A",
        info_num_conti_c="N/A",
    )  # fmt: skip
    where = {32: (2, 1), 64: (3, 1), 128: (4, 1)}[options.image_size]
    known = {
        "z_dim": 128, "g_shared_dim": "N/A", "img_size": options.image_size,
        "g_conv_dim": options.base_filters,
        "d_conv_dim": getattr(options, "d_filters", options.base_filters),
        "apply_attn": True, "attn_g_loc": [where[0]], "attn_d_loc": [where[1]],
        "g_cond_mtd": "cBN", "d_cond_mtd": "PD", "aux_cls_type": "W/O",
        "d_embed_dim": "N/A", "normalize_d_embed": False,
        "num_classes": options.classes, "g_init": "ortho", "d_init": "ortho",
        "g_depth": "N/A", "d_depth": "N/A", "mixed_precision": False,
        "apply_d_sn": True, "MODULES": modules, "MODEL": model,
    }  # fmt: skip

    def build(cls):
        names = list(inspect.signature(cls.__init__).parameters)[1:]
        return cls(**{name: known[name] for name in names}).train()

    return build(resnet.Generator), build(resnet.Discriminator)


def training_step(generator, discriminator, average, options):
    """Function that makes one step on random images."""
    modes = options.mode.split("+")
    if "channels_last" in modes:
        for network in (generator, discriminator):
            network.to(memory_format=torch.channels_last)
    g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
    g_call, d_call = generator, discriminator
    if "compile" in modes:
        g_call, d_call = torch.compile(generator), torch.compile(discriminator)
    shape = (options.batch, 3, options.image_size, options.image_size)
    images = torch.rand(shape) * 2 - 1
    if "channels_last" in modes:
        images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, options.classes, (options.batch,))

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in modes)

    def fakes():
        z = torch.randn(options.batch, 128)
        y = torch.randint(0, options.classes, (options.batch,))
        return g_call(z, y), y

    def score(x, y):
        return d_call(x, y)["adv_output"]

    def step():
        generator.requires_grad_(False)
        discriminator.requires_grad_(True)
        d_optimizer.zero_grad()
        with autocast():
            fake_images, fake_labels = fakes()
            real, fake = score(images, labels), score(fake_images, fake_labels)
            d_loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        d_loss.backward()
        d_optimizer.step()
        generator.requires_grad_(True)
        discriminator.requires_grad_(False)
        g_optimizer.zero_grad()
        with autocast():
            g_loss = -score(*fakes()).mean()
        g_loss.backward()
        g_optimizer.step()
        with torch.no_grad():
            pairs = zip(average.parameters(), generator.parameters(), strict=True)
            for mean, p in pairs:
                mean.copy_(p.lerp(mean, 0.999))
        d_loss.item(), g_loss.item()

    return step


if __name__ == "__main__":
    main()
