"""Gradients in an order that lets go of activations early."""

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
