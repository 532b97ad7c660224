"""Combines both optimizers to one for Keras, and computes gradients in less memory."""

import tensorflow as tf

_FILTER_GRADIENT = "Conv2DBackpropFilter"
# Operations that compute the gradients of inputs, with the index of their input that
# holds the upstream gradient.
_INPUT_GRADIENTS = {"Conv2DBackpropInput": 2, "Conv2D": 0}


def gradients(tape, target, sources):
    """Computes gradients like `tape.gradient`, but in an order that saves memory.

    In a graph, the gradient of each kernel of a convolution is computed before that of
    its input. It is the last to need the input of the convolution, but as nothing waits
    for it, TensorFlow would go on to the layers below and keep the inputs of many
    convolutions. The values are the same.

    The result must not be differentiated again.

    Args:
        tape: `tf.GradientTape`.
        target: scalar tensor.
        sources: list of variables.

    Returns: list with a tensor or None for each source.
    """
    if tf.executing_eagerly():
        return tape.gradient(target, sources)
    graph = tf.compat.v1.get_default_graph()
    forward = len(graph.get_operations())
    results = tape.gradient(target, sources)
    _order(graph.get_operations()[forward:])
    return results


def sum_gradients(lists):
    """Adds up lists of gradients element by element, as dense tensors."""
    columns = zip(*lists, strict=True)
    return [tf.add_n([tf.convert_to_tensor(g) for g in column]) for column in columns]


def _order(operations):
    """Makes the gradients of inputs wait for those of kernels."""
    waiting = {
        operation.inputs[_INPUT_GRADIENTS[operation.type]].ref(): operation
        for operation in operations
        if operation.type in _INPUT_GRADIENTS
    }
    for operation in operations:
        if operation.type == _FILTER_GRADIENT:
            for upstream in (operation.inputs[2], operation.inputs[0]):
                # The second input is the upstream gradient in transposed convolutions.
                if upstream.ref() in waiting:
                    waiting[upstream.ref()]._add_control_input(operation)
                    break


class OptimizerPair:
    """The optimizers of both networks, for `model.optimizer`.

    It is for callbacks that read or set the learning rate, such as
    `LearningRateScheduler`, `ReduceLROnPlateau` and those of experiment trackers. They
    see the rate of the generator; setting it also scales that of the discriminator by
    the same factor.

    Args:
        generator: `keras.optimizers.Optimizer`.
        discriminator: `keras.optimizers.Optimizer`.
        iterations: int variable. Number of training steps made so far.
    """

    name = "optimizer_pair"
    built = True

    def __init__(self, generator, discriminator, iterations):
        self.generator = generator
        self.discriminator = discriminator
        self.iterations = iterations
        # The discriminator's rate divided by the generator's, when that was last not 0.
        self._ratio = None

    @property
    def learning_rate(self):
        """The learning rate of the generator; assigning a number scales both rates.

        Raises:
            TypeError: if either optimizer has a schedule, which cannot be assigned to.
            ValueError: if the generator's rate has always been 0, so that there is no
                factor between the two rates.
        """
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        for optimizer in (self.generator, self.discriminator):
            # Raises the `TypeError` for a schedule.
            optimizer.learning_rate = float(optimizer.learning_rate)
        if rate := float(self.generator.learning_rate):
            self._ratio = float(self.discriminator.learning_rate) / rate
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
        """The variables of both optimizers, which `summary` counts."""
        return [*self.generator.variables, *self.discriminator.variables]

    def get_config(self):
        """Returns the arguments of both optimizers, with prefixes `g_` and `d_`."""
        pair = [("g", self.generator), ("d", self.discriminator)]
        return {
            f"{prefix}_{name}": value
            for prefix, optimizer in pair
            for name, value in optimizer.get_config().items()
        }
