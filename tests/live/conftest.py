from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture
def cast(db: None) -> "Cast":
    # Imported here because this file is read before Django has loaded its models.
    from tests.cast import assemble

    return assemble()
