import json

import pytest

from keras_sagan.config.presets import PRESETS, get_preset, preset_differences


def test_names():
    assert list(PRESETS) == [
        "sagan_32",
        "sagan_32_small",
        "sagan_64",
        "sagan_128",
        "sagan_128_official",
        "sagan_128_paper",
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_states_its_source_and_is_json(name):
    preset = get_preset(name)
    assert preset.name == name
    assert preset.source.endswith(".") and preset.description.endswith(".")
    assert json.loads(json.dumps(preset.to_dict()))["name"] == name
    assert preset.optimizer.epsilon == 1e-8  # not Keras's 1e-7


def test_what_tells_the_128_recipes_apart():
    best, code, paper = (
        get_preset(f"sagan_128{suffix}") for suffix in ("", "_official", "_paper")
    )
    for preset in (best, code, paper):
        assert preset.optimizer.g_learning_rate == 1e-4
        assert preset.optimizer.d_learning_rate == 4e-4
        assert preset.training.batch_size == 256
    assert best.model.attention_resolutions == (64,)
    assert (best.training.ema_decay, best.training.ema_start) == (0.999, 2000)
    assert code.model.attention_resolutions == (32,)
    assert code.training.ema_decay == 0.0
    assert [p.optimizer.beta_2 for p in (best, code, paper)] == [0.999, 0.999, 0.9]
    assert [p.model.attention for p in (best, code, paper)] == [
        "released",
        "released",
        "paper",
    ]


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match=r"Did you mean 'sagan_128_official'\? Rec"):
        get_preset("sagan_128_offical")


def test_a_name_unlike_any_lists_them_all():
    with pytest.raises(ValueError, match=r"sagan_32, .*sagan_128_paper\. Received"):
        get_preset("xyz")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"preset": "gone"}, None),
        ({"preset": "sagan_32_small", "versions": {"keras": "3"}}, []),
        (
            {
                "preset": "sagan_32_small",
                "training": {"loss": "wasserstein", "steps": 20_000},
                "data": {"dataset": "shapes", "fit": "pad"},
            },
            [
                ("training.loss", "relativistic", "wasserstein"),
                ("data.fit", "crop", "pad"),
            ],
        ),
    ],
)
def test_differences_from_the_preset(config, expected):
    assert preset_differences(config) == expected
