import numpy as np

from keras_sagan.serving.signatures import TensorSpec


def test_shapes_that_fit():
    spec = TensorSpec(np.dtype("float32"), (None, 128))
    assert spec.fits((7, 128))
    assert not spec.fits((7, 127))
    assert not spec.fits((128,))
    assert TensorSpec(spec.dtype, None).fits((1, 2, 3))


def test_text():
    dtype = np.dtype("int32")
    assert TensorSpec(dtype, (None, 128)).text == "(?, 128)"
    assert TensorSpec(dtype, (None,)).text == "(?,)"
    assert TensorSpec(dtype, None).text == "any shape"
