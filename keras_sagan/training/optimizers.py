"""Both optimizers as one for Keras, and gradients in an order that saves memory."""

import tensorflow as tf

_FILTER_GRADIENT = "Conv2DBackpropFilter"
_INPUT_GRADIENTS = {"Conv2DBackpropInput": 2, "Conv2D": 0}  # place of the upstream


def gradients(tape, target, sources):
    """As `tape.gradient`; in a graph kernels of convolutions get their gradients first.

    The gradient of a kernel is the last reader of the input of a convolution, but
    nothing waits for it: TensorFlow would go on to the layers below and keep the inputs
    of many convolutions. The values are the same. Not for what is differentiated again.

    Args:
        tape: `tf.GradientTape`.
        target: scalar tensor.
        sources: list of variables.

    Returns: list of tensors or None, one a source.
    """
    if tf.executing_eagerly():
        return tape.gradient(target, sources)
    graph = tf.compat.v1.get_default_graph()
    forward = len(graph.get_operations())
    found = tape.gradient(target, sources)
    _order(graph.get_operations()[forward:])
    return found


def sum_gradients(lists):
    """Elementwise sum of lists of gradients, as dense tensors."""
    columns = zip(*lists, strict=True)
    return [tf.add_n([tf.convert_to_tensor(g) for g in column]) for column in columns]


def _order(operations):
    """Let the gradients of inputs wait for those of kernels."""
    waiting = {
        operation.inputs[_INPUT_GRADIENTS[operation.type]].ref(): operation
        for operation in operations
        if operation.type in _INPUT_GRADIENTS
    }
    for operation in operations:
        if operation.type == _FILTER_GRADIENT:
            for upstream in (operation.inputs[2], operation.inputs[0]):
                if upstream.ref() in waiting:  # the second: a transposed convolution
                    waiting[upstream.ref()]._add_control_input(operation)
                    break


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
