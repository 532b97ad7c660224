"""The model that the development server serves, with its versions and labels."""

import dataclasses

from keras_sagan.serving.errors import Code, ServingError
from keras_sagan.serving.server.admission import Admission


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """The state that both protocols of the development server share.

    Args:
        name: str. Name of the model in requests.
        versions: dict from version numbers to `Servable`.
        labels: dict from version labels to version numbers.
        admission: `Admission`.
    """

    name: str
    versions: dict
    labels: dict
    admission: Admission

    def find(self, name, version=None, label=None):
        """Returns `(version, servable)`, of the newest version if none is named.

        Raises:
            ServingError: `NOT_FOUND`, in the words of TensorFlow Serving, for another
                model or version; `INVALID_ARGUMENT` for an unknown label.
        """
        if name != self.name:
            which = "Latest" if version is None else "Specific"
            about = name if version is None else f"{name}, {version}"
            message = f"Servable not found for request: {which}({about})"
            raise ServingError(Code.NOT_FOUND, message)
        if label is not None:
            if label not in self.labels:
                message = f"Unrecognized servable version label: {label}"
                raise ServingError(Code.INVALID_ARGUMENT, message)
            version = self.labels[label]
        if version is None:
            version = max(self.versions)
        if version not in self.versions:
            message = f"Servable not found for request: Specific({name}, {version})"
            raise ServingError(Code.NOT_FOUND, message)
        return version, self.versions[version]
