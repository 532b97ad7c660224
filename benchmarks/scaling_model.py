"""How a training step should scale, on paper: from a measured step and a wire.

    python benchmarks/scaling_model.py --step-seconds 0.35 --batch 64 \\
        --parameters 82e6 --gigabits 200

Every device keeps the batch of the measured step (weak scaling). A step all-reduces
the gradients of both networks, parameters * 4 bytes, and the batch moments of the
generator. A ring over n devices moves 2 (n - 1) / n times that through every device,
in 2 (n - 1) messages. Nothing is assumed to overlap with computing, so this is a
lower bound of the efficiency of the wire, and no statement about data and stragglers.
"""

import argparse

DEVICES = (1, 8, 64, 512)


def all_reduce_bytes(parameters, moments, devices):
    """Bytes through each device in a step."""
    return (4 * parameters + 8 * moments) * 2 * (devices - 1) / devices


def step_seconds(options, devices):
    """Seconds of a step on so many devices."""
    if devices == 1:
        return options.step_seconds
    volume = all_reduce_bytes(options.parameters, options.moments, devices)
    wire = volume / (options.gigabits * 1e9 / 8)
    # Gradients are packed; the moments of every batch norm wait for each other.
    messages = options.rounds * 2 * (devices - 1) * options.latency_microseconds * 1e-6
    return options.step_seconds + wire + messages


def main():
    """Prints a row for each number of devices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step-seconds", type=float, required=True)
    parser.add_argument("--batch", type=int, required=True, help="of one device")
    parser.add_argument("--parameters", type=float, required=True, help="G and D")
    parser.add_argument(
        "--moments", type=float, default=40e3, help="of all batch norms of a step"
    )
    parser.add_argument("--gigabits", type=float, required=True, help="a device, a s")
    parser.add_argument("--latency-microseconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=20, help="all-reduces in a row")
    options = parser.parse_args()
    print("| devices | global batch | MB a device | s a step | images/s | efficiency |")
    print("|---|---|---|---|---|---|")
    for devices in DEVICES:
        seconds = step_seconds(options, devices)
        volume = all_reduce_bytes(options.parameters, options.moments, devices) / 1e6
        print(
            f"| {devices} | {devices * options.batch} | {volume:.0f} | {seconds:.3f} | "
            f"{devices * options.batch / seconds:.0f} | "
            f"{options.step_seconds / seconds:.0%} |"
        )


if __name__ == "__main__":
    main()
