"""The configuration of a run, which consists of all sections.

All values are checked when a configuration is created, so that a wrong one is an error
before anything is built or written. `to_dict` returns the content of `config.json`, and
`from_dict` accepts exactly that. Only the standard library is imported.
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
    """The complete configuration of a training run.

    Args:
        preset: str. Name of the preset from which the values were taken.
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
        metadata={"setting": Setting("scores during training", added_later=True)},
    )

    def override(self, values):
        """Returns a copy in which some settings are changed.

        Args:
            values: dict from `"section.field"`, e.g. `"model.base_filters"`, to a new
                value of the type of the field.

        Raises:
            ValueError: if there is no such field, or if a value is not allowed.
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
SETTINGS = tuple(_FIELDS)  # names "section.field", as `RunConfig.override` takes them


def field_of(name):
    """Returns the dataclass field of a setting.

    Args:
        name: str. `"section.field"`.

    Raises:
        ValueError: if there is none. The message suggests the most similar name.
    """
    if name in _FIELDS:
        return _FIELDS[name]
    near = difflib.get_close_matches(str(name), SETTINGS, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"There is no setting {name!r}. {hint}Settings: {', '.join(SETTINGS)}."
    )
