import os
import subprocess
import sys

import pytest

STDERR = """
import os, sys
from keras_sagan.cli import startup
with startup._held_back_stderr():
    os.system("echo from another program >&2")
    print("held", file=sys.stderr)
    if {fails}:
        raise RuntimeError
print("shown", file=sys.stderr)
"""


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def test_messages_are_held_back():
    done = run(STDERR.format(fails=False))
    assert (done.returncode, done.stderr) == (0, "shown\n")


def test_messages_are_shown_after_an_error():
    done = run(STDERR.format(fails=True))
    assert done.returncode == 1
    assert "from another program\nheld\nTraceback" in done.stderr


def test_tensorflow_starts_quietly():
    code = (
        "import os; os.environ.pop('TF_CPP_MIN_LOG_LEVEL', None); "
        "from keras_sagan.cli.startup import start_tensorflow; start_tensorflow(); "
        "import tensorflow as tf; print(int(tf.constant(1) + 1))"
    )
    done = run(code)
    assert (done.stdout, done.stderr) == ("2\n", "")


@pytest.mark.parametrize(("own", "used"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_the_user_says_otherwise(own, used, monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    code = (
        "from keras_sagan.cli.startup import start_tensorflow; start_tensorflow(); "
        "import os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    assert run(code, **{"TF_ENABLE_ONEDNN_OPTS": own} if own else {}).stdout == (
        f"{used}\n"
    )
