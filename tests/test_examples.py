"""Every program in `examples/` runs, in a folder of its own, and says what it found."""

import pathlib
import runpy
import sys

import pytest

from tests import helpers

EXAMPLES = helpers.ROOT / "examples"
PRINTED = {
    "custom_loss": "loss: soft_least_squares",
    "fine_tuning": "weights kept: True",
    "keras_tuner_search": "best: {'rate': ",
    "layers_in_another_model": "map: (1, 256, 64) rows sum to ",
    "mlflow_offline": "logged: d_fake",
    "stock_callbacks": "the checkpoint draws the same pictures: True",
    "wandb_offline": "learning rate in the log: 0.0001",
}


def test_each_is_run_and_listed():
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == set(PRINTED)
    listed = (EXAMPLES / "README.md").read_text()
    assert all(f"`{name}.py`" in listed for name in names)


IN_CI = ("custom_loss", "stock_callbacks")  # the others take minutes together


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(x, marks=pytest.mark.slow if x in IN_CI else pytest.mark.patient)
        for x in PRINTED
    ],
)
@pytest.mark.filterwarnings("default")  # of the trackers' own packages
def test_an_example(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    before = {path: path.stat().st_mtime for path in EXAMPLES.iterdir()}
    with helpers.registered_losses_forgotten():
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert PRINTED[name] in capsys.readouterr().out
    assert {path: path.stat().st_mtime for path in EXAMPLES.iterdir()} == before
    assert pathlib.Path.cwd() == tmp_path
