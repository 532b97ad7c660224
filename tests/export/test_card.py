import json

import pytest

from keras_sagan.export import card
from keras_sagan.runs import reading


def test_card_of_a_run(conditional_gan, run_directory):
    facts = reading.run_facts(run_directory)
    described = card.model_card(
        conditional_gan.ema_generator,
        "pictures",
        class_names=("red", "green", "blue"),
        facts=facts,
        license="CC0-1.0",
        intended_use="Tests.",
        class_weights=(5.0, 3.0, 0.0),
    )
    assert described == json.loads(json.dumps(described))
    assert described["name"] == "pictures"
    assert described["license"] == "CC0-1.0"
    assert described["intended_use"] == "Tests."
    assert described["class_names"] == ["red", "green", "blue"]
    assert described["class_weights"] == [5, 3, 0]
    trained = conditional_gan.generator.trainable_variables
    assert described["parameters"] == sum(v.value.shape.num_elements() for v in trained)
    assert described["generator"]["image_size"] == 32
    assert described["data"]["dataset"].startswith("folder:")
    assert "cache_dir" not in described["data"]
    assert described["training"]["steps"] == 4
    assert described["training"]["settings"]["training"]["batch_size"] == 4
    assert described["metrics"] == []
    assert described["versions"]["tensorflow"].startswith("2.")

    text = card.as_text(described)
    for expected in (
        "# pictures", "3 classes: red, green, blue", "Licence: CC0-1.0", "Tests.",
        "steps: 4", "batch_size: 4", "## Metrics\n\nNot known.",
    ):  # fmt: skip
        assert expected in text


def test_scores_come_with_their_protocol(conditional_gan):
    score = {"scores": {"fid": 12.5}, "protocol": {"real": {"count": 50000}}}
    described = card.model_card(conditional_gan.generator, "x", metrics=[score])
    assert described["metrics"] == [score]
    expected = "- scores:\n  - fid: 12.5\n- protocol:\n  - real:\n    - count: 50000\n"
    assert expected in card.as_text(described)


def test_intervals_stand_beside_their_scores(conditional_gan):
    result = {
        "scores": {"kid": 0.5, "fid": 12.5},
        "intervals": {"fid": [11.0, 13.75]},
        "conclusions": ["It helps."],
        "protocol": {},
    }
    described = card.model_card(conditional_gan.generator, "x", metrics=[result])
    text = card.as_text(described)
    assert "  - kid: 0.5\n  - fid: 12.5 (interval 11 to 13.75)\n" in text
    assert "- conclusions: It helps.\n" in text
    assert "- intervals" not in text


def test_card_without_a_run(unconditional_gan):
    described = card.model_card(unconditional_gan.ema_generator, "x")
    assert described["license"] is None
    assert described["data"] is None
    text = card.as_text(described)
    assert "Licence: not stated" in text
    assert "unconditional" in text
    assert "## Data\n\nNot known." in text


def test_export_has_the_card(any_gan, any_export):
    stored = json.loads((any_export / "assets.extra" / card.FILE).read_text())
    name = any_export.parent.name
    assert stored["name"] == name
    text = (any_export / "assets.extra" / card.TEXT).read_text()
    assert text == card.as_text(stored)


@pytest.mark.parametrize(("data", "usable"), [("glyphs", True), (3, False)])
def test_data_of_another_kind(tmp_path, data, usable):
    content = {"generator": {}, "data": {"dataset": data}}
    (tmp_path / card.FILE).write_text(json.dumps(content))
    assert card.read_card(tmp_path) == (content if usable else {})
