import pytest

from keras_sagan.config.data import AugmentationConfig, DataConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dataset", ""),
        ("split", ""),
        ("split", 3),
        ("cache_dir", 3),
        ("data_memory", -1),
        ("parts", 0),
        ("fit", "stretch"),
        ("real_labels", "all"),
        ("fake_labels", None),
    ],
)
def test_data_errors_name_argument_and_value(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of DataConfig.*Received: "):
        DataConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy", "dada"),
        ("operations", "blit"),
        ("mirror", 1),
        ("ada_target", 1.0),
        ("ada_target", -1),
        ("ada_images", 0),
    ],
)
def test_augmentation_errors_name_argument_and_value(name, value):
    with pytest.raises(
        ValueError, match=rf"`{name}` of AugmentationConfig.*Received: "
    ):
        AugmentationConfig(**{name: value})


def test_operations_are_in_the_order_of_the_policy():
    config = AugmentationConfig("diffaugment", operations="cutout, color")
    assert config.selected_operations == ("color", "cutout")
    assert AugmentationConfig("ada").selected_operations[0] == "blit"
    assert AugmentationConfig().selected_operations == ()
