"""Overrides Keras's methods that take data, in order to check the data first."""

from keras_sagan.distributed.model import DistributedModel
from keras_sagan.training import faults, inputs


class CheckedModel(DistributedModel):
    """A model that checks its data, and refreshes its averages before it uses them.

    A subclass has the attributes `generator` and `discriminator`, the method
    `refresh_ema` and, once compiled, a `faults.FaultFlag` as `_fault`.
    """

    def fit(self, *args, **kwargs):
        """Trains as `keras.Model.fit`; checks the first batch before the first step."""
        self._assert_compile_called("fit")
        arguments = self.arguments_of("fit", *args, **kwargs)
        inputs.check_fit_data(arguments, self.discriminator)
        self._fault.reset()
        callbacks = faults.with_guard(arguments.get("callbacks"), self._fault)
        arguments["callbacks"] = callbacks
        if inputs.is_stream(arguments.get("x")):
            arguments.setdefault("shuffle", False)
        return super().fit(**arguments)

    def train_on_batch(self, x, y=None, *args, **kwargs):
        """Trains as `keras.Model.train_on_batch`; checks the batch before the step."""
        inputs.check_one_batch(x, y, self.discriminator, first=self._fault.is_fresh)
        self._fault.is_fresh = False
        return super().train_on_batch(x, y, *args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """Computes the losses of `ema_generator`; see `keras.Model.evaluate`."""
        arguments = self.arguments_of("evaluate", *args, **kwargs)
        inputs.check_held_out(arguments, self.discriminator)
        self.refresh_ema()
        return super().evaluate(**arguments)

    def test_on_batch(self, x, y=None, *args, **kwargs):
        """Computes the losses on a batch; see `keras.Model.test_on_batch`."""
        inputs.check_one_batch(x, y, self.discriminator)
        self.refresh_ema()
        return super().test_on_batch(x, y, *args, **kwargs)

    def predict(self, *args, **kwargs):
        """Computes images of `ema_generator`, float in [-1, 1].

        Arguments are those of `keras.Model.predict`, with latents (and labels) as `x`.
        """
        arguments = self.arguments_of("predict", *args, **kwargs)
        inputs.check_latents(arguments, self.generator)
        self.refresh_ema()
        return super().predict(**arguments)

    def predict_on_batch(self, x):
        """Computes a batch of images; see `keras.Model.predict_on_batch`."""
        inputs.check_latents({"x": x}, self.generator)
        self.refresh_ema()
        return super().predict_on_batch(x)
