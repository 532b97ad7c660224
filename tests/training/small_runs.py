"""Configurations of tiny runs on a folder of pictures."""

from keras_sagan.config.presets import get_preset
from keras_sagan.runs import beginning

TINY = {
    "model.base_filters": 4,
    "model.d_base_filters": 4,
    "training.batch_size": 4,
    "training.dtype_policy": "float32",
    "logging.log_every": 2,
}


def prepare(folder, **overrides):
    overrides = {**TINY, "data.dataset": f"folder:{folder}", **overrides}
    config = get_preset("sagan_32_small").run_config(overrides)
    return beginning.prepare(config, given=overrides)
