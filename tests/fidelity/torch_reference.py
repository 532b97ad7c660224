"""SAGAN in PyTorch, from the formulas of docs/explanation/fidelity.md, for tests.

Nothing here is shared with `keras_sagan`. Layers have names of their own;
`peer_layouts` renames them to those of other projects' checkpoints. Spectral norm is
torch's; `advance` and `frozen` give it the schedule of `SAGAN.train_step`.
"""

import contextlib

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm
from torch.nn.utils.spectral_norm import SpectralNorm

GENERATOR = {  # width of the 4x4 tensor, then of the blocks
    32: (4, [4, 4, 4]),
    64: (16, [8, 4, 2, 1]),
    128: (16, [16, 8, 4, 2, 1]),
}
DISCRIMINATOR = {  # widths of the blocks, how many halve the image
    32: ([2, 2, 2, 2], 2),
    64: ([1, 2, 4, 8, 16], 4),
    128: ([1, 2, 4, 8, 16, 16], 5),
}
ATTENTION = {  # divisors of the channels for keys and values, pooling, last convolution
    "released": (8, 2, 2, True),
    "paper": (8, 8, 1, True),
    "formula": (8, 1, 1, False),
}


def sn_conv(inputs, outputs, size, bias=True):
    return spectral_norm(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias), eps=1e-12
    )


class BatchNorm(nn.Module):
    """Batch norm with biased variance throughout (torch's own stores an unbiased one).

    `momentum` is the share that the moving statistics keep.
    """

    def __init__(self, channels, affine, momentum=0.9, eps=1e-4):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        if affine:
            self.weight = nn.Parameter(torch.ones(channels))
            self.bias = nn.Parameter(torch.zeros(channels))
        self.affine = affine

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean((0, 2, 3))
            var = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))
            with torch.no_grad():
                keep = self.momentum
                self.running_mean.mul_(keep).add_(mean * (1 - keep))
                self.running_var.mul_(keep).add_(var * (1 - keep))
        x = (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + self.eps)
        if self.affine:
            x = x * self.weight[:, None, None] + self.bias[:, None, None]
        return x


class ClassTables(nn.Module):
    """Scale and offset per class, in one of the forms that projects store them in.

    "table" (plain), "table_sn", "shared" (linear maps of an embedding owned by the
    generator) or "one_hot"; the spectrally normalised forms give `1 + map(label)`.
    """

    def __init__(self, classes, channels, form, shared_size):
        super().__init__()
        self.form, self.classes = form, classes
        for name in ("gain", "offset"):
            setattr(self, name, self._map(classes, channels, form, shared_size))

    def _map(self, classes, channels, form, shared_size):
        if form == "table":
            return nn.Embedding(classes, channels)
        if form == "table_sn":
            return spectral_norm(nn.Embedding(classes, channels))
        inputs = classes if form == "one_hot" else shared_size
        return spectral_norm(nn.Linear(inputs, channels, bias=False))

    def forward(self, labels, shared):
        if self.form == "one_hot":
            y = F.one_hot(labels, self.classes).to(self.gain.weight_orig.dtype)
        else:
            y = shared(labels) if self.form == "shared" else labels
        return 1 + self.gain(y), self.offset(y)


class ConditionalBatchNorm(nn.Module):
    def __init__(self, channels, classes, form, shared_size, momentum, eps):
        super().__init__()
        self.conditional = classes is not None
        self.norm = BatchNorm(channels, not self.conditional, momentum, eps)
        if self.conditional:
            self.tables = ClassTables(classes, channels, form, shared_size)

    def forward(self, x, labels, shared=None):
        x = self.norm(x)
        if not self.conditional:
            return x
        gain, offset = self.tables(labels, shared)
        return x * gain[:, :, None, None] + offset[:, :, None, None]


class GeneratorBlock(nn.Module):
    def __init__(self, inputs, outputs, norm):
        super().__init__()
        self.bn1, self.bn2 = norm(inputs), norm(outputs)
        self.conv1 = sn_conv(inputs, outputs, 3)
        self.conv2 = sn_conv(outputs, outputs, 3)
        self.shortcut = sn_conv(inputs, outputs, 1)

    def forward(self, x, labels, shared=None):
        h = self.conv1(double(torch.relu(self.bn1(x, labels, shared))))
        h = self.conv2(torch.relu(self.bn2(h, labels, shared)))
        return h + self.shortcut(double(x))


class DiscriminatorBlock(nn.Module):
    def __init__(self, inputs, outputs, halve, first=False, activated_shortcut=False):
        super().__init__()
        self.halve, self.first = halve, first
        self.activated_shortcut = activated_shortcut
        self.conv1 = sn_conv(inputs, outputs, 3)
        self.conv2 = sn_conv(outputs, outputs, 3)
        if halve or inputs != outputs:
            self.shortcut = sn_conv(inputs, outputs, 1)

    def forward(self, x):
        h = x if self.first else torch.relu(x)
        side = h if self.activated_shortcut else x
        h = self.conv2(torch.relu(self.conv1(h)))
        if hasattr(self, "shortcut"):
            side = self.shortcut(side)
        return half(h) + half(side) if self.halve else h + side


class Attention(nn.Module):
    def __init__(self, channels, setting="released"):
        super().__init__()
        key, value, self.pool, project = ATTENTION[setting]
        self.query = sn_conv(channels, channels // key, 1, bias=False)
        self.key = sn_conv(channels, channels // key, 1, bias=False)
        self.value = sn_conv(channels, channels // value, 1, bias=False)
        self.output = None
        if project:
            self.output = sn_conv(channels // value, channels, 1, bias=False)
        self.gate = nn.Parameter(torch.zeros(()))

    def scores(self, x):
        """(batch, positions, attended): each row sums to 1."""
        keys = F.max_pool2d(self.key(x), self.pool)
        logits = torch.einsum("bcn,bcm->bnm", self.query(x).flatten(2), keys.flatten(2))
        return torch.softmax(logits, dim=2)

    def forward(self, x):
        values = F.max_pool2d(self.value(x), self.pool).flatten(2)
        o = torch.einsum("bnm,bcm->bcn", self.scores(x), values)
        o = o.unflatten(2, x.shape[2:])
        if self.output is not None:
            o = self.output(o)
        return x + self.gate * o


class Generator(nn.Module):
    def __init__(
        self,
        size=32,
        ch=4,
        classes=3,
        latent_dim=8,
        attention=(16,),
        form="table",
        momentum=0.9,
        eps=1e-4,
        channels=3,
    ):
        super().__init__()
        first, widths = GENERATOR[size]
        self.first, self.size, self.widths = first * ch, size, widths
        self.momentum, self.eps = momentum, eps
        self.shared = None
        if form == "shared":
            self.shared = nn.Embedding(classes, latent_dim)

        def norm(channels):
            return ConditionalBatchNorm(
                channels, classes, form, latent_dim, momentum, eps
            )

        self.dense = spectral_norm(nn.Linear(latent_dim, 16 * self.first))
        layers, width, pixels = [], first, 4
        for following in widths:
            layers.append(GeneratorBlock(width * ch, following * ch, norm))
            width, pixels = following, 2 * pixels
            if pixels in attention:
                layers.append(Attention(width * ch))
        self.layers = nn.ModuleList(layers)
        self.bn = BatchNorm(width * ch, True, momentum, eps)
        self.to_images = sn_conv(width * ch, channels, 3)

    def forward(self, latents, labels=None):
        x = self.dense(latents).reshape(-1, self.first, 4, 4)
        for layer in self.layers:
            if isinstance(layer, Attention):
                x = layer(x)
            else:
                x = layer(x, labels, self.shared)
        return torch.tanh(self.to_images(torch.relu(self.bn(x))))


class Discriminator(nn.Module):
    def __init__(
        self,
        size=32,
        ch=4,
        classes=3,
        attention=(16,),
        activated_shortcut=False,
        channels=3,
    ):
        super().__init__()
        widths, halvings = DISCRIMINATOR[size]
        layers, inputs, pixels = [], channels, size
        for i, width in enumerate(widths):
            halve = i < halvings
            layers.append(
                DiscriminatorBlock(
                    inputs, width * ch, halve, i == 0, activated_shortcut
                )
            )
            inputs, pixels = width * ch, pixels // 2 if halve else pixels
            if pixels in attention and halve:
                layers.append(Attention(inputs))
        self.layers = nn.ModuleList(layers)
        self.dense = spectral_norm(nn.Linear(inputs, 1))
        self.embedding = None
        if classes is not None:
            self.embedding = spectral_norm(nn.Embedding(classes, inputs))

    def forward(self, x, labels=None):
        for layer in self.layers:
            x = layer(x)
        h = torch.relu(x).sum((2, 3))
        logits = self.dense(h)
        if self.embedding is not None:
            logits = logits + (self.embedding(labels) * h).sum(1, keepdim=True)
        return logits


def double(x):
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def half(x):
    return F.avg_pool2d(x, 2)


def spectral_hooks(network):
    """Pairs of a spectrally normalised module and torch's hook that normalises it."""
    for module in network.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm):
                yield module, hook


def advance(network, iterations=1):
    """One power iteration of every spectral norm, as a forward in training does."""
    for module, hook in spectral_hooks(network):
        for _ in range(iterations):
            with torch.no_grad():
                hook.compute_weight(module, do_power_iteration=True)


@contextlib.contextmanager
def frozen(network):
    """Scope in which `network` trains (batch norm) and spectral norms stand still."""
    network.train()
    for module, _ in spectral_hooks(network):
        module.eval()
    try:
        yield
    finally:
        network.eval()


def randomize(network, seed, scale=0.5):
    """Give every parameter and statistic a value that hides no mistake; u, v stale."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, spread):
        noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        return (spread * noise).to(tensor.dtype)

    advance(network, 3)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("gate"):
                parameter.fill_(0.7)
            else:
                spread = 0.1 if name.endswith("weight_orig") else scale
                parameter.add_(normal(parameter, spread * 0.5))
            if name == "bn.weight":
                parameter.mul_(0.05)  # images that the tanh does not saturate
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(normal(buffer, scale))
            elif name.endswith("running_var"):
                buffer.copy_(torch.exp(normal(buffer, scale)))
    return network.eval()
