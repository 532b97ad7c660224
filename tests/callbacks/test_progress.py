import io
import time
import types

import pytest

from keras_sagan import SAGAN
from keras_sagan.callbacks.progress import Progress


@pytest.fixture(scope="module")
def gan():
    return SAGAN.from_preset("sagan_32_small", base_filters=4, num_classes=2)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def train(progress, gan, steps, seconds=0.02):
    """Calls the hooks as `fit` does, without training."""
    progress.set_model(gan)
    gan.step_counter.count.assign(0)
    progress.on_train_begin()
    for step in range(1, steps + 1):
        time.sleep(seconds)
        gan.step_counter.count.assign(step)
        progress.on_train_batch_end(step - 1, {"d_loss": 1.25, "g_loss": 0.5})
    progress.on_train_end()


def test_lines_where_there_is_no_terminal(gan):
    stream = io.StringIO()
    progress = Progress(1000, examples_per_step=64, stream=stream, line_seconds=0.1)
    train(progress, gan, steps=20)
    lines = stream.getvalue().splitlines()
    assert len(lines) >= 2
    assert lines[-1].startswith("step 20/1000  ")
    assert "images/s" in lines[-1] and " left" in lines[-1]
    assert lines[-1].endswith("  d_loss 1.250  g_loss 0.500")
    rate = float(lines[-1].split()[2])
    assert 0 < rate <= 64 / 0.02  # the fastest that the pauses allow


def test_a_bar_on_a_terminal(gan):
    stream = Terminal()
    train(Progress(40, examples_per_step=64, stream=stream), gan, steps=20)
    last = stream.getvalue().strip().split("\r")[-1]
    assert "step 20/40" in last and "d_loss 1.250" in last and "|" in last
    assert stream.getvalue().endswith("\n")


def test_time_left_is_that_of_the_sooner_limit(gan):
    stream = io.StringIO()
    deadline = time.monotonic() + 65
    train(Progress(10**9, 64, deadline, stream=stream), gan, steps=3)
    assert "  1:04 left  " in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_new_grids_and_scores_have_a_line_each(gan, stream):
    """What is there after the first step, after the second, and at the end."""
    samples = types.SimpleNamespace(path=None)
    evaluation = types.SimpleNamespace(rows=[])
    progress = Progress(40, 64, stream=stream, samples=samples, evaluation=evaluation)
    progress.set_model(gan)
    gan.step_counter.count.assign(1)
    progress.on_train_begin()
    for path, row in [("a.png", None), ("a.png", {"step": 1, "seconds": 2, "fid": 3})]:
        samples.path = path
        evaluation.rows += [row] if row else []
        progress.on_train_batch_end(0, {})
    samples.path = "b.png"
    progress.close()
    lines = stream.getvalue().replace("\r", "\n").splitlines()
    lines = [x.strip() for x in lines if x.startswith(("samples", "scores"))]
    assert lines == ["samples: a.png", "scores of step 1: fid 3", "samples: b.png"]


def test_closing_twice_writes_once(gan):
    stream = io.StringIO()
    progress = Progress(40, examples_per_step=64, stream=stream)
    train(progress, gan, steps=3)
    progress.close()
    assert len(stream.getvalue().splitlines()) == 1


def test_hours(gan):
    stream = io.StringIO()
    train(Progress(10**6, 64, stream=stream), gan, steps=5)
    left = stream.getvalue().split(" left")[0].split()[-1]
    assert left.count(":") == 2


def test_a_stream_that_is_full_ends_nothing(gan):
    with open("/dev/full", "w") as full:
        progress = Progress(10, 64, stream=full, line_seconds=0.0)
        train(progress, gan, steps=3)
        progress.stream.finish()
