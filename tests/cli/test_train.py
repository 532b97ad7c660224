import json
import os
import re
import shutil
import signal
import threading
import time

import pytest

from keras_sagan.cli.main import main
from keras_sagan.config.run import RunConfig
from keras_sagan.files.locking import only_one_process


@pytest.fixture
def data(picture_folder):
    return ["--dataset", f"folder:{picture_folder}", "--batch-size", "8"]


def test_dry_run_prints_the_resolved_configuration(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = "--preset sagan_32 --batch-size 2 --g-learning-rate 1e-3 --seed 7"
    sets = ["--set", "model.base_filters=8", "--set", "model.attention_resolutions=[]"]
    assert main(["train", "--dry-run", *data, *options.split(), *sets]) == 0
    config = RunConfig.from_dict(json.loads(capsys.readouterr().out))
    assert config.preset == "sagan_32"
    assert config.optimizer.g_learning_rate == 1e-3
    assert config.optimizer.d_learning_rate == 2e-4  # the preset's
    assert config.training.seed == 7
    assert config.training.discriminator_steps == 5
    assert config.model.base_filters == 8
    assert config.model.attention_resolutions == ()
    assert config.model.num_classes == 2  # the data's
    assert not list(tmp_path.iterdir())


def test_a_second_process_in_the_directory_is_refused(data, tmp_path, capsys):
    output = tmp_path / "run"
    output.mkdir()
    with only_one_process(output, "training"):
        assert main(["train", *data, "-o", str(output)]) == 2
    printed = capsys.readouterr().err
    assert f"error: Another process is training in {str(output)!r}." in printed
    assert "has stopped" not in printed


def test_set_wins_over_a_flag(data, capsys):
    more = ["--steps", "5", "--set", "training.steps=6"]
    assert main(["train", "--dry-run", *data, *more]) == 0
    assert json.loads(capsys.readouterr().out)["training"]["steps"] == 6


def test_the_configuration_of_a_run_makes_the_same_one(run_directory, capsys):
    path = run_directory / "config.json"
    assert main(["train", "--dry-run", "--config", str(path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads(path.read_text())
    del written["versions"]
    assert printed == written


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "none.json"], "none.json"),
        (["--preset", "sagan"], "Did you mean 'sagan_"),
        (["--steps", "many"], "`steps` of TrainingConfig must be an integer"),
        (["--set", "model.widht=3"], "There is no setting 'model.widht'"),
        (["--set", "base_filters"], "section.field=value"),
        (["--dataset", "mnist"], "'tfds:mnist'"),
        (["--split", "validation"], "validation"),
        (["--set", "model.num_classes=3"], "num_classes=2. Received: 3"),
        (["--set", "model.attention_resolutions=[4]"], "4"),
        (["--batch-size", "17"], "the 16 images of 'folder:"),
        (
            ["--evaluate-every", "0"],
            "`every` of EvaluationConfig must be an in",
        ),
        (
            ["--evaluate-every", "5", "--evaluate-extractor", "classifer"],
            "`extractor` must be inception, classifier",
        ),
    ],
)
def test_mistakes_are_one_message_before_anything_is_written(
    data, options, message, tmp_path, capsys
):
    output = tmp_path / "run"
    assert main(["train", "-o", str(output), *data, *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "model.base_filters: 4 -> 16; training.batch_size: 4 -> 8"),
        (["--no-resume"], "is not empty"),
        (["--resume-from", "3"], "has another configuration"),
    ],
)
def test_a_directory_with_another_run_is_refused(
    data, run_directory, options, message, capsys
):
    before = {p: p.stat().st_mtime_ns for p in run_directory.rglob("*")}
    assert main(["train", "-o", str(run_directory), *data, *options]) == 2
    assert message in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in run_directory.rglob("*")} == before


def test_there_must_be_a_run_to_resume(data, tmp_path, capsys):
    assert main(["train", "-o", str(tmp_path / "new"), *data, "--resume"]) == 2
    assert "holds no run to go on with" in capsys.readouterr().err


@pytest.mark.slow
def test_sigterm_and_the_same_command_again(picture_folder, tmp_path, capsys):
    output = tmp_path / "run"
    command = ["train", "--dataset", f"folder:{picture_folder}", "-o", str(output)]
    command += "--batch-size 4 --log-every 2 --set model.base_filters=4".split()
    done = threading.Event()

    def terminate():
        while not (done.is_set() or (output / "metrics.jsonl").exists()):
            time.sleep(0.01)
        if not done.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        assert main([*command, "--steps", "100000"]) == 143
    finally:
        done.set()
        thread.join()
    printed = capsys.readouterr().out
    step = int(re.search(r"Interrupted after (\d+) steps", printed)[1])
    assert "The same command with the same -o goes on from here." in printed
    assert not (output / "model").exists()

    assert main([*command, "--steps", str(step + 2)]) == 0
    assert f"Finished after {step + 2} steps" in capsys.readouterr().out
    assert (output / "model").is_dir()
    # Nothing is left to do
    assert main([*command, "--steps", str(step + 2)]) == 0
    assert f"Finished after {step + 2} steps" in capsys.readouterr().out


@pytest.mark.slow
def test_a_removed_directory_is_one_message(picture_folder, tmp_path, capsys):
    output = tmp_path / "run"
    command = ["train", "--dataset", f"folder:{picture_folder}", "-o", str(output)]
    command += "--batch-size 4 --log-every 2 --set model.base_filters=4".split()

    def remove():
        while not (output / "metrics.jsonl").exists():
            time.sleep(0.01)
        shutil.rmtree(output)

    thread = threading.Thread(target=remove, daemon=True)
    thread.start()
    assert main([*command, "--steps", "100000"]) == 1
    printed = capsys.readouterr().err
    assert "training has stopped: [Errno 2] No such file" in printed
    assert "Traceback" not in printed


def test_what_is_printed(run_directory):
    printed = run_directory.with_suffix(".out").read_text().splitlines()
    assert "Training on 16 images" in printed[0]
    assert (
        f"4 steps, 4 images in a batch. Everything is written to {run_directory}"
        in printed[0]
    )
    assert printed[-4].startswith("step 4/4  ")
    assert printed[-3].startswith("Finished after 4 steps, ")
    assert printed[-2] == f"Samples: {run_directory / 'samples' / '0000004.png'}"
    assert printed[-1] == f"Model:   {run_directory / 'model'}"
