"""A Hub on this machine, and a model to upload; see `hugging_face_server`."""

import pytest

from tests import helpers
from tests.hub.hugging_face_server import taken_for_the_hub


@pytest.fixture
def hub(tmp_path):
    """A `HuggingFaceServer` in the place of the Hub, and an empty cache."""
    with taken_for_the_hub(tmp_path / "cache") as server:
        yield server


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    """A tiny model and its directory, with a file of the user's own in it."""
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    directory = tmp_path_factory.mktemp("hub") / "preset"
    gan.save_to_preset(directory)
    (directory / "notes.txt").write_text("mine")
    return gan, directory
