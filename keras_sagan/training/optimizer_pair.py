"""Two optimizers as the one that Keras's callbacks look for."""


class OptimizerPair:
    """Generator's and discriminator's optimizer as `model.optimizer`.

    Callbacks that read or set the learning rate, such as `LearningRateScheduler`,
    `ReduceLROnPlateau` and those of experiment trackers, work with it: they see the
    generator's, and setting it scales the discriminator's by the same factor.

    Args:
        generator: `keras.optimizers.Optimizer`.
        discriminator: likewise.
        iterations: int variable. Training steps made so far.
    """

    name = "optimizer_pair"
    built = True

    def __init__(self, generator, discriminator, iterations):
        self.generator = generator
        self.discriminator = discriminator
        self.iterations = iterations
        self._ratio = None  # discriminator's rate to generator's, while that is not 0

    @property
    def learning_rate(self):
        """The generator's; assign a number to scale both.

        Raises:
            TypeError: if either optimizer has a schedule, which cannot be assigned to.
            ValueError: if the generator's always was 0, so that it has no factor.
        """
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        for optimizer in (self.generator, self.discriminator):
            optimizer.learning_rate = float(optimizer.learning_rate)  # no schedule
        if present := float(self.generator.learning_rate):
            self._ratio = float(self.discriminator.learning_rate) / present
        if self._ratio is None:
            raise ValueError(
                "`optimizer.learning_rate` scales the rates of generator and "
                "discriminator by the same factor, and the generator's is 0: set "
                "`g_optimizer.learning_rate` and `d_optimizer.learning_rate`. "
                f"Received: learning_rate={value!r}."
            )
        self.generator.learning_rate = float(value)
        self.discriminator.learning_rate = float(value) * self._ratio

    @property
    def variables(self):
        """Those of both: `summary` counts them."""
        return [*self.generator.variables, *self.discriminator.variables]

    def get_config(self):
        """Arguments of both, with the prefixes `g_` and `d_`."""
        pair = [("g", self.generator), ("d", self.discriminator)]
        return {
            f"{prefix}_{name}": value
            for prefix, optimizer in pair
            for name, value in optimizer.get_config().items()
        }
