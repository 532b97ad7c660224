"""Exports of tiny networks that the tests here share."""

import pytest

from tests.export.gans import exportable_gan


@pytest.fixture(scope="session")
def conditional_gan():
    """A conditional `SAGAN` whose averaged generator is up to date."""
    return exportable_gan()


@pytest.fixture(scope="session")
def unconditional_gan():
    """An unconditional `SAGAN` whose averaged generator is up to date."""
    return exportable_gan(None)


@pytest.fixture(scope="session", params=["conditional", "unconditional"])
def any_gan(request):
    """Either of the two."""
    return request.getfixturevalue(f"{request.param}_gan")


@pytest.fixture(scope="session")
def conditional_export(conditional_gan, tmp_path_factory):
    """Directory of an exported conditional generator."""
    folder = tmp_path_factory.mktemp("conditional") / "1"
    conditional_gan.export(str(folder))
    return folder


@pytest.fixture(scope="session")
def unconditional_export(unconditional_gan, tmp_path_factory):
    """Directory of an exported unconditional generator."""
    folder = tmp_path_factory.mktemp("unconditional") / "1"
    unconditional_gan.export(str(folder))
    return folder


@pytest.fixture(scope="session")
def any_export(any_gan, request):
    """The directory that belongs to `any_gan`."""
    kind = "unconditional" if any_gan.generator.num_classes is None else "conditional"
    return request.getfixturevalue(f"{kind}_export")
