"""The recipe that `sagan_32_small` was until 2026-11-30, as overrides of what it is.

Hinge loss, spectral norm in both networks, batches of 64. The studies that were made
with it keep it until they are made again.
"""

HINGE = {
    "training.loss": "hinge",
    "training.r1_gamma": 0.0,
    "training.r2_gamma": 0.0,
    "training.batch_size": 64,
    "training.ema_decay": 0.995,
    "model.base_filters": 16,
    "model.d_spectral_norm": True,
    "optimizer.g_learning_rate": 4e-4,
    "optimizer.decay_steps": None,
    "optimizer.d_learning_rate": 8e-4,
    "optimizer.beta_2": 0.999,
}
