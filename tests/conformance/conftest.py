"""Which cases are tested: one of each class, and all of them by hand."""

import pytest


def pytest_collection_modifyitems(items):
    """Marks all cases but the first of a class patient, compiled networks slow."""
    first = {}
    for item in items:
        if item.path.parent.name != "conformance" or not hasattr(item, "callspec"):
            continue
        case = item.callspec.params["case"]
        kind = case.name.partition("-")[0]
        quick = first.setdefault((item.path, kind), case) is case
        compiles = item.path.stem in ("test_function", "test_jax", "test_replicas")
        network = kind in ("Generator", "Discriminator", "SAGAN")
        if item.path.stem == "test_config":
            continue
        if not quick:
            item.add_marker(pytest.mark.patient)
        elif compiles and network:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def wanted(request):
    """The cases that are tested in the module, in this session."""
    return [
        item.callspec.params["case"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
