"""Small whole images of every kind we publish, made once."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from tests.support.image_files import NAMES, make_samples
from z_interact_assets.core.models import ImageLimits


@pytest.fixture(scope="session")
def samples() -> Mapping[str, bytes]:
    return MappingProxyType(make_samples())


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def limits() -> ImageLimits:
    return ImageLimits()
