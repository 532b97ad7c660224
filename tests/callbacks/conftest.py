import pytest

from keras_sagan import SAGAN


@pytest.fixture(scope="module")
def built():
    return SAGAN.from_preset("sagan_32_small", base_filters=4, num_classes=2)


@pytest.fixture
def gan(built):
    """An untrained model; tests set its step."""
    built.stop_training = False
    built.step_counter.count.assign(0)
    return built
