"""`keras-sagan import`."""

import numpy as np
import torch

from keras_sagan import SAGAN
from keras_sagan.cli.main import main
from tests.fidelity import peer_layouts, torch_reference


def write_studiogan(folder):
    """A small generator file; returns its path."""
    generator = torch_reference.Generator(32, 4, classes=3, form="one_hot")
    torch_reference.randomize(generator, seed=1)
    state = peer_layouts.studiogan_generator(generator.state_dict(), 3)
    torch.save({"state_dict": state}, folder / "G.pth")
    return folder / "G.pth"


def test_import_then_load(tmp_path, capsys):
    path, output = write_studiogan(tmp_path), tmp_path / "model"
    assert main(["import", "studiogan", str(path), "-o", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    gan = SAGAN.from_preset(str(output))
    assert gan.generator.num_classes == 3
    assert gan.discriminator.activated_shortcut is False  # an untrained one
    assert gan.generate([0, 1]).shape == (2, 32, 32, 3)
    assert np.ptp(gan.generate([0, 1])) > 0


def test_errors_are_one_line(tmp_path, capsys):
    for source in ("studiogan", "mmgeneration", "tf1"):
        missing, output = str(tmp_path / "nothing"), str(tmp_path / "model")
        assert main(["import", source, missing, "-o", output]) == 2
        assert "There is no" in capsys.readouterr().err
        assert not (tmp_path / "model").exists()


def test_a_used_output_directory_is_refused_first(tmp_path, capsys):
    (tmp_path / "something").touch()
    assert main(["import", "tf1", "nothing", "-o", str(tmp_path)]) == 2
    assert "exists and is not empty" in capsys.readouterr().err
