"""Every section of the configuration with every field at another value."""

from keras_sagan.config.data import AugmentationConfig, DataConfig
from keras_sagan.config.evaluation import EvaluationConfig
from keras_sagan.config.model import ModelConfig
from keras_sagan.config.run import RunConfig
from keras_sagan.config.training import (
    LoggingConfig,
    OptimizerConfig,
    TrainingConfig,
)

# Every field at a value that is not its default.
MODEL = {
    "image_size": 64,
    "num_classes": None,
    "latent_dim": 7,
    "base_filters": 8,
    "d_base_filters": 16,
    "channels": 4,
    "attention_resolutions": (8, 32),
    "attention": "paper",
    "batch_norm_momentum": 0.9,
    "batch_norm_epsilon": 1e-4,
    "kernel_initializer": "orthogonal",
    "activated_shortcut": True,
    "g_spectral_norm": False,
    "d_spectral_norm": False,
}
OPTIMIZER = {
    "g_learning_rate": 1e-3,
    "d_learning_rate": 2e-3,
    "decay_steps": 30,
    "decay_to": 0.25,
    "beta_1": 0.5,
    "beta_2": 0.9,
    "epsilon": 1e-6,
}
TRAINING = {
    "batch_size": 3,
    "steps": 5,
    "minutes": 1.5,
    "loss": "wasserstein",
    "r1_gamma": 0.5,
    "r2_gamma": 0.25,
    "discriminator_steps": 4,
    "ema_decay": 0.5,
    "ema_start": 6,
    "ema_warmup": True,
    "gradient_accumulation_steps": 2,
    "seed": 9,
    "dtype_policy": "float64",
    "init_from": "runs/digits",
    "freeze": ("attention_16",),
}
DATA = {
    "dataset": "folder:cats",
    "split": "test",
    "cache_dir": "cache",
    "data_memory": 2.5,
    "parts": 3,
    "fit": "pad",
    "real_labels": "balanced",
    "fake_labels": "natural",
}
AUGMENTATION = {
    "policy": "ada",
    "operations": "color,blit",
    "mirror": True,
    "ada_target": 0.5,
    "ada_images": 1000,
}
LOGGING = {
    "log_every": 10,
    "sample_every": 20,
    "checkpoint_every": 30,
    "keep_checkpoints": 4,
}
EVALUATION = {
    "every": 100,
    "metrics": "prdc, is",
    "extractor": "classifier",
    "inception": "weights.pth",
    "split": "test",
    "num_real": 500,
    "num_images": 600,
    "monitor": "recall",
    "mode": "max",
    "keep_best": False,
    "patience": 3,
    "target": 0.75,
    "share": 0.5,
    "seed": 4,
}
SECTIONS = [
    (ModelConfig, MODEL),
    (OptimizerConfig, OPTIMIZER),
    (TrainingConfig, TRAINING),
    (DataConfig, DATA),
    (LoggingConfig, LOGGING),
    (AugmentationConfig, AUGMENTATION),
    (EvaluationConfig, EVALUATION),
]


def run_config():
    return RunConfig("mine", *(cls(**kwargs) for cls, kwargs in SECTIONS))
