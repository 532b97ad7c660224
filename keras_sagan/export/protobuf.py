"""Reads and writes the wire format of protocol buffers, as far as exports need it.

With it, warm-up requests are written and SavedModels are read without the generated
classes of `tensorflow-serving-api` or TensorFlow.
"""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def encode(number, payload):
    """Encodes a field of type string, bytes or message.

    Args:
        number: int. Number of the field.
        payload: bytes or str.
    """
    payload = payload.encode() if isinstance(payload, str) else payload
    return _varint(number << 3 | _BYTES) + _varint(len(payload)) + payload


def decode(message):
    """Yields the fields of a message, in order.

    Args:
        message: bytes.

    Yields: pairs of the number of a field and its value, which is an int for a varint
        and bytes otherwise.

    Raises:
        ValueError: if the message is cut off, or is not a message.
    """
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _read_varint(message, position)
        else:
            if kind == _BYTES:
                size, position = _read_varint(message, position)
            elif kind in (_FIXED64, _FIXED32):
                size = 8 if kind == _FIXED64 else 4
            else:
                raise ValueError(f"Not a protocol buffer: a field of kind {kind}.")
            value, position = message[position : position + size], position + size
            if len(value) != size:
                raise ValueError("The protocol buffer is cut off.")
        yield key >> 3, value


def values(message, number):
    """Returns the values of all fields with a number: list."""
    return [value for found, value in decode(message) if found == number]


def first(message, number, default=b""):
    """Returns the value of the first field with a number, or `default`."""
    return next(iter(values(message, number)), default)


def _varint(value):
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def _read_varint(message, position):
    value = shift = 0
    while True:
        if position >= len(message):
            raise ValueError("The protocol buffer is cut off.")
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position
