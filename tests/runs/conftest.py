import pytest


@pytest.fixture
def unlabelled(picture_folder, tmp_path):
    for path in picture_folder.glob("*/*.png"):
        target = tmp_path / "unlabelled" / f"{path.parent.name}{path.name}"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    return target.parent
