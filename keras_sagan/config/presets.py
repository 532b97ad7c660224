"""Presets: named recipes of an architecture with suitable training settings.

Unless its description says so, this project has not trained a preset to the end. The
sources are runs of other people, and the differences from them are listed.
"""

import dataclasses
import difflib
import os
import pathlib
import re

from keras_sagan.config.model import ModelConfig
from keras_sagan.config.run import DECIDED_BY_DATA, RunConfig
from keras_sagan.config.training import OptimizerConfig, TrainingConfig


@dataclasses.dataclass(frozen=True)
class Preset:
    """A named recipe for training.

    Args:
        name: str.
        description: str. What it is for, in one line.
        source: str. Section of a paper or file of a repository that the values come
            from, and the differences from it.
        model: `ModelConfig`. `num_classes` and `channels` are those of the data set
            of the source; a run takes them from its own data.
        optimizer: `OptimizerConfig`.
        training: `TrainingConfig`.
    """

    name: str
    description: str
    source: str
    model: ModelConfig
    optimizer: OptimizerConfig
    training: TrainingConfig

    def run_config(self, overrides=None):
        """Returns the `RunConfig` of this recipe, for the built-in data set.

        Where the recipe says "mixed_bfloat16" and this machine would have to emulate
        it, the dtype policy is "float32", unless `overrides` say otherwise.

        Args:
            overrides: dict from `"section.field"` to a value, or `None`; see
                `RunConfig.override`.

        Raises:
            ValueError: if a setting is unknown or its value is not allowed.
        """
        config = RunConfig(self.name, self.model, self.optimizer, self.training)
        usable = usable_dtype_policy(self.training.dtype_policy)
        return config.override({"training.dtype_policy": usable, **(overrides or {})})

    def to_dict(self):
        """Returns the preset as a dictionary of JSON values."""
        return {
            "name": self.name,
            "description": self.description,
            "source": self.source,
            "model": self.model.to_dict(),
            "optimizer": self.optimizer.to_dict(),
            "training": self.training.to_dict(),
        }


_TTUR = OptimizerConfig(g_learning_rate=1e-4, d_learning_rate=4e-4)
_IMAGENET_128 = ModelConfig(
    image_size=128, num_classes=1000, attention_resolutions=(32,)
)

_ALL = (
    Preset(
        name="sagan_32",
        description="32 x 32 at full width: the CIFAR-10 recipe.",
        source=(
            "MMGeneration configs/sagan (CIFAR-10, without in-place ReLU: FID 9.43 "
            "after 100k generator steps), the recipe of PyTorch-StudioGAN "
            "configs/CIFAR10/SAGAN.yaml. Differences: the class embeddings of the "
            "batch norm are not spectrally normalised, epsilon of the spectral norm "
            "in the attention layer is 1e-12 (there 1e-6), no horizontal flips, a "
            "moving average of the generator (there none)."
        ),
        model=ModelConfig(
            batch_norm_momentum=0.9,
            batch_norm_epsilon=1e-4,
            kernel_initializer="orthogonal",
        ),
        optimizer=OptimizerConfig(
            g_learning_rate=2e-4, d_learning_rate=2e-4, beta_1=0.5
        ),
        training=TrainingConfig(steps=100_000, discriminator_steps=5, ema_start=1000),
    ),
    Preset(
        name="sagan_32_small",
        description="32 x 32 with small networks: the demo, minutes on a CPU.",
        source=(
            "This project, chosen on the built-in digits (docs/results/recipes.md). "
            "Loss and penalties are those of R3GAN (Huang et al. 2024), without a "
            "spectral norm in the discriminator; the networks and the spectral norm "
            "of the generator are those of SAGAN. The learning rates are 7 times those "
            "of R3GAN, because the networks are small and the runs short, and decay "
            "along a cosine as there. float32 where bfloat16 would be emulated."
        ),
        model=ModelConfig(base_filters=8, d_base_filters=16, d_spectral_norm=False),
        optimizer=OptimizerConfig(
            g_learning_rate=1.4e-3,
            d_learning_rate=1.4e-3,
            decay_steps=5000,
            beta_2=0.99,
        ),
        training=TrainingConfig(
            loss="relativistic",
            r1_gamma=0.5,
            r2_gamma=0.5,
            batch_size=32,
            steps=20_000,
            ema_decay=0.99,
            ema_warmup=True,
            dtype_policy="mixed_bfloat16",
        ),
    ),
    Preset(
        name="sagan_64",
        description="64 x 64: pictures of your own, with a GPU.",
        source=(
            "PyTorch-StudioGAN configs of SAGAN for Baby-ImageNet 64 (FID 42.10 after "
            "100k steps). Differences: glorot initialisers, batch norm epsilon 1e-5, "
            "Adam epsilon 1e-8 and no spectral norm of class embeddings, as in the "
            "code of SAGAN's authors; no horizontal flips; moving average as in "
            "sagan_128."
        ),
        model=ModelConfig(
            image_size=64,
            num_classes=100,
            attention_resolutions=(32,),
            batch_norm_momentum=0.9,
        ),
        optimizer=_TTUR,
        training=TrainingConfig(batch_size=256, steps=100_000, ema_start=2000),
    ),
    Preset(
        name="sagan_128",
        description="128 x 128: the recipe with the best published ImageNet result.",
        source=(
            "MMGeneration configs/sagan, 128 x 128 with the BigGAN schedule (FID 12.83 "
            "at 826k of its steps, 8 x 32 images, batch norm not synchronised), which "
            "follows BigGAN-PyTorch scripts/launch_SAGAN_bs128x2_ema.sh. Difference: "
            "epsilon of the spectral norm is 1e-12 (there 1e-8)."
        ),
        model=dataclasses.replace(
            _IMAGENET_128, attention_resolutions=(64,), batch_norm_momentum=0.9
        ),
        optimizer=_TTUR,
        training=TrainingConfig(batch_size=256, steps=1_000_000, ema_start=2000),
    ),
    Preset(
        name="sagan_128_official",
        description="128 x 128: the authors' released code.",
        source=(
            "brain-research/self-attention-gan: model.py, train_imagenet.py and "
            "README (4 x 64 images, 1M steps). beta_2 is TensorFlow's default 0.999 "
            "there, not the paper's 0.9; no moving average (ema_decay 0). Differences: "
            "momentum of the last batch norm is 0.999 (there 0.9999); the "
            "discriminator takes its step before the generator."
        ),
        model=_IMAGENET_128,
        optimizer=_TTUR,
        training=TrainingConfig(batch_size=256, steps=1_000_000, ema_decay=0.0),
    ),
    Preset(
        name="sagan_128_paper",
        description="128 x 128: the text of the paper.",
        source=(
            "Zhang et al. 2019: attention without pooling and with values of C/8 "
            "channels (section 3), beta_2 0.9 and learning rates 1e-4 and 4e-4 "
            "(section 4), attention at 32 x 32 and 1M steps (Table 1, FID 18.28). The "
            "text does not give batch size and initialisers; they are those of "
            "sagan_128_official."
        ),
        model=dataclasses.replace(_IMAGENET_128, attention="paper"),
        optimizer=dataclasses.replace(_TTUR, beta_2=0.9),
        training=TrainingConfig(batch_size=256, steps=1_000_000, ema_decay=0.0),
    ),
)

PRESETS = {preset.name: preset for preset in _ALL}


def get_preset(name):
    """Returns the preset called `name`.

    Raises:
        ValueError: if there is none. The message suggests the most similar name.
    """
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(str(name), PRESETS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"Argument `preset` must be one of {', '.join(PRESETS)}.{hint} "
        f"Received: preset={name!r}."
    )


def preset_differences(config):
    """Returns the settings in which a run differs from its preset.

    Args:
        config: dict. Content of the `config.json` of a run.

    Returns: list of tuples `(name, value in the preset, value in the run)` of str, or
        `None` if this version does not have the preset. The data set and the settings
        that depend on it are left out.
    """
    preset = PRESETS.get(config.get("preset"))
    if preset is None:
        return None
    usual = preset.run_config().to_dict()
    decided = ("data.dataset", "data.cache_dir", *DECIDED_BY_DATA)
    return [
        (f"{section}.{name}", str(usual[section].get(name, "-")), str(value))
        for section, values in config.items()
        if isinstance(values, dict) and section in usual
        for name, value in values.items()
        if f"{section}.{name}" not in decided and usual[section].get(name, "-") != value
    ]


# Names in /proc/cpuinfo: AVX512 and AMX of x86, and that of Arm.
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}

# PCI numbers (pci-ids.ucw.cz). Those of Volta and Turing, which do not compute in
# bfloat16, are below or between the two ranges.
_NVIDIA, _DISPLAY = 0x10DE, 0x03
_GA100, _FIRST_GA10X = range(0x2080, 0x2100), 0x2200


def usable_dtype_policy(policy):
    """Returns the dtype policy of a recipe, or "float32" if it would be emulated here.

    Emulation is slow: on a processor with AVX2 only, `sagan_32_small` trained on 7
    images per second in mixed_bfloat16 and on 41 to 63 in float32
    (benchmarks/RESULTS.md).

    Args:
        policy: str. "float32", "mixed_bfloat16" or "float64".
    """
    if policy == "mixed_bfloat16" and not computes_in_bfloat16():
        return "float32"
    return policy


def computes_in_bfloat16(
    cpuinfo="/proc/cpuinfo", devices="/dev", cards="/sys/bus/pci/devices"
):
    """Returns whether the device used for training computes in bfloat16.

    That is a visible GPU, or else the processor. If its abilities cannot be
    determined, the answer is True.

    Args:
        cpuinfo: path of the description of the processor, as written by Linux.
        devices: path of the directory of device files.
        cards: path of the directory that has a folder for each PCI device.
    """
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if not hidden and any(pathlib.Path(devices).glob("nvidia[0-9]*")):
        return _nvidia_computes_in_bfloat16(cards)
    if not hidden and any(pathlib.Path(devices).glob("kfd")):  # AMD's
        return True
    try:
        text = pathlib.Path(cpuinfo).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", text, flags=re.MULTILINE)
    return flags is None or not _BFLOAT16.isdisjoint(flags[1].split())


def _nvidia_computes_in_bfloat16(cards):
    """Returns whether an NVIDIA card is Ampere (GA100 or GA10x) or later."""
    answers = []
    for card in pathlib.Path(cards).glob("*"):
        try:
            vendor, kind, number = (
                int((card / name).read_text(encoding="ascii"), 16)
                for name in ("vendor", "class", "device")
            )
        except (OSError, ValueError):
            continue
        if vendor == _NVIDIA and kind >> 16 == _DISPLAY:
            answers.append(number in _GA100 or number >= _FIRST_GA10X)
    return any(answers) or not answers
