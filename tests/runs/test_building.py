import json
import shutil

import keras
import numpy as np
import pytest

from keras_sagan.runs import building
from tests.training.small_runs import prepare


def test_classes_and_channels_are_the_datas(picture_folder, unlabelled):
    config, source = prepare(picture_folder)
    assert (config.model.num_classes, config.model.channels) == (2, 3)
    assert source.class_names == ("blue", "red")
    config, _ = prepare(unlabelled)
    assert config.model.num_classes is None


def test_classes_that_no_picture_has(picture_folder, tmp_path):
    for i, file in enumerate(sorted(picture_folder.glob("*/*.png"))):
        shutil.copy(file, tmp_path / f"{i}.png")
    labels = [[f"{i}.png", 1 + i % 2] for i in range(16)]
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    with pytest.warns(UserWarning, match=r"no pictures of class 0 \(num_classes=3"):
        prepare(tmp_path)


def test_given_channels_convert_the_data(picture_folder):
    config, source = prepare(picture_folder, **{"model.channels": 1})
    assert config.model.channels == source.channels == 1


def test_given_classes_must_be_the_datas(picture_folder):
    assert prepare(picture_folder, **{"model.num_classes": 2})
    with pytest.raises(ValueError, match=r"num_classes=2\. Received: 7"):
        prepare(picture_folder, **{"model.num_classes": 7})


def test_a_batch_is_what_a_generator_step_consumes(picture_folder):
    more = {
        "training.discriminator_steps": 2,
        "training.gradient_accumulation_steps": 2,
    }
    _, source = prepare(picture_folder, **more)
    assert source.batch_size == 2 * 2 * 4


def test_build_uses_every_setting(picture_folder):
    values = {
        "model.latent_dim": 16,
        "model.attention": "paper",
        "model.d_base_filters": 8,
        "model.d_spectral_norm": False,
        "training.loss": "relativistic",
        "training.r1_gamma": 0.5,
        "training.r2_gamma": 0.25,
        "optimizer.g_learning_rate": 1e-3,
        "optimizer.d_learning_rate": 2e-3,
        "optimizer.beta_1": 0.5,
        "optimizer.beta_2": 0.9,
        "optimizer.epsilon": 1e-6,
    }
    config, source = prepare(picture_folder, **values)
    gan = building.build(config, source.class_names)
    assert gan.class_names == ("blue", "red")
    assert gan.generator.latent_dim == 16
    assert gan.discriminator.attention == "paper"
    assert (gan.generator.base_filters, gan.discriminator.base_filters) == (4, 8)
    assert gan.generator.spectral_norm and not gan.discriminator.spectral_norm
    compiled = gan.get_compile_config()
    assert [compiled[x] for x in ("loss", "r1_gamma", "r2_gamma")] == [
        "relativistic", 0.5, 0.25,
    ]  # fmt: skip
    for optimizer, rate in [(gan.g_optimizer, 1e-3), (gan.d_optimizer, 2e-3)]:
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.9)
        assert optimizer.epsilon == 1e-6


def test_parts_share_the_batch_of_each_update(picture_folder):
    more = {"training.batch_size": 4, "training.discriminator_steps": 2}
    _, source = prepare(picture_folder, **more, **{"data.parts": 4})
    assert (source.batch_size, source.parts) == (8, 4)
    with pytest.raises(ValueError, match=r"data\.parts=8, training\.batch_size=4"):
        prepare(picture_folder, **more, **{"data.parts": 8})


def test_natural_fake_labels_are_those_of_pairs_anyway(picture_folder):
    more = {"training.loss": "relativistic", "data.fake_labels": "natural"}
    config, source = prepare(picture_folder, **more)
    with pytest.raises(ValueError, match=r"data\.fake_labels"):
        building.build(config, source.class_names, class_counts=[8, 8])


@pytest.mark.parametrize(
    ("counts", "real_labels", "weights"),
    [
        ([9, 7], "natural", (9.0, 7.0)),
        ([9, 7], "balanced", None),
        ([8, 8], "natural", None),
    ],
)
def test_pairs_are_of_the_classes_of_the_data(
    picture_folder, counts, real_labels, weights
):
    """The averages' batch statistics, scores and exports are of that mix."""
    more = {"training.loss": "relativistic", "data.real_labels": real_labels}
    config, source = prepare(picture_folder, **more)
    gan = building.build(config, source.class_names, class_counts=counts)
    assert gan.fake_label_weights == weights


def test_build_seeds_the_weights(picture_folder):
    def kernel(seed):
        config, _ = prepare(picture_folder, **{"training.seed": seed})
        return np.array(building.build(config).generator.trainable_variables[0])

    np.testing.assert_array_equal(kernel(1), kernel(1))
    assert np.abs(kernel(1) - kernel(2)).max() > 1e-3


def test_a_source_of_other_images_is_refused(picture_folder):
    config, source = prepare(picture_folder)
    building.check_fits(config, source)
    config = config.override({"model.num_classes": 3})
    message = r"`model\.num_classes` must be that of the data, 2"
    with pytest.raises(ValueError, match=message):
        building.check_fits(config, source)


def test_the_dtype_policy_is_left_as_it_was(picture_folder):
    before = keras.config.dtype_policy()
    config, _ = prepare(picture_folder, **{"training.dtype_policy": "mixed_bfloat16"})
    gan = building.build(config)
    assert gan.generator.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy() == before
