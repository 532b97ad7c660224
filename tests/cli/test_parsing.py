"""What all commands answer to mistakes, and what their help shows."""

import argparse
import contextlib
import re

import pytest

from keras_sagan.cli import parsing
from keras_sagan.cli.main import build_parser, main


def parsers(parser):
    """The parser and those of its commands, by name."""
    yield parser.prog, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


ALL = dict(parsers(build_parser()))
COMMANDS = {
    name: parser
    for name, parser in ALL.items()
    if not any(other.startswith(name + " ") for other in ALL)
}


def messages(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_the_parser_takes(name):
    _, _, examples = COMMANDS[name].format_help().partition("\nexamples:\n")
    assert examples
    for line in examples.splitlines():
        words = re.findall(r"'[^']*'|\S+", line)
        program, *arguments = (word.strip("'") for word in words)
        assert program == "keras-sagan"
        assert build_parser().parse_args(arguments).run


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_say_what_they_take(name):
    """Never argparse's own "invalid _port value", which names a function."""
    for action in COMMANDS[name]._actions:
        convert = COMMANDS[name]._registry_get("type", action.type, action.type)
        try:
            convert("wrong\0")
        except argparse.ArgumentTypeError as error:
            assert "must " in str(error), action.option_strings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--batchsize", "5"], "--batchsize 5. Did you mean --batch-size?"),
        (["train", "--batchsize=5"], "--batchsize=5. Did you mean --batch-size?"),
        (["export", "a", "-o", "b", "--verfy"], "--verfy. Did you mean --verify?"),
        (["data", "check", "a", "--jsn"], "--jsn. Did you mean --json?"),
        (["presets", "a", "b"], "unrecognized arguments: b\n"),
    ],
)
def test_an_unknown_flag_suggests_the_nearest(capsys, arguments, message):
    assert message in messages(capsys, *arguments)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("text", ["9" * 30, "1" + "0" * 400, "-" + "9" * 30])
def test_numbers_of_flags_are_bounded(name, text):
    """NumPy, TensorFlow and the system end in an `OverflowError` somewhere."""
    for action in COMMANDS[name]._actions:
        convert = COMMANDS[name]._registry_get("type", action.type, action.type)
        with contextlib.suppress(argparse.ArgumentTypeError):
            value = convert(text)
            assert not isinstance(value, int), action.option_strings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "explore a --port http",
            "must be an integer in [0, 65535]. Received: http",
        ),
        ("explore a --port 70000", "--port: must be an integer in [0, 65535]"),
        ("sample a -o b.png --seed x", "--seed: must be an integer. Received: x"),
        ("sample a -o b.png --num-images x", "must be an integer in [1, 10000]"),
        ("sample a -o b.png --truncation nan", "--truncation: must be a number."),
        ("serve a --max-batch x", "--max-batch: must be an integer in [1, 2147483647]"),
        ("sample a -o b.gif --milliseconds 999999", "an integer in [1, 655350]"),
        ("sample a -o b.png --interpolate-latents 1," + "9" * 30, "or more seeds"),
        ("sample a -o b.png --seed " + "9" * 30, "must be an integer (of 64 bits)"),
        ("train --worker-timeout 1e308", "must be a number in (0, 10000000]"),
        ("serve a --timeout 10000001", "must be an integer in [1, 10000000]"),
        ("train --index first", "--index: must be an integer. Received: first"),
    ],
)
def test_values_of_another_kind(capsys, arguments, message):
    assert message in messages(capsys, *arguments.split())


@pytest.mark.parametrize("text", ["1", "3", " 2"])
def test_integers_within_bounds(text):
    assert parsing.integer(1, 3)(text) == int(text)


@pytest.mark.parametrize("text", ["0", "4", "1.5", "", "x", "1" * 5000])
def test_integers_that_are_not(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"an integer in \[1, 3\]"):
        parsing.integer(1, 3)(text)


@pytest.mark.parametrize("text", ["-1", "inf", "nan", "x"])
def test_numbers_that_are_not(text):
    assert parsing.number(least=0)("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match="a number of at least 0"):
        parsing.number(least=0)(text)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parsing.number(above=0), "0.5", 0.5),
        (parsing.truncations, "0.5, none,2", [0.5, None, 2.0]),
        (parsing.png_file, "a.PNG", "a.PNG"),
    ],
)
def test_words_as_values(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parsing.number(above=0), "-1", "must be a number above 0"),
        (parsing.number(above=0), "nan", "must be a number above 0"),
        (parsing.number(above=0), "much", "must be a number above 0. Received: much"),
        (parsing.truncations, "1,x", "numbers above 0, or none"),
        (parsing.truncations, "0", "numbers above 0, or none"),
        (parsing.png_file, "a.jpg", "must end in .png"),
    ],
)
def test_words_that_are_none(parse, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        parse(text)


_PATH = re.compile(r"(DIR|FILE|PATH|PREFIX|RUN|MODEL)\b|.*\.pth$")
PATHS = {  # every option and argument of every command that takes a path
    f"{program} {' '.join(action.option_strings)} {action.metavar}": action
    for program, parser in ALL.items()
    for action in parser._actions
    if isinstance(action.metavar, str) and _PATH.match(action.metavar)
}


@pytest.mark.parametrize("name", PATHS)
def test_paths_are_of_this_machine_and_may_begin_in_the_home_directory(
    name, monkeypatch, tmp_path
):
    convert, ending = PATHS[name].type, ".html" if "html" in name else ".png"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert convert(f"~/x{ending}") == str(tmp_path / f"x{ending}")
    with pytest.raises(
        argparse.ArgumentTypeError, match="is not a path on this machine"
    ):
        convert(f"s3://bucket/x{ending}")


def test_commands_take_paths():
    assert len(PATHS) >= 25
