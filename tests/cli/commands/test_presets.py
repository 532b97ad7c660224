import json

from keras_sagan.cli.main import main
from keras_sagan.config.presets import PRESETS, get_preset


def test_list(capsys):
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    for line, preset in zip(lines, PRESETS.values(), strict=True):
        assert line.endswith(preset.description)


def test_one_as_json(capsys):
    assert main(["presets", "sagan_128_paper"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == get_preset("sagan_128_paper").to_dict()
    assert printed["optimizer"]["beta_2"] == 0.9
