import tensorflow as tf

from keras_sagan.export.verifying import rules

REGISTERED = {"Conv2D", "PyFunc", "ReadFile", "SaveV2"}


def test_forbidden_operations():
    assert rules.forbidden_operations({"Conv2D"}, REGISTERED) == []
    used = {"Conv2D", "MyOwnOp", "PyFunc", "ReadFile", "SaveV2"}
    assert rules.forbidden_operations(used, REGISTERED) == sorted(used - {"Conv2D"})


def test_version_warning():
    assert rules.version_warning("2.21.0") is None
    assert rules.version_warning("2.9.3") is None
    for version in ("2.22.0", "3.0.0-rc1"):
        assert version in rules.version_warning(version)


def test_this_tensorflow_is_served():
    assert rules.version_warning(tf.__version__) is None
