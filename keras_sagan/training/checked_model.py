"""Keras's methods that take data, with checks of them before they are used."""

from keras_sagan.distributed.model import DistributedModel
from keras_sagan.training import faults, inputs


class CheckedModel(DistributedModel):
    """What `SAGAN` does beyond `keras.Model` with data: checks, and fresh averages.

    It has `generator`, `discriminator`, `refresh_ema` and, compiled, a
    `faults.FaultFlag` as `_fault`.
    """

    def fit(self, *args, **kwargs):
        """As `keras.Model.fit`; checks the first batch before the first step."""
        self._assert_compile_called("fit")
        given = self.arguments_of("fit", *args, **kwargs)
        inputs.check_fit_data(given, self.discriminator)
        self._fault.reset()
        given["callbacks"] = faults.with_guard(given.get("callbacks"), self._fault)
        if inputs.is_stream(given.get("x")):
            given.setdefault("shuffle", False)
        return super().fit(**given)

    def train_on_batch(self, x, y=None, *args, **kwargs):
        """As `keras.Model.train_on_batch`; checks the batch before the step."""
        inputs.check_one_batch(x, y, self.discriminator, first=self._fault.is_fresh)
        self._fault.is_fresh = False
        return super().train_on_batch(x, y, *args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """As `keras.Model.evaluate`: the losses of `ema_generator` on held-out data."""
        given = self.arguments_of("evaluate", *args, **kwargs)
        inputs.check_held_out(given, self.discriminator)
        self.refresh_ema()
        return super().evaluate(**given)

    def test_on_batch(self, x, y=None, *args, **kwargs):
        """As `keras.Model.test_on_batch`; see `evaluate`."""
        inputs.check_one_batch(x, y, self.discriminator)
        self.refresh_ema()
        return super().test_on_batch(x, y, *args, **kwargs)

    def predict(self, *args, **kwargs):
        """As `keras.Model.predict`: images of `ema_generator`, float in [-1, 1]."""
        given = self.arguments_of("predict", *args, **kwargs)
        inputs.check_latents(given, self.generator)
        self.refresh_ema()
        return super().predict(**given)

    def predict_on_batch(self, x):
        """As `keras.Model.predict_on_batch`; see `predict`."""
        inputs.check_latents({"x": x}, self.generator)
        self.refresh_ema()
        return super().predict_on_batch(x)
