import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from keras_sagan.cli.commands import train
from keras_sagan.cli.main import main
from keras_sagan.config.presets import get_preset
from keras_sagan.config.run import RunConfig
from keras_sagan.files.locking import only_one_process
from keras_sagan.runs import checkpoint_files
from tests import helpers
from tests.training import ports


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
            "`extractor` must be inception, ",
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
        (
            [],
            "model.base_filters: 4 -> 8; model.d_base_filters: 4 -> 16; "
            "training.batch_size: 4 -> 8",
        ),
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
    assert "There is no run to resume" in capsys.readouterr().err


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
    assert "The same command with the same -o continues from here." in printed
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
        while output.exists():  # again where a file has come meanwhile
            shutil.rmtree(output, ignore_errors=True)

    thread = threading.Thread(target=remove, daemon=True)
    thread.start()
    assert main([*command, "--steps", "100000"]) == 1
    printed = capsys.readouterr().err
    assert "training has stopped: [Errno 2] No such file" in printed
    assert "Traceback" not in printed


@pytest.mark.slow
def test_pictures_that_are_gone_are_one_message(picture_folder, tmp_path, capsys):
    """Of those that are not in memory; once they are back the run goes on."""
    output, folder = tmp_path / "run", tmp_path / "pictures"
    shutil.copytree(picture_folder, folder)
    command = ["train", "--dataset", f"folder:{folder}", "-o", str(output)]
    command += [*TINY.split(), "--checkpoint-every", "2", "--data-memory", "0"]

    def remove():
        while not (output / "metrics.jsonl").exists():
            time.sleep(0.01)
        folder.rename(tmp_path / "elsewhere")

    thread = threading.Thread(target=remove, daemon=True)
    thread.start()
    assert main([*command, "--steps", "100000"]) == 1
    thread.join()
    printed = capsys.readouterr().err
    assert f"training has stopped: cannot read picture {folder}" in printed
    assert "Traceback" not in printed
    step = checkpoint_files.steps(output / "checkpoints")[-1]
    assert step > 0
    (tmp_path / "elsewhere").rename(folder)
    assert main([*command, "--steps", str(step + 1)]) == 0
    assert f"Finished after {step + 1} steps" in capsys.readouterr().out


def test_what_is_printed(run_directory):
    printed = run_directory.with_suffix(".out").read_text().splitlines()
    assert "Training on 16 images" in printed[0]
    assert (
        f"4 steps, 4 images in a batch. Everything is written to {run_directory}"
        in printed[0]
    )
    assert printed[1] == "Classes, by their labels from 0: blue, red"
    assert printed[-4].startswith("step 4/4  ")
    assert printed[-3].startswith("Finished after 4 steps, ")
    assert printed[-2] == f"Samples: {run_directory / 'samples' / '0000004.png'}"
    assert printed[-1] == f"Model:   {run_directory / 'model'}"


# === Real processes ===

TINY = "--batch-size 4 --log-every 2 --dtype-policy float32 --set model.base_filters=4 "
TINY += "--set model.attention_resolutions=[]"


@contextlib.contextmanager
def started(folder, output, *options, **streams):
    """A real `keras-sagan train`; both of its streams may be redirected."""
    command = [sys.executable, "-m", "keras_sagan", "train", *TINY.split()]
    command += ["--dataset", f"folder:{folder}", "-o", str(output), *options]
    environment = {**os.environ, "PYTHONPATH": str(helpers.ROOT)}
    # Under nohup the tests would hand down that SIGHUP is ignored.
    command = ["env", "--default-signal=HUP,INT", *command]
    with subprocess.Popen(command, env=environment, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_whose_output_nobody_can_read_goes_on_to_its_end(
    picture_folder, tmp_path
):
    output = tmp_path / "{a} run"
    with (
        open("/dev/full", "w") as full,
        started(
            picture_folder,
            output,
            *("--steps", "4"),
            stdout=full,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        process.stderr.close()
        assert process.wait() == 0
    assert (output / "model").is_dir()
    assert (output / "samples" / "0000004.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_signals_of_a_terminal_and_of_slurm(picture_folder, tmp_path, number):
    """A terminal that closes sends its signal twice, and takes no output."""
    output = tmp_path / "run"
    with started(
        picture_folder,
        output,
        *("--steps", "100000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        wait_for(output / "metrics.jsonl", process)
        process.stdout.close()
        for _ in range(2):
            process.send_signal(number)
        assert process.wait() == 128 + number
    last = checkpoint_files.read_newest(output / "checkpoints")
    assert last.step >= 2
    assert not (output / "model").exists()


def test_a_worker_that_is_ended_before_the_others_come(picture_folder, tmp_path):
    chief, other = ports.free_addresses(2)
    port = int(chief.rpartition(":")[2])
    with started(
        picture_folder,
        tmp_path / "run",
        *("--workers", f"{chief},{other}", "--index", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        while True:  # until it listens
            assert process.poll() is None
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate()
        assert process.returncode == 143
    assert "keras-sagan: ended by SIGTERM" in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "run").exists()


# === Several workers; mistakes that one process can make ===


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--strategy both", "none, mirrored, multi_worker, auto. Received: 'both'"),
        ("--strategy multi_worker", "strategy='multi_worker', no workers"),
        ("--workers a:1,b:2", "`--workers` needs `--index`"),
        ("--workers a:1,a:1 --index 0", "different addresses"),
        ("--workers a:1,b:2 --index 2", "Received: index=2"),
        ("--strategy mirrored --workers a:1,b:2 --index 0", "'mirrored', workers"),
    ],
)
def test_mistakes(options, message, picture_folder, tmp_path, capsys):
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    assert main(["train", *data, *options.split()]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_wrong_tf_config(picture_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {}}')
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    assert main(["train", *data]) == 2
    assert "TF_CONFIG describes no cluster" in capsys.readouterr().err


@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_alone_gives_up(index, picture_folder, tmp_path, capsys):
    workers = ",".join(ports.free_addresses(2))
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    options = f"--workers {workers} --index {index} --worker-timeout 1"
    assert main(["train", *data, *options.split()]) == 2
    assert "within 1 seconds" in capsys.readouterr().err


def test_a_batch_that_does_not_divide(picture_folder, tmp_path, capsys):
    data = ["--dataset", f"folder:{picture_folder}", "-o", str(tmp_path / "run")]
    options = "--strategy mirrored --batch-size 6 --set model.base_filters=4"
    assert main(["train", *data, *options.split()]) == 2  # four logical CPU devices
    assert "their number, 4. Received: batch_size=6" in capsys.readouterr().err


def test_what_workers_agree_on():
    config = get_preset("sagan_32").run_config({"data.cache_dir": "/here"})
    elsewhere = config.override({"data.cache_dir": "/there", "data.data_memory": 3.5})
    agreed = train.settings_to_agree_on(config)
    assert agreed == train.settings_to_agree_on(elsewhere)
    other = config.override({"training.seed": 5})
    assert agreed != train.settings_to_agree_on(other)
    json.dumps(agreed)


def test_data_differ_by_a_pixel_or_a_label():
    class Source:
        num_examples, class_names, parts = 600, ("a", "b"), 1
        images = np.zeros((600, 4, 4, 3), np.uint8)
        labels = np.zeros((600,), np.int32)

        def arrays(self):
            return self.images, self.labels

    source = Source()
    first = train.data_to_agree_on(source)
    source.labels = source.labels.copy()
    source.labels[599] = 1
    second = train.data_to_agree_on(source)
    source.images = source.images.copy()
    source.images[0, 0, 0, 0] = 1
    third = train.data_to_agree_on(source)
    assert len({json.dumps(x) for x in (first, second, third)}) == 3
    source.parts, source.images = 2, None  # of several parts no images are read
    assert train.data_to_agree_on(source)["content"] not in (
        x["content"] for x in (first, second, third)
    )
