"""Configuration of a run: all sections together, with JSON round trip.

Standard library only. Every value is checked when a configuration is made, so that
a wrong one is an error before anything is built or written. `to_dict` gives what
`config.json` holds; `from_dict` takes exactly that, all keys and no others.
"""

import dataclasses
import difflib

from keras_sagan.config.data import AugmentationConfig, DataConfig
from keras_sagan.config.evaluation import EvaluationConfig
from keras_sagan.config.model import ModelConfig
from keras_sagan.config.section import Section, Setting
from keras_sagan.config.training import (
    LoggingConfig,
    OptimizerConfig,
    TrainingConfig,
)


@dataclasses.dataclass(frozen=True)
class RunConfig(Section):
    """Everything that decides a training run.

    Args:
        preset: str. Name of the preset that the values were taken from.
        model: `ModelConfig`.
        optimizer: `OptimizerConfig`.
        training: `TrainingConfig`.
        data: `DataConfig`.
        logging: `LoggingConfig`.
        augmentation: `AugmentationConfig`.
        evaluation: `EvaluationConfig`.
    """

    preset: str
    model: ModelConfig
    optimizer: OptimizerConfig
    training: TrainingConfig
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    logging: LoggingConfig = dataclasses.field(default_factory=LoggingConfig)
    augmentation: AugmentationConfig = dataclasses.field(
        default_factory=AugmentationConfig
    )
    evaluation: EvaluationConfig = dataclasses.field(
        default_factory=EvaluationConfig,
        metadata={"setting": Setting("scores while training", added_later=True)},
    )

    def override(self, values):
        """Returns a copy with some fields of its sections changed.

        Args:
            values: dict from `"section.field"`, e.g. `"model.base_filters"`, to the
                new value, of the field's type.

        Raises:
            ValueError: if there is no such field, or the result is not allowed.
        """
        changes = {}
        for name, value in values.items():
            field_of(name)
            section, _, field = name.partition(".")
            changes.setdefault(section, {})[field] = value
        return dataclasses.replace(
            self,
            **{
                section: dataclasses.replace(getattr(self, section), **fields)
                for section, fields in changes.items()
            },
        )


DECIDED_BY_DATA = ("model.num_classes", "model.channels")
SECTIONS = tuple(
    section
    for section in dataclasses.fields(RunConfig)
    if dataclasses.is_dataclass(section.type)
)
_FIELDS = {
    f"{section.name}.{field.name}": field
    for section in SECTIONS
    for field in dataclasses.fields(section.type)
}
SETTINGS = tuple(_FIELDS)  # names that `RunConfig.override` takes: "section.field"


def field_of(name):
    """Returns the dataclass field of a setting.

    Args:
        name: str. `"section.field"`.

    Raises:
        ValueError: if there is none; the message names the nearest.
    """
    if name in _FIELDS:
        return _FIELDS[name]
    near = difflib.get_close_matches(str(name), SETTINGS, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"There is no setting {name!r}. {hint}Settings: {', '.join(SETTINGS)}."
    )
