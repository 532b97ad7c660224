import errno
import os
import subprocess
import sys

import pytest

from keras_sagan.files import streams
from keras_sagan.files.streams import LastingStream
from tests import helpers


@pytest.fixture
def pipe_without_reader():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        yield stream


@pytest.fixture
def full():
    with open("/dev/full", "w") as stream:
        yield stream


def test_a_stream_that_can_be_written(tmp_path):
    with (tmp_path / "x").open("w", encoding="utf-8") as file:
        stream = LastingStream(file)
        assert stream.write("ab") == 2
        print("c", file=stream, flush=True)
        assert (tmp_path / "x").read_text() == "abc\n"
        assert (stream.error, stream.isatty(), stream.encoding) == (
            None,
            False,
            "utf-8",
        )


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", r"Stra\xdfe \u732b"),
        ("cp1252", "Stra\xdfe \\u732b"),
        ("utf-8", "Straße 猫"),
    ],
)
def test_names_that_the_encoding_does_not_have(tmp_path, encoding, written):
    with (tmp_path / "x").open("w", encoding=encoding) as file:
        print("Straße 猫", file=LastingStream(file), end="")
    assert (tmp_path / "x").read_text(encoding=encoding) == written


def test_a_command_prints_names_that_the_encoding_does_not_have(tmp_path):
    (tmp_path / "Straße").mkdir()
    command = [sys.executable, "-m", "keras_sagan", "data", "check"]
    done = subprocess.run(
        [*command, f"folder:{tmp_path}"],
        env={
            **os.environ,
            "PYTHONPATH": str(helpers.ROOT),
            "PYTHONIOENCODING": "ascii",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert r"Stra\xdfe" in done.stdout and "Traceback" not in done.stderr


def test_that_nobody_reads_is_no_error(pipe_without_reader):
    stream = LastingStream(pipe_without_reader)
    for _ in range(2):
        print("x" * 100_000, file=stream, flush=True)
    assert stream.error is None
    stream.finish()
    pipe_without_reader.flush()  # as Python does at its end


def test_what_a_full_disk_lost_is_known(full):
    stream = LastingStream(full)
    print("x", file=stream, flush=True)
    assert stream.error.errno == errno.ENOSPC
    stream.finish()
    full.flush()


def test_no_stream():
    stream = LastingStream(None)
    print("x", file=stream, flush=True)
    stream.finish()
    assert (stream.error, stream.isatty()) == (None, False)


def test_both_streams_of_a_scope_and_then_the_ones_before(capsys):
    before = sys.stdout, sys.stderr
    with streams.lasting() as output:
        print("out")
        print("err", file=sys.stderr)
        assert sys.stdout is output
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr() == ("out\n", "err\n")


def test_descriptors_that_are_closed_are_not_given_to_files(tmp_path):
    code = (
        "import os, sys; from keras_sagan.files import streams\n"
        "with streams.lasting():\n"
        "    print('x'); print('x', file=sys.stderr)\n"
        f"    file = open({str(tmp_path / 'x')!r}, 'w')\n"
        "sys.exit(file.fileno() < 3)"
    )
    done = subprocess.run(
        f'"{sys.executable}" -c "$CODE" <&- >&- 2>&-',
        shell=True,
        env={**os.environ, "CODE": code, "PYTHONPATH": str(helpers.ROOT)},
        check=False,
    )
    assert done.returncode == 0
