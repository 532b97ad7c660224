"""Messages of other projects, compiled from their sources."""

import subprocess
import sys

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)


def parser(folder, package, output):
    """A function from a text and the name of a message to the message.

    Args:
        folder: path of the `.proto` files.
        package: str. That they declare.
        output: path of a file to write.
    """
    sources = sorted(folder.glob("*.proto"))
    # A process of its own: its C++ does not get on with TensorFlow's.
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}"]
    result = ["--include_imports", f"--descriptor_set_out={output}"]
    subprocess.run([*protoc, *result, *(path.name for path in sources)], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes()).file:
        pool.Add(file)

    def parse(text, name):
        found = pool.FindMessageTypeByName(f"{package}.{name}")
        return text_format.Parse(text, message_factory.GetMessageClass(found)())

    return parse
