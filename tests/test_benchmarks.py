"""The benchmarks of speed: tables and targets; whole small runs with `-m patient`."""

import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

from keras_sagan import SAGAN

BENCHMARKS = pathlib.Path(__file__).parents[1] / "benchmarks"
RESULTS = BENCHMARKS.parent / "docs" / "results"
NARROW = ["--base-filters", "8"]


@pytest.fixture
def imported(monkeypatch):
    """A function that imports a benchmark as running it as a program does."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    yield __import__
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in (
            "contenders",
            "few_shot",
            "fine_tuning",
            "generate",
            "modes",
            "run_log",
            "same_seed",
            "scaling",
            "startup",
            "train_step",
        ):
            del sys.modules[name]


class Turns:
    """What is left of a contender that has ended."""

    memory_mib = 1000.0

    def __init__(self, seconds):
        self.seconds = [seconds, 2 * seconds, 0.5 * seconds]
        self.median = seconds


def test_targets_of_generation(imported):
    generate = imported("generate")
    options = argparse.Namespace(
        batch=64, base_filters=64, image_size=32, threads=2, rounds=3
    )
    contenders = {
        (generate.GENERATE, 1): Turns(0.03),
        (generate.EXPORT, 1): Turns(0.06),
        ("StudioGAN, eager", 1): Turns(0.01),
        (generate.GENERATE, 64): Turns(0.5),
        (generate.EXPORT, 64): Turns(0.4),
        ("StudioGAN, eager", 64): Turns(2.0),
        ("StudioGAN, compile", 1): Turns(0.01),
        ("StudioGAN, compile", 64): Turns(0.75),
    }
    found = [ratio for _, (ratio, _) in generate.targets(contenders, options)]
    assert found == pytest.approx([1.5, 0.5, 1.25])  # the best mode of the peer counts
    *_, row = generate.table(contenders, options).splitlines()
    one, many = "10.0 (5.0 to 20.0) | 100.0", "750.0 (375.0 to 1500.0) | 85.3"
    assert row == f"| StudioGAN, compile | {one} | {many} | 0.67 | 1,000 |"


def of_a_step(train_step, half):
    """Contenders of a training step, with those in bfloat16 or without."""
    seconds = {"eager": 6.0, "channels_last": 4.0}
    found = {"keras_sagan, float32": 2.0, "roofline, float32": 1.0}
    if half:
        seconds |= {"bfloat16": 3.0, "channels_last+bfloat16": 1.5}
        found |= {"keras_sagan, mixed_bfloat16": 1.0, "roofline, bfloat16": 0.1}
    found |= {train_step.peer_name(mode): value for mode, value in seconds.items()}
    contenders = {name: Turns(value) for name, value in found.items()}
    for name, contender in contenders.items():
        contender.facts = {"gflops": 1.6 if "keras" in name else 1.0, "name": "matmul"}
    return contenders


@pytest.mark.parametrize(
    ("size", "filters", "half", "found"),
    [
        (32, 64, True, [3.0, 2.0, 3.0, 1.5, 1.0, 0.8]),
        (32, 64, False, [3.0, 2.0, 1.0, 0.8]),
        (32, 16, True, [1.5, 1.0]),
        (128, 64, False, [2.0, 1.0]),
    ],
)
def test_targets_of_a_training_step(imported, size, filters, half, found):
    train_step = imported("train_step")
    options = argparse.Namespace(
        image_size=size,
        base_filters=filters,
        batch=8,
        threads=2,
        rounds=3,
        studiogan="checkout",
        no_naive=True,
        compile=False,
    )
    contenders = of_a_step(train_step, half)
    assert set(train_step.wanted(options, half)) == set(contenders)
    goals = train_step.targets(contenders, options)
    assert [ratio for ratio, _ in goals.values()] == pytest.approx(found)
    said = "No bfloat16: this processor would emulate it"
    assert (said in train_step.table(contenders, options)) is not half


def test_the_newest_results_come_first(imported, tmp_path, monkeypatch):
    results = imported("contenders.results").results
    file = tmp_path / "startup.md"
    before = "# How long?\n\nIn seconds.\n\n## 2026-11-23\n\n| b |\n"
    file.write_text(before)
    options = results.add_arguments(argparse.ArgumentParser()).parse_args([])
    results.publish("| a |", options, file)
    assert file.read_text() == before
    options.append = True
    monkeypatch.setattr(sys, "argv", ["path/startup.py", "--append"])
    results.publish("| a |", options, file)
    introduction, latest, earlier = re.split(r"^## ", file.read_text(), flags=re.M)
    assert introduction == "# How long?\n\nIn seconds.\n\n"
    assert re.match(r"\d{4}-\d\d-\d\d\n\ntensorflow 2", latest)
    assert "    python benchmarks/startup.py --append\n" in latest
    assert latest.endswith("\n\n| a |\n\n")
    assert earlier == "2026-11-23\n\n| b |\n"


def test_a_program_that_appends_has_a_page():
    appends = "from contenders.results import add_arguments"
    for program in BENCHMARKS.glob("*.py"):
        if appends in program.read_text():
            assert (
                BENCHMARKS.parent / "docs" / "results" / f"{program.stem}.md"
            ).is_file()


def test_a_log_that_was_cut_off_goes_on(imported, tmp_path):
    run_log, log = imported("run_log"), tmp_path / "runs.jsonl"
    assert run_log.read_rows(log) == []
    run_log.append_row(log, {"seed": 0})
    log.write_text(log.read_text() + '{"seed": 1, "fre')
    run_log.append_row(log, {"seed": 2})
    assert run_log.read_rows(log) == [{"seed": 0}, {"seed": 2}]


@pytest.mark.parametrize(
    ("distances", "verdict"), [((5.0, 5.2), "more"), ((5.8, 6.2), "NOT more")]
)
def test_a_gain_counts_above_the_spread_of_the_seeds(imported, distances, verdict):
    rows = [
        {"policy": policy, "seed": seed, "step": 9, "frechet": value, "kernel": 0.1}
        for policy, values in [("none", (6.0, 6.4)), ("diffaugment", distances)]
        for seed, value in enumerate(values)
    ]
    table = imported("few_shot").report(rows).split("kernel distance")[0]
    assert f": {verdict} than the seed spread 0.28" in table


def test_the_step_at_which_a_tuned_model_is_as_good(imported):
    distances = {"scratch": (9.0, 4.0, 2.0, 2.5), "tuned": (3.0, 2.0, 1.0, 1.5)}
    rows = [
        {"start": start, "seed": seed, "step": 25 * 2**i, "distance": value + seed}
        for start, values in distances.items()
        for i, value in enumerate(values)
        for seed in (0, 2)
    ]
    text = imported("fine_tuning").report(rows)
    assert "| 25 | 4.00 +- 1.41 | 10.00 +- 1.41 |" in text
    assert "nearest after 100 steps (3.00); from the trained model it is as " in text
    assert text.endswith("near after 50 steps.")


def test_modes_that_are_there_and_how_equal_they_are(imported):
    modes = imported("modes")
    digits = np.array(list(np.ndindex(10, 10, 10)))
    assert modes.count_modes(digits) == (1000, pytest.approx(0))
    half = digits[digits[:, 0] < 5]
    assert modes.count_modes(half) == (500, pytest.approx(np.log(2)))


def test_pictures_that_are_not_the_same(imported):
    same_seed = imported("same_seed")
    rows = same_seed.chosen_rows(8, 3)
    assert len({*zip(rows["labels"], rows["seed"], strict=True)}) == 24
    assert min(rows["seed"]) < 0 and max(np.abs(rows["seed"])) > 2**32
    expected = np.zeros((2, 4, 4, 3), np.uint8)
    images = expected.copy()
    images[0, 0, 0], images[1, 1, 1] = [1, 1, 0], [0, 2, 255]
    assert same_seed.differences(images, expected) == (2, 2)
    with pytest.raises(ValueError, match="uint8 of the shape"):
        same_seed.differences(images[:1], expected)


def test_missed_targets(imported, capsys):
    results = imported("contenders.results").results
    options = argparse.Namespace(append=False, check=True)
    assert results.conclude("| a |", {"fast": (2.0, 2.0)}, options) == 0
    assert results.conclude("| a |", {"fast": (1.0, 2.0)}, options) == 1
    said = "| a |\n\n- fast: 1.00 (target 2.0)\nMISSED: fast\n"
    assert capsys.readouterr().out.endswith(said)
    options.check = False
    assert results.conclude("| a |", {"fast": (1.0, 2.0)}, options) == 0


def test_gates_and_norms_of_an_averaged_generator_are_not_neutral(imported):
    weights = imported("contenders.weights").weights
    generator = SAGAN.from_preset("sagan_32_small").ema_generator
    names = {"gamma", "beta"}
    before = [np.array(x) for x in generator.weights if x.name in names]
    weights.make_not_neutral(generator)
    after = [np.array(x) for x in generator.weights if x.name in names]
    assert len(before) == 15
    for old, new in zip(before, after, strict=True):
        assert not np.array_equal(old, new)


def test_every_kernel_counts(imported):
    flops = imported("contenders.flops").flops
    gan = SAGAN.from_preset("sagan_32_small")
    for network in (gan.generator, gan.discriminator):
        with_kernel = {
            layer.name
            for layer in network.layers
            if any(x.path.endswith("kernel") for x in layer.trainable_variables)
        }
        assert set(flops.layer_flops(network)) == with_kernel
    assert flops.training_flops(gan, 64) == 64 * flops.training_flops(gan, 1)


@pytest.mark.patient
@pytest.mark.parametrize(
    ("program", "arguments", "row"),
    [
        ("generate", [*NARROW, "--batch", "2"], "| SavedModel, C API |"),
        (
            "scaling",
            [*NARROW, "--groups", "attention"],
            "| attention at (0: none) | 32 |",
        ),
        ("startup", NARROW, "| `train`: first step |"),
        ("train_step", [*NARROW, "--batch", "8"], "| naive Keras, float32 |"),
        ("attention_memory", ["--positions", "1024"], "| 1,024 | 256 | whole |"),
    ],
)
def test_a_small_run(program, arguments, row):
    command = [sys.executable, f"benchmarks/{program}.py", *arguments]
    command += ["--rounds", "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=BENCHMARKS.parent, check=True
    )
    assert row in done.stdout
